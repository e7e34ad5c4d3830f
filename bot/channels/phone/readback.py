"""A read-back for the ear: whom, where and how much, in the shortest form that can still be checked.

What a screen shows beside that (the amount a second time in capitals, that nothing is charged, that it arrives at once)
only makes the caller wait for the question. The name of somebody in the caller's own book is said whole: the surname
is all that tells 李四 from 王四. It is heard only; what is stored and shown stays masked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

_USUAL: Final = {"手续费": "免费", "到账时间": "实时到账", "附言": "转账"}  # not worth a word
_LEFT_OUT: Final = frozenset({"付款账户"})
_BY_ITSELF: Final = frozenset({"收款账户"})  # says itself what it is
PAYEE: Final = "收款人"
SURE: Final = "确认吗？"  # what it is about has been said
_CAPITALS: Final = re.compile(r"（[零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整负]+）")


def read_back(card: dict[str, Any], text: str, payee: str = "") -> str:
    """What is said of a card of the kind `readback`; `text` is the reply it came with.

    A card that asks nothing belongs to a skill's own words (what is done with a voice, before one agrees to it), which
    are said as they are. `payee` is the full name of whoever is paid, "" where it must not be said.
    """
    asks = card.get("asks")
    if not asks:
        return text
    facts = [(fact["label"], fact["value"]) for fact in card["facts"]]
    said = "，".join(
        _said(label, value, payee) for label, value in facts if _worth_saying(label, value, facts)
    )
    return f"请核对：{said}。{SURE if masked_payee(card) else asks}"


def masked_payee(card: dict[str, Any]) -> str:
    """The payee as the card shows them; "" where nobody is paid."""
    return next((str(fact["value"]) for fact in card["facts"] if fact["label"] == PAYEE), "")


def _worth_saying(label: str, value: str, facts: Sequence[tuple[str, str]]) -> bool:
    paid = any(other == PAYEE for other, _ in facts)
    return _USUAL.get(label) != value and not (paid and label in _LEFT_OUT)


def _said(label: str, value: str, payee: str) -> str:
    if label == PAYEE and payee:
        value = payee
    value = _CAPITALS.sub("", value)
    return value if label in _BY_ITSELF else f"{label}{value}"
