"""What a message wants by its form alone, without the understanding service: whoever shows a receiving code wants to
pay.
"""

from __future__ import annotations

from typing import Final

from bot.dialogue.reading.pay_codes import read_pay_codes, without_pay_codes
from bot.dialogue.understanding import Understanding

SCAN: Final = "qr_scan"


def heard_by_form(text: str) -> Understanding | None:
    """The understanding of a text with a receiving code in it, None for any other."""
    if not read_pay_codes(text):
        return None
    return Understanding(without_pay_codes(text), SCAN, 1.0, ranking=((SCAN, 1.0),))
