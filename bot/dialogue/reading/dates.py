"""Dates and ranges in Chinese customer text: 上个月, 国庆期间, 3月5号, 最近三个月, 从1号到5号, 每月15号.

The rules stand in `date_rules` (calendar) and `date_relative` (counted from today). Here their findings are
chosen among, the longest at a place wins, and joined: A到B, A以来, A之前.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.dialogue.reading import date_relative, date_rules
from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.date_rules import Rule
from bot.dialogue.reading.date_types import DateRange, Prefer, Repeat, days, invalid, month_of, number
from bot.dialogue.reading.types import Reading, is_filler

__all__ = ["DateRange", "Prefer", "Repeat", "read_dates"]

_RULES: Final = (*date_rules.RULES, *date_relative.RULES)
_JOINT: Final = re.compile(r"(?:这天|那天|开始|起)?(?:一直)?(?:到|至|~|-{1,2})")
_NOW: Final = re.compile(r"(?:起|开始|一直)*(?:到|至)?(?:现在|目前|如今|今天为止|今)(?:为止)?|以来")
_SINCE: Final = re.compile(r"(?:之后|以后|往后|过后|起|开始)(?![0-9一二两三四五六七八九十几])")
_UNTIL: Final = re.compile(r"(?:之前|以前|前)(?![天日年晚夜半几两三0-9后])")
_LOOK_BACK_YEARS: Final = 1  # how far A之前 reaches when looking back
_MOON_FESTIVALS: Final = {"八月十五": "中秋当天", "七月七": "七夕"}  # or a day of the sun's month
_WEEK_DAYS: Final = 7
_MONTH_DAYS_MAX: Final = 31


@dataclass(frozen=True, slots=True)
class _Found:
    """A date with its span in canonical text; `rule` and `match` read it again from another day."""

    start: int
    end: int
    value: DateRange
    rule: Rule
    match: re.Match[str]

    @property
    def loose(self) -> bool:
        return self.rule.loose(self.match)

    def again(self, anchor: date, prefer: Prefer) -> DateRange:
        """The same words, seen from another day."""
        return self.rule.read(self.match, anchor, prefer) or self.value


def _scan(text: str, today: date, prefer: Prefer, asked: bool) -> list[_Found]:
    """From left to right the longest date at each place."""
    every: list[_Found] = []
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            if rule.only_asked and not (asked and _nothing_else(text, *match.span())):
                continue
            value = rule.read(match, today, prefer)
            if value is not None:
                every.append(_Found(*match.span(), value, rule, match))
    every.sort(key=lambda found: (found.start, -found.end))
    kept: list[_Found] = []
    for found in every:
        if not kept or found.start >= kept[-1].end:
            kept.append(found)
    return kept


def _nothing_else(text: str, start: int, end: int) -> bool:
    return is_filler(text[:start]) and is_filler(text[end:])


def _between(first: _Found, last: _Found, today: date, prefer: Prefer) -> DateRange:
    """A到B; what B leaves open (5号) is the first after A, what A leaves open the last before B."""
    start, end = first.value, last.value
    if start.invalid or end.invalid:
        return invalid(today)
    if last.loose:
        end = last.again(start.start, "future")
        month_end = month_of(today.year, today.month).end
        if prefer == "past" and first.loose and end.start > month_end:
            start = first.again(start.start - timedelta(days=1), "past")
            end = last.again(start.start, "future")
    elif first.loose:
        start = first.again(end.end, "past")
    return days(start.start, end.end)


def _opened(text: str, found: _Found, today: date, prefer: Prefer, limit: int) -> tuple[DateRange, int]:
    """A以来, A之后, A之前: the range and where it ends in the text."""
    value = found.value
    if value.invalid or value.repeat:
        return value, found.end
    if (match := _NOW.match(text, found.end)) and match.end() <= limit and value.start <= today:
        return days(value.start, today), match.end()
    if (match := _SINCE.match(text, found.end)) and match.end() <= limit:
        inclusive = match.group() in ("起", "开始")
        start = value.start if inclusive else value.end + timedelta(days=1)
        if prefer == "past" and start <= today:
            return days(start, today), match.end()
        return (value, match.end()) if inclusive and prefer == "future" else (value, found.end)
    if (match := _UNTIL.match(text, found.end)) and match.end() <= limit:
        if prefer == "future" and value.end >= today:
            return days(today, value.end), match.end()
        if prefer == "past":
            before = value.start - timedelta(days=1)
            return days(before.replace(year=before.year - _LOOK_BACK_YEARS, day=1), before), match.end()
    return value, found.end


def _alternatives(found: _Found, today: date, prefer: Prefer) -> tuple[DateRange, ...]:
    """周五 said on a Friday: to act today, or in a week? 5日前: five days ago, or before the 5th? 八月十五: by which calendar?"""
    said = found.match.groupdict()
    if found.match.group() in _MOON_FESTIVALS:
        festival = read_dates(_MOON_FESTIVALS[found.match.group()], today, prefer=prefer)
        return tuple(reading.value for reading in festival if reading.value != found.value)
    if said.get("u") == "日" and (day := number(said.get("n") or "")) and day <= _MONTH_DAYS_MAX:
        other = read_dates(f"{day}号", today, prefer=prefer)
        return tuple(reading.value for reading in other if reading.value != found.value)
    if prefer == "future" and found.rule.weekday and found.value.start == found.value.end == today:
        in_a_week = today + timedelta(days=_WEEK_DAYS)
        return (DateRange(in_a_week, in_a_week),)
    return ()


def read_dates(
    text: str, today: date, *, prefer: Prefer = "past", asked: bool = False
) -> list[Reading[DateRange]]:
    """Every date or range, in order, without overlaps.

    `prefer` settles what the words leave open: 5号 and 周三 are the last ones to look back at and the next ones to
    act on. With `asked` (the customer was just asked for a date) a bare 3.5 is one too.
    """
    copy = canon(text)
    found = _scan(copy.text, today, prefer, asked)
    readings: list[Reading[DateRange]] = []
    at = 0
    while at < len(found):
        first = found[at]
        follower = found[at + 1] if at + 1 < len(found) else None
        if follower is not None and _JOINT.fullmatch(copy.text[first.end : follower.start]):
            readings.append(copy.reading(_between(first, follower, today, prefer), first.start, follower.end))
            at += 2
            continue
        limit = follower.start if follower is not None else len(copy.text)
        value, end = _opened(copy.text, first, today, prefer, limit)
        others = _alternatives(first, today, prefer) if end == first.end else ()
        readings.append(copy.reading(value, first.start, end, others))
        at += 1
    return readings
