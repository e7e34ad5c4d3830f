"""How money and personal data are written for Chinese readers."""

from __future__ import annotations

import re

from banking_core.checked import checked_function
from banking_core.errors import InvalidInput

FEN_MAX = 10**15  # ten trillion yuan: above it something is wrong
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_SECTIONS = ("", "万", "亿", "万亿")
_YUAN_TEXT = re.compile(r"^(-?)¥(\d{1,3}(?:,\d{3})*)\.(\d{2})$")


@checked_function
def fen_to_yuan_text(amount_fen: int) -> str:
    """123450 -> '¥1,234.50'; negative amounts carry the sign in front."""
    _check(amount_fen)
    sign = "-" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{sign}¥{yuan:,}.{fen:02d}"


def yuan_text_to_fen(text: str) -> int:
    """The inverse of `fen_to_yuan_text`; raises ValueError on anything else."""
    match = _YUAN_TEXT.match(text)
    if match is None:
        raise ValueError("not an amount as this bank writes it")
    sign, yuan, fen = match.groups()
    amount_fen = int(yuan.replace(",", "")) * 100 + int(fen)
    return -amount_fen if sign else amount_fen


@checked_function
def fen_to_signed_text(amount_fen: int) -> str:
    """'+¥500.00' or '-¥500.00', as statements show it."""
    return f"+{fen_to_yuan_text(amount_fen)}" if amount_fen > 0 else fen_to_yuan_text(amount_fen)


def fen_to_chinese_capital(amount_fen: int) -> str:
    """The capital form of cheques: 50000 -> '伍佰元整', 100005 -> '壹仟元零伍分'."""
    _check(amount_fen)
    if amount_fen < 0:
        return "负" + fen_to_chinese_capital(-amount_fen)
    yuan, cents = divmod(amount_fen, 100)
    jiao, fen = divmod(cents, 10)
    text = f"{_integer_capital(yuan)}元" if yuan else ""
    if cents == 0:
        return (text or "零元") + "整"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif text:
        text += "零"
    return text + (f"{_DIGITS[fen]}分" if fen else "整")


def amount_fact(amount_fen: int) -> str:
    """The amount of a read-back: '¥500.00（伍佰元整）'."""
    return f"{fen_to_yuan_text(amount_fen)}（{fen_to_chinese_capital(amount_fen)}）"


def fee_fact(fee_fen: int) -> str:
    """The fee of a read-back: '免费' or the amount."""
    return "免费" if fee_fen == 0 else fen_to_yuan_text(fee_fen)


@checked_function
def mask_name(name: str) -> str:
    """'张三' -> '*三', '王小明' -> '*小明'; a single character is hidden wholly."""
    return "*" + name[1:]


@checked_function
def mask_phone(phone: str) -> str:
    """'13812341234' -> '138****1234'; anything shorter than 8 characters is hidden wholly."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "*" * len(phone)


@checked_function
def mask_number(number: str) -> str:
    """An account or card number: '尾号6789'."""
    return f"尾号{number[-4:]}"


def _check(amount_fen: int) -> None:
    if isinstance(amount_fen, bool) or not isinstance(amount_fen, int):
        raise InvalidInput("money is an int of fen", field="amount_fen")
    if abs(amount_fen) > FEN_MAX:
        raise InvalidInput("amount out of bounds", field="amount_fen")


def _integer_capital(number: int) -> str:
    """Capital digits of a positive integer, in sections of four places."""
    assert number > 0
    sections: list[int] = []
    while number:
        number, section = divmod(number, 10_000)
        sections.append(section)
    text, zero_pending = "", False
    for index in reversed(range(len(sections))):
        section = sections[index]
        if section == 0:
            zero_pending = True
            continue
        if text and (zero_pending or section < 1000):
            text += "零"
        text += _section_capital(section) + _section_unit(index, sections)
        zero_pending = False
    return text


def _section_unit(index: int, sections: list[int]) -> str:
    """The unit after a section.

    万亿 is written once as 万 when the 亿 section follows with digits of its own.
    """
    if index == 3:
        return "万" if sections[2] else "万亿"
    return _SECTIONS[index]


def _section_capital(section: int) -> str:
    """Capital digits of 1..9999."""
    text, zero_pending = "", False
    for place in (3, 2, 1, 0):
        digit = section // 10**place % 10
        if digit == 0:
            zero_pending = bool(text)
            continue
        text += ("零" if zero_pending else "") + _DIGITS[digit] + _PLACES[place]
        zero_pending = False
    return text
