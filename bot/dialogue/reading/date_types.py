"""Days, months and what is built from them; shared by the date rules."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

Prefer = Literal["past", "future"]
Unit = Literal["day", "week", "month", "year"]

DIGITS: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
WEEKDAYS: Final = (
    {char: value for value, char in enumerate("一二三四五六日")}
    | {"天": 6}
    | {str(value + 1): value for value in range(7)}
)
LAST_DAY: Final = 31  # of a repeating month: its last day, whichever that is


@dataclass(frozen=True, slots=True)
class Repeat:
    """每月15号 is ("month", 15), 每月底 ("month", LAST_DAY), 每周一 ("week", 0), 每天 ("day", 0).

    A yearly day is ("year", 100 * month + day).
    """

    unit: Unit
    on: int


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from `start` to `end`, both included.

    `granularity` is day, week, month, quarter, year, range, or about for words that name no exact days (前几天).
    `invalid`: a day that does not exist was named; then the days mean nothing. `repeat`: the days come again, and
    `start` is the first one from today on.
    """

    start: date
    end: date
    granularity: str = "day"
    repeat: Repeat | None = None
    invalid: bool = False


def number(words: str) -> int | None:
    """1 to 999 in Arabic digits, 1 to 99 in Chinese ones (十五, 二十, 廿三, 零五); None for anything else."""
    if words.isascii():
        return int(words) if words.isdigit() and len(words) <= 3 else None
    words = words.replace("廿", "二十").replace("卅", "三十")
    if "十" in words:
        tens, _, ones = words.partition("十")
        if (tens and tens not in DIGITS) or (ones and ones not in DIGITS):
            return None
        return (DIGITS[tens] if tens else 1) * 10 + (DIGITS[ones] if ones else 0)
    value = 0
    for char in words:
        if char not in DIGITS:
            return None
        value = value * 10 + DIGITS[char]
    return value


def single(day: date) -> DateRange:
    """One day."""
    return DateRange(day, day)


def days(start: date, end: date, granularity: str = "range") -> DateRange:
    """From `start` to `end`; not valid the other way round."""
    return DateRange(start, end, granularity, invalid=end < start)


def invalid(today: date) -> DateRange:
    """A day that does not exist was named."""
    return DateRange(today, today, invalid=True)


def month_length(year: int, month: int) -> int:
    """28 to 31."""
    return calendar.monthrange(year, month)[1]


def month_of(year: int, month: int) -> DateRange:
    """A whole month; months below 1 and above 12 run over into other years."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return DateRange(date(year, month, 1), date(year, month, month_length(year, month)), "month")


def year_of(year: int) -> DateRange:
    """A whole year."""
    return DateRange(date(year, 1, 1), date(year, 12, 31), "year")


def day_of(year: int, month: int, day: int, today: date) -> DateRange:
    """That day, or invalid."""
    try:
        return single(date(year, month, day))
    except ValueError:
        return invalid(today)


def shifted(day: date, months: int) -> date:
    """The same day some months away; the last of the month where there is none (31 January + 1 is 28 February)."""
    month = month_of(day.year, day.month + months)
    return month.start.replace(day=min(day.day, month.end.day))


def week_of(day: date, weeks: int = 0) -> DateRange:
    """Monday to Sunday of the week that holds `day`, or some weeks away."""
    monday = day - timedelta(days=day.weekday()) + timedelta(weeks=weeks)
    return DateRange(monday, monday + timedelta(days=6), "week")


def year_meant(month: int, day: int, today: date, prefer: Prefer) -> int:
    """The year of a day named without one: the last time it was, or the next time it will be."""
    if prefer == "past":
        return today.year if (month, day) <= (today.month, today.day) else today.year - 1
    return today.year if (month, day) >= (today.month, today.day) else today.year + 1


def part_of_month(month: DateRange, part: str, prefer: Prefer) -> DateRange:
    """月初, 月中, 月底, 上旬 ... To look back a third of the month; to act in time the first, middle or last day."""
    start, end = month.start, month.end
    if part in ("初", "上旬", "第一天"):
        first = single(start)
        return (
            first
            if part == "第一天" or (part == "初" and prefer == "future")
            else days(start, start.replace(day=10))
        )
    if part in ("中", "中旬"):
        if part == "中" and prefer == "future":
            return single(start.replace(day=15))
        return days(start.replace(day=11), start.replace(day=20))
    if part == "上半月":
        return days(start, start.replace(day=15))
    if part == "下半月":
        return days(start.replace(day=16), end)
    last_only = part == "最后一天" or (part in ("底", "末") and prefer == "future")
    return single(end) if last_only else days(start.replace(day=21), end)
