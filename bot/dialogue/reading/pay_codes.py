"""Receiving codes in a text: the link that the picture holds, or the short form in which a scanned picture is told."""

from __future__ import annotations

import re
from typing import Final

from bot.dialogue.reading.types import Reading

SCANNED: Final = "[收款码]"
LINK: Final = "/?pay="
_TOKEN = r"(?P<token>[bcdfghjklmnpqrstwxyz]{26})(?![a-zA-Z0-9])"
_SHORT = re.compile(re.escape(SCANNED) + _TOKEN)
_LINK = re.compile(r"[A-Za-z0-9:/.\-]*\?(?:[A-Za-z0-9_=%.\-]*&)*pay=" + _TOKEN + r"(?:[&#][^\s，。；]*)?")


def read_pay_codes(text: str) -> list[Reading[str]]:
    """Every receiving code named in the text, by its token; a link is read whole, with the digits of its address."""
    return [
        Reading(found["token"], found.start(), found.end(), found[0])
        for pattern in (_SHORT, _LINK)
        for found in pattern.finditer(text)
    ]


def scanned(token: str) -> str:
    """How the scan of a code is told to the assistant."""
    return SCANNED + token


def pay_link(pages_url: str, token: str) -> str:
    """What the picture holds."""
    return f"{pages_url}{LINK}{token}"


def without_pay_codes(text: str) -> str:
    """The text as a log may keep it: that a code was shown, not which."""
    for reading in read_pay_codes(text):
        text = text.replace(reading.text, SCANNED)
    return text
