"""Amounts and names put into words: figures for cards, capitals for receipts, speakable and masked forms."""

from __future__ import annotations

from typing import Final

_CAPITALS: Final = "零壹贰叁肆伍陆柒捌玖"
_CAPITAL_UNITS: Final = ("", "拾", "佰", "仟")
_SPOKEN: Final = "零一二三四五六七八九"
_SPOKEN_UNITS: Final = ("", "十", "百", "千")
_PHONE_DIGITS: Final = 11
_TAIL_DIGITS: Final = 4


def fen_to_yuan_text(amount_fen: int) -> str:
    """50000 fen as "500.00元", with thousands separated: "12,345.60元"."""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{yuan:,}.{fen:02d}元"


def _below_wan(number: int, digits: str, units: tuple[str, ...]) -> str:
    """1 to 9999 in characters, inner zeros as one 零."""
    said, zero = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit == 0:
            zero = bool(said)
            continue
        said += ("零" if zero else "") + digits[digit] + units[place]
        zero = False
    return said


def _in_characters(number: int, digits: str, units: tuple[str, ...]) -> str:
    """A whole number in characters; parts above and below 亿 and 万 are joined by 零 where places are empty."""
    for scale, name in ((10**8, "亿"), (10**4, "万")):
        if number >= scale:
            upper, lower = divmod(number, scale)
            joint = "零" if 0 < lower < scale // 10 else ""
            rest = _in_characters(lower, digits, units) if lower else ""
            return _in_characters(upper, digits, units) + name + joint + rest
    return _below_wan(number, digits, units) if number else digits[0]


def _checked(amount_fen: int) -> None:
    if amount_fen < 0:
        raise ValueError("an amount put into words is never negative")


def fen_to_chinese_capital(amount_fen: int) -> str:
    """The amount in financial capitals: 50000 is 伍佰元整, 10005 is 壹佰元零伍分. ValueError when negative."""
    _checked(amount_fen)
    yuan, rest = divmod(amount_fen, 100)
    jiao, fen = divmod(rest, 10)
    said = _in_characters(yuan, _CAPITALS, _CAPITAL_UNITS) + "元" if yuan or not rest else ""
    if jiao:
        said += f"{_CAPITALS[jiao]}角"
    elif fen and yuan:
        said += "零"
    return said + (f"{_CAPITALS[fen]}分" if fen else "整")


def number_to_spoken(number: int) -> str:
    """A whole number as it is said: 12 十二, 200 两百, 10005 一万零五. ValueError when negative."""
    _checked(number)
    if number == 2:
        return "二"
    said = _in_characters(number, _SPOKEN, _SPOKEN_UNITS)
    for unit in "百千万亿":
        for before in ("", "零", "千", "万", "亿"):
            said = (
                said.replace(f"{before}二{unit}", f"{before}两{unit}") if before else _leading_two(said, unit)
            )
    return said.removeprefix("一") if said.startswith("一十") else said


def _leading_two(said: str, unit: str) -> str:
    return f"两{said[1:]}" if said.startswith(f"二{unit}") else said


def _counted(number: int) -> str:
    return "两" if number == 2 else number_to_spoken(number)


def fen_to_spoken(amount_fen: int) -> str:
    """The amount as a teller says it: 50050 is 五百元五角. ValueError when negative."""
    _checked(amount_fen)
    yuan, rest = divmod(amount_fen, 100)
    jiao, fen = divmod(rest, 10)
    said = f"{_counted(yuan)}元" if yuan or not rest else ""
    if jiao:
        said += f"{_counted(jiao)}角"
    elif fen and yuan:
        said += "零"
    return said + (f"{_counted(fen) if jiao == 0 and not yuan else _SPOKEN[fen]}分" if fen else "")


def digits_to_spoken(digits: str) -> str:
    """Digits one by one, 1 said 幺 as on the telephone: 6781 is 六七八幺. Other characters are dropped."""
    return "".join(
        "幺" if char == "1" else _SPOKEN[int(char)] for char in digits if char.isascii() and char.isdigit()
    )


def mask_name(name: str) -> str:
    """A name for the eyes of others, the first character hidden: 张三 is *三, 王小明 *小明."""
    return f"*{name[1:]}" if len(name) > 1 else "*" * len(name)


def mask_phone(phone: str) -> str:
    """13800001234 as 138****1234; anything that is no mobile number keeps its last two characters at most."""
    if len(phone) == _PHONE_DIGITS and phone.isascii() and phone.isdigit():
        return f"{phone[:3]}****{phone[-4:]}"
    return "*" * max(len(phone) - 2, 0) + phone[-2:] if len(phone) > 4 else "*" * len(phone)


def card_tail(card_number: str) -> str:
    """The last four digits of a card number, blanks and dashes ignored. ValueError with fewer than four."""
    digits = "".join(char for char in card_number if char.isascii() and char.isdigit())
    if len(digits) < _TAIL_DIGITS:
        raise ValueError("a card number has at least four digits")
    return digits[-_TAIL_DIGITS:]
