"""Dates and ranges in Chinese customer text: 上个月, 国庆期间, 3月5号, 最近三个月, 从1号到5号."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bot.dialogue.reading.types import Reading

Prefer = Literal["past", "future"]
_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "日": 7, "天": 7}


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from `start` to `end`, both included. `invalid`: a day that does not exist was named."""

    start: date
    end: date
    granularity: str = "day"
    recurring_day: int | None = None
    invalid: bool = False


def _number(words: str) -> int | None:
    """1 to 99 in Arabic or Chinese digits."""
    if words.isdigit():
        return int(words)
    if "十" in words:
        tens, _, ones = words.partition("十")
        high = _DIGIT.get(tens, 1) if tens else 1
        return high * 10 + (_DIGIT.get(ones, 0) if ones else 0)
    value = 0
    for char in words:
        if char not in _DIGIT:
            return None
        value = value * 10 + _DIGIT[char]
    return value


def _month(year: int, month: int) -> DateRange:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return DateRange(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), "month")


def _day(year: int, month: int, day: int, today: date) -> DateRange:
    try:
        found = date(year, month, day)
    except ValueError:
        return DateRange(today, today, "day", invalid=True)
    return DateRange(found, found)


def _named_year(month: int, day: int, today: date, prefer: Prefer) -> int:
    """The year meant by a month without one: the latest past one for queries, the next one for orders."""
    if prefer == "past":
        return today.year if (month, day) <= (today.month, today.day) else today.year - 1
    return today.year if (month, day) >= (today.month, today.day) else today.year + 1


_N = r"([0-9]{1,2}|[一二三四五六七八九十两]{1,3})"
_Rule = tuple[re.Pattern[str], Callable[[re.Match[str], date, Prefer], DateRange | None]]


def _relative_day(offset: int) -> Callable[[re.Match[str], date, Prefer], DateRange]:
    def rule(_m: re.Match[str], today: date, _p: Prefer) -> DateRange:
        day = today + timedelta(days=offset)
        return DateRange(day, day)

    return rule


def _relative_month(offset: int) -> Callable[[re.Match[str], date, Prefer], DateRange]:
    return lambda _m, today, _p: _month(today.year, today.month + offset)


def _relative_year(offset: int) -> Callable[[re.Match[str], date, Prefer], DateRange]:
    return lambda _m, today, _p: DateRange(
        date(today.year + offset, 1, 1), date(today.year + offset, 12, 31), "year"
    )


def _week(match: re.Match[str], today: date, _prefer: Prefer) -> DateRange:
    offset = {"上": -1, "上上": -2, "这": 0, "本": 0, "下": 1}[match[1]]
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=offset)
    if match[2] == "末":
        return DateRange(monday + timedelta(days=5), monday + timedelta(days=6), "range")
    if match[2]:
        day = monday + timedelta(days=_DIGIT[match[2]] - 1)
        return DateRange(day, day)
    return DateRange(monday, monday + timedelta(days=6), "week")


def _recent(match: re.Match[str], today: date, _prefer: Prefer) -> DateRange | None:
    count = {"半": 0}.get(match[1], _number(match[1])) if match[1] else 1
    if count is None:
        return None
    unit = match[2]
    days = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "年": 365}[unit]
    span = days // 2 if match[1] == "半" else days * count
    return DateRange(today - timedelta(days=max(span - 1, 0)), today, "range")


def _ago(match: re.Match[str], today: date, _prefer: Prefer) -> DateRange | None:
    count = _number(match[1])
    if count is None:
        return None
    day = today - timedelta(days=count * {"天": 1, "周": 7, "月": 30}[match[2]])
    return DateRange(day, day)


def _full(match: re.Match[str], today: date, _prefer: Prefer) -> DateRange:
    return _day(int(match[1]), int(match[2]), int(match[3]), today)


def _year_month(match: re.Match[str], today: date, _prefer: Prefer) -> DateRange | None:
    month = _number(match[2])
    if month is None or not 1 <= month <= 12:
        return None
    years = {"去年": today.year - 1, "今年": today.year, "前年": today.year - 2}
    year = years.get(match[1]) or int(match[1].rstrip("年"))
    return _month(year, month)


def _month_day(match: re.Match[str], today: date, prefer: Prefer) -> DateRange | None:
    month, day = _number(match[1]), _number(match[2])
    if month is None or day is None:
        return None
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return DateRange(today, today, invalid=True)
    return _day(_named_year(month, day, today, prefer), month, day, today)


def _bare_month(match: re.Match[str], today: date, prefer: Prefer) -> DateRange | None:
    month = _number(match[1])
    if month is None or not 1 <= month <= 12:
        return None
    return _month(_named_year(month, 1, today, prefer), month)


def _month_span(match: re.Match[str], today: date, prefer: Prefer) -> DateRange | None:
    first, last = _number(match[1]), _number(match[2])
    if first is None or last is None or not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    end = _month(_named_year(last, 1, today, prefer), last)
    return DateRange(_month(end.start.year - (first > last), first).start, end.end, "range")


def _quarter(match: re.Match[str], today: date, _prefer: Prefer) -> DateRange:
    quarter = _number(match[1]) or 1
    year = today.year if (quarter - 1) * 3 + 1 <= today.month else today.year - 1
    return DateRange(date(year, quarter * 3 - 2, 1), _month(year, quarter * 3).end, "quarter")


def _half(match: re.Match[str], today: date, _prefer: Prefer) -> DateRange:
    if match[1] == "上":
        return DateRange(date(today.year, 1, 1), date(today.year, 6, 30), "range")
    year = today.year if today.month > 6 else today.year - 1
    return DateRange(date(year, 7, 1), date(year, 12, 31), "range")


def _holiday(month: int, first: int, last: int) -> Callable[[re.Match[str], date, Prefer], DateRange]:
    def rule(_m: re.Match[str], today: date, prefer: Prefer) -> DateRange:
        year = _named_year(month, first, today, prefer)
        return DateRange(date(year, month, first), date(year, month, last), "range")

    return rule


_SPRING = {2023: (1, 21), 2024: (2, 10), 2025: (1, 28), 2026: (2, 15), 2027: (2, 5)}


def _spring(_match: re.Match[str], today: date, prefer: Prefer) -> DateRange | None:
    years = [y for y, (m, d) in _SPRING.items() if (date(y, m, d) <= today) == (prefer == "past")]
    if not years:
        return None
    year = max(years) if prefer == "past" else min(years)
    start = date(year, *_SPRING[year])
    return DateRange(start, start + timedelta(days=7), "range")


_RULES: tuple[_Rule, ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?", _full),
        (rf"(20\d\d年|去年|今年|前年){_N}月份?(?![0-9一二三四五六七八九十])", _year_month),
        (rf"{_N}月{_N}[日号]", _month_day),
        (rf"{_N}月份?[到至]{_N}月份?", _month_span),
        (r"大前天", _relative_day(-3)),
        (r"前天", _relative_day(-2)),
        (r"昨[天日晚]", _relative_day(-1)),
        (r"今[天日早晚]", _relative_day(0)),
        (r"明[天日早]", _relative_day(1)),
        (r"后天", _relative_day(2)),
        (r"(上上|上|这|本|下)个?(?:周|星期|礼拜)([一二三四五六日天末]?)", _week),
        (r"上上个?月", _relative_month(-2)),
        (r"上个?月", _relative_month(-1)),
        (r"[这本当]个?月", _relative_month(0)),
        (r"下个?月", _relative_month(1)),
        (r"前年", _relative_year(-2)),
        (r"去年", _relative_year(-1)),
        (r"[今本]年", _relative_year(0)),
        (
            r"(?:最近|近|过去|这)(?:的)?(半|[0-9]{1,3}|[一二三四五六七八九十两]{1,3})?个?(天|日|周|星期|礼拜|月|年)(?![0-9])",
            _recent,
        ),
        (rf"{_N}个?(天|周|月)(?:以)?前", _ago),
        (r"第?([一二三四1-4])季度", _quarter),
        (r"([上下])半年", _half),
        (r"国庆(?:节|期间|假期|长假)?", _holiday(10, 1, 7)),
        (r"五一(?:节|期间|假期)?|劳动节", _holiday(5, 1, 5)),
        (r"元旦(?:节|期间)?", _holiday(1, 1, 3)),
        (r"双十一|双11", _holiday(11, 11, 11)),
        (r"春节(?:期间|假期)?|过年(?:期间)?", _spring),
        (rf"{_N}月份?(?![0-9一二三四五六七八九十个])", _bare_month),
    )
)
_JOINED = re.compile(r"\s*(?:到|至|~|－|-|—)\s*")


def read_dates(text: str, today: date, *, prefer: Prefer = "past") -> list[Reading[DateRange]]:
    """Every date or range, in order, without overlaps; two joined by 到 become one range."""
    found: list[Reading[DateRange]] = []
    for pattern, rule in _RULES:
        for match in pattern.finditer(text):
            if any(match.start() < r.end and r.start < match.end() for r in found):
                continue
            value = rule(match, today, prefer)
            if value is not None:
                found.append(Reading(value, match.start(), match.end(), match[0]))
    found.sort(key=lambda reading: reading.start)
    return _join(text, found)


def _join(text: str, found: list[Reading[DateRange]]) -> list[Reading[DateRange]]:
    joined: list[Reading[DateRange]] = []
    for reading in found:
        before = joined[-1] if joined else None
        if (
            before
            and _JOINED.fullmatch(text[before.end : reading.start])
            and before.value.start <= reading.value.end
        ):
            invalid = before.value.invalid or reading.value.invalid
            value = DateRange(before.value.start, reading.value.end, "range", invalid=invalid)
            joined[-1] = Reading(value, before.start, reading.end, text[before.start : reading.end])
        else:
            joined.append(reading)
    return joined
