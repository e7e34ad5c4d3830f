"""The spoken form of a reply: amounts as words, digits one by one, dates as they are said, short pieces.

A voice reads ¥1,234.50 and 尾号6781 in its own way, and wrongly; so it gets nothing but words. What an amount
sounds like is read back by the caller's ear alone: `test_spoken` proves that every amount survives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from bot.dialogue.reading.speech import digits_to_spoken, fen_to_spoken, number_to_spoken

PIECE_CHARS_MAX: Final = 24  # a longer one is broken at a comma, so that the first sound comes early
PIECES_MAX: Final = 8  # nobody remembers more
MORE: Final = "内容比较多，先说到这里。"
DIGITS_FROM: Final = 5  # a longer run of digits without a unit is a number to be noted down, not a quantity

_YEAR_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_GROUPED = r"\d{1,3}(?:,\d{3})+|\d+"
_AMOUNT = rf"(?P<whole>{_GROUPED})(?:\.(?P<part>\d{{1,2}}))?"


def _fen(match: re.Match[str]) -> int:
    part = (match["part"] or "").ljust(2, "0")
    return int(match["whole"].replace(",", "")) * 100 + int(part)


def _amount(match: re.Match[str]) -> str:
    fen = _fen(match)
    small = "钱" if 0 < fen < 100 else ""  # 五分 alone may be anything
    return ("负" if "-" in match["sign"] else "") + fen_to_spoken(fen) + small


def _quantity(digits: str) -> str:
    return number_to_spoken(int(digits.replace(",", "")))


def _decimal(whole: str, part: str | None) -> str:
    rest = "点" + "".join(_YEAR_DIGITS[digit] for digit in part) if part else ""
    return _quantity(whole) + rest


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), int(match["minute"])
    hours = "两" if hour == 2 else number_to_spoken(hour)
    if minute == 0:
        return f"{hours}点"
    return f"{hours}点{'零' if minute < 10 else ''}{number_to_spoken(minute)}分"


def _date(match: re.Match[str]) -> str:
    year = "".join(_YEAR_DIGITS[digit] for digit in match["year"])
    month, day = number_to_spoken(int(match["month"])), number_to_spoken(int(match["day"]))
    return f"{year}年{month}月{day}日"


def _counted(match: re.Match[str]) -> str:
    number, part = match["number"], (match["part"] or "").rstrip("0")
    if match["nth"]:
        said = _decimal(number, part).replace("两", "二")  # 第二笔, but 两笔
    else:
        said = "两" if number == "2" and not part else _decimal(number, part)
    return match["nth"] + said + match["measure"]


def _points(match: re.Match[str]) -> str:
    return match["name"] + _quantity(match["number"])


def _number(match: re.Match[str]) -> str:
    whole, part = match["whole"], match["part"]
    if not part and "," not in whole and (len(whole) >= DIGITS_FROM or (len(whole) > 1 and whole[0] == "0")):
        return digits_to_spoken(whole)
    return _decimal(whole, part)


_MEASURE = r"个|笔|张|位|次|天|条|项|家|年(?!\d)|小时|分(?!之)|份|种|人|遍|号线|万|亿"
_NOTED = r"尾号|卡号|账号|户号|编号|单号|流水号|验证码|电话|热线|客服|手机号码?|拨打|拨|密码"


def _phone(match: re.Match[str]) -> str:
    return f"{digits_to_spoken(match['head'])}开头，尾号{digits_to_spoken(match['tail'])}"


def _tail(match: re.Match[str]) -> str:
    return f"尾号{digits_to_spoken(match['tail'])}"


def _percent(match: re.Match[str]) -> str:
    return f"百分之{_decimal(match['whole'], match['part'])}"


def _year(match: re.Match[str]) -> str:
    return "".join(_YEAR_DIGITS[digit] for digit in match["year"]) + "年"


def _until(match: re.Match[str]) -> str:
    return f"{match['a']}到"


def _nothing(_: re.Match[str]) -> str:
    return ""


def _one_by_one(match: re.Match[str]) -> str:
    return digits_to_spoken(match[0])


def _somebody(_: re.Match[str]) -> str:
    return "某"


def _noted(match: re.Match[str]) -> str:
    """A number to be noted down: each digit by itself, letters by themselves."""
    said = "".join(digits_to_spoken(char) or f"{char.upper()} " for char in match["digits"] if char != "-")
    return f"{match['name']}{'是' if match['between'] in ('是', '为') else ''}{said.rstrip()}"


# In order: what is longer and surer comes first.
_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = tuple(
    (re.compile(pattern, re.ASCII), said)
    for pattern, said in (
        (r"https?://\S+", _nothing),
        (r"(?P<head>\d{3})\*{2,}(?P<tail>\d{2,4})", _phone),
        (r"(?:\d{4}[ -])?(?:\*{2,}[ -]?)+(?P<tail>\d{2,4})", _tail),
        (r"，?\*+[一-龥]{1,4}(?=，您好)", _nothing),  # who has logged in knows who they are
        (r"\*+(?=[一-龥])", _somebody),
        (rf"(?P<name>{_NOTED})(?P<between>是|为|：|:|\s)*(?P<digits>[0-9A-Za-z][0-9A-Za-z-]*)", _noted),
        (rf"(?P<sign>-?[¥￥]-?){_AMOUNT}元?", _amount),
        (rf"(?P<sign>(?:(?<![0-9a-zA-Z一-龥])-)?)(?<![\d.,]){_AMOUNT}(?:元|块钱|块)", _amount),
        (rf"(?<![\d.,])(?P<whole>{_GROUPED})(?:\.(?P<part>\d+))?%", _percent),
        (
            r"(?<!\d)(?P<year>(?:19|20)\d\d)[-/年](?P<month>\d{1,2})[-/月](?P<day>\d{1,2})日?(?!\d)",
            _date,
        ),
        (r"(?<!\d)(?P<year>(?:19|20)\d\d)年", _year),
        (r"(?<![\d:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:])", _clock),
        (r"(?P<a>[日号点分元%个天年月])\s*[-~～—至]+\s*(?=[\d一二三四五六七八九十零两百])", _until),
        (r"(?P<a>\d)\s*[~～—]+\s*(?=\d)", _until),
        (rf"(?P<a>\d)-(?=\d+(?:{_MEASURE}))", _until),
        (
            rf"(?P<nth>第?)(?<![\d.,])(?P<number>{_GROUPED})(?:\.(?P<part>\d+))?(?P<measure>{_MEASURE})",
            _counted,
        ),
        (rf"(?P<name>积分(?:余额|一?共|总数)?[是为有：:]?)(?P<number>{_GROUPED})(?![\d.])", _points),
        (rf"(?<![\d.,])(?P<whole>{_GROUPED})(?:\.(?P<part>\d+))?", _number),
        (r"\d+", _one_by_one),  # what none of the rules could make sense of
    )
)

_WIDE = {ord("０") + digit: str(digit) for digit in range(10)}
_SILENT = str.maketrans(dict.fromkeys("“”\"'‘’「」『』《》【】[]*#_`·•%¥￥", ""))
_PAUSES = str.maketrans(
    {"（": "，", "）": "，", "(": "，", ")": "，", "：": "，", ":": "，", "、": "、", "…": "，"}
)
_END = re.compile(r"(?<=[。！？!?；;])|\n+")
_COMMAS = re.compile(r"[，,]{2,}")
_SPEAKABLE = re.compile(r"[0-9A-Za-z一-龥]")


def spoken(text: str) -> str:
    """The whole text in words, without digits, signs and marks."""
    text = text.translate(_WIDE).replace("回复“", "说“")  # a caller writes nothing
    text = text.replace("”“", "”，“")  # examples side by side are no one sentence
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    text = text.translate(_SILENT).translate(_PAUSES)
    return _COMMAS.sub("，", text)


def spoken_pieces(text: str, *, pieces_max: int = PIECES_MAX) -> tuple[str, ...]:
    """The text as pieces that are said one after another; an interrupted call resumes at one."""
    pieces = [
        piece
        for sentence in _END.split(spoken(text))
        for piece in _broken(sentence.strip(" ，,、"))
        if _SPEAKABLE.search(piece)
    ]
    return (*pieces[:pieces_max], MORE) if len(pieces) > pieces_max else tuple(pieces)


def _broken(sentence: str) -> list[str]:
    """A long sentence at its commas, each part as long as it may be."""
    if len(sentence) <= PIECE_CHARS_MAX:
        return [sentence]
    parts: list[str] = []
    for part in re.split(r"(?<=[，,])", sentence):
        if parts and len(parts[-1]) + len(part) <= PIECE_CHARS_MAX:
            parts[-1] += part
        else:
            parts.append(part)
    return parts
