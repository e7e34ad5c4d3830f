"""How long: 三个月, 半年期, 三年期, 一年半, 一年零三个月, 90天, 36期. A point of time (三年前, 2025年) is a date, not a term."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from bot.dialogue.reading.canon import canon, tail_of
from bot.dialogue.reading.numerals import Found, Number, number_at, scan
from bot.dialogue.reading.types import Reading

Unit = Literal["days", "months", "instalments"]


@dataclass(frozen=True, slots=True)
class Term:
    """So many days, months (a year is twelve) or instalments; ``count`` is None when no certain one was named."""

    count: int | None
    unit: Unit


# A word for a unit, its Unit, and how many of that.
_UNITS: Final[dict[str, tuple[Unit, int]]] = {
    "年": ("months", 12),
    "季度": ("months", 3),
    "季": ("months", 3),
    "月": ("months", 1),
    "周": ("days", 7),
    "星期": ("days", 7),
    "礼拜": ("days", 7),
    "天": ("days", 1),
    "日": ("days", 1),
    "期": ("instalments", 1),
}
_HALF_MONTH_DAYS: Final = 15
_UNIT: Final = re.compile(
    r"(?:(?P<counted>个)(?P<extra>半)?(?P<of>月|季度|星期|礼拜|季)|(?P<whole>整)?(?P<plain>年|周(?![岁年末边转围一二三四五六日])|天|期(?![间货权])|季度?|月(?=期)|日(?=期|通知)))"
    r"(?P<half>半(?![天月个年载]))?(?:期(?![限间货权满]))?(?P<open>多(?![少久长大远次])|来(?![的了])|左右|上下|以上|以下|以内|之内|内)?"
)
_NOT_AFTER: Final = re.compile(
    r"半载|(?:以|之)?(?:前|后|来)|[初末底中终]|代|级|度|[0-9零一二三四五六七八九十]{1,2}(?:月|号|日)|的?时候|历"
)
_NOT_BEFORE: Final = re.compile(
    r"(?:第|最近|近|过去|[上下这每前后当本]|[0-9]月|星期|周|[0-9零一二三四五六七八九十]点)(?:个|一)?$"
)
_JOINT: Final = re.compile(r"(?:[到至~\-]|或者?)$")
_LENGTH_BEFORE: Final = re.compile(r"(?:[存贷限还分供元块万，、,]|贷款|按揭|定期|利率|%)(?:是|为|了|共|个)?$")
_YEARS_AGO: Final = 1900
_COUNT_MAX: Final = 9999  # more of anything is a sum of money in front of the term
_PHASES: Final = frozenset("一二1")  # 一期 and 二期 are parts of an estate


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    values: tuple[Term, ...]


def _term(number: Number, unit: Unit, size: int, half: bool) -> Term:
    if number.value is None:
        return Term(None, unit)
    if unit == "months" and size == 1 and number.value == Decimal("0.5") and not half:
        return Term(_HALF_MONTH_DAYS, "days")
    count = (number.value + (Decimal("0.5") if half else 0)) * size
    return Term(int(count) if count == count.to_integral_value() else None, unit)


def _is_a_year(found: Found, said: str) -> bool:
    """2025年, 二五年: a calendar year."""
    spoken = found.number.digits and not said.isascii() and len(said) > 1
    return spoken or (found.number.value is not None and found.number.value >= _YEARS_AGO)


def _may_be_a_year(text: str, found: Found, match: re.Match[str]) -> bool:
    """15年: 2015 unless it is the time of a loan or a deposit, or too far off (30年)."""
    said = text[found.start : found.end]
    short = len(said) == 2 and said.isascii() and said.isdigit() and "10" <= said < "30"
    bare = match["plain"] == "年" and match.group() == "年"
    return short and bare and not _LENGTH_BEFORE.search(tail_of(text, found.start))


def _match(text: str, found: Found) -> _Match | None:
    match = _UNIT.match(text, found.end)
    if match is None or _NOT_AFTER.match(text, match.end()):
        return None
    word, said = match["of"] or match["plain"], text[found.start : found.end]
    if found.number.leading_zero and not said.startswith("零"):
        return None
    if _NOT_BEFORE.search(tail_of(text, found.start)) or (word == "年" and _is_a_year(found, said)):
        return None
    if (word == "期" and said in _PHASES) or (word in ("季", "季度") and not match["counted"]):
        return None
    unit, size = _UNITS[word]
    half = bool(match["half"] or match["extra"])
    unsure = match["open"] or _may_be_a_year(text, found, match)
    numbers = (Number(None, vague=True),) if unsure else (found.number, *found.alternatives)
    return _Match(found.start, match.end(), tuple(_term(number, unit, size, half) for number in numbers))


def _apart(text: str, found: Found) -> Found:
    """存五万三年: the 三 behind the sum is the number of years."""
    said = text[found.start : found.end]
    behind = max(said.rfind(unit) for unit in "万千亿百") + 1
    sum_before = behind and found.number.value is not None and found.number.value > _COUNT_MAX
    apart = number_at(text, found.start + behind) if sum_before and behind < len(said) else None
    return apart or found


def _joined(text: str, first: _Match, second: _Match) -> _Match | None:
    """一年零三个月 is one term, 一年到三年 none that is certain."""
    between = text[first.end : second.start]
    one, other = first.values[0], second.values[0]
    if _JOINT.fullmatch(between):
        return _Match(first.start, second.end, (Term(None, one.unit),))
    smaller = one.unit == other.unit == "months" and other.count is not None and other.count < 12
    if between in ("", "零", "又", "加") and smaller and one.count is not None and one.count % 12 == 0:
        return _Match(first.start, second.end, (Term(one.count + (other.count or 0), "months"),))
    return None


def read_terms(text: str) -> list[Reading[Term]]:
    """Every length of time, in order; 一两年 is one year or two, 三到五年 and 几年 have no certain count: ask."""
    copy = canon(text)
    matches: list[_Match] = []
    numbers = scan(copy.text)
    for place, found in enumerate(numbers):
        match = _match(copy.text, _apart(copy.text, found))
        if match is None:
            continue
        bare = numbers[place - 1] if place else None
        if bare and _JOINT.fullmatch(copy.text[bare.end : found.start]):  # 三到五年
            match = _Match(bare.start, match.end, (Term(None, match.values[0].unit),))
        joined = _joined(copy.text, matches[-1], match) if matches else None
        matches = [*matches[:-1], joined] if joined else [*matches, match]
    return [copy.reading(m.values[0], m.start, m.end, m.values[1:]) for m in matches]
