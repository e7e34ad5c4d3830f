"""Calendar dates: 2026年3月5号, 去年3月, 下月五号, 月底, 上半年, 本季度, 去年国庆, 3/5, 5号, 1到5号."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.dialogue.reading import holidays
from bot.dialogue.reading.date_types import (
    DIGITS,
    DateRange,
    Prefer,
    day_of,
    days,
    invalid,
    month_length,
    month_of,
    number,
    part_of_month,
    shifted,
    single,
    year_meant,
    year_of,
)

Match = re.Match[str]
Read = Callable[[Match, date, Prefer], DateRange | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """`loose` says that the match left a unit open (5号 of which month?), so that a range may settle it."""

    pattern: re.Pattern[str]
    read: Read
    loose: Callable[[Match], bool]
    only_asked: bool = False
    weekday: bool = False


def rule(
    pattern: str,
    read: Read,
    *,
    loose: Callable[[Match], bool] | bool = False,
    only_asked: bool = False,
    weekday: bool = False,
) -> Rule:
    """A rule from the text of its pattern."""
    decide = loose if callable(loose) else (lambda _match, fixed=loose: fixed)
    return Rule(re.compile(pattern), read, decide, only_asked, weekday)


_NOT_IN_NUMBER: Final = r"(?<![0-9.零一二三四五六七八九十百千万])"
_N: Final = r"(?:[0-9]{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|卅一?|零?[一二三四五六七八九两])"
_NO_MORE: Final = r"(?![0-9零一二三四五六七八九十])"
_UNIT_NEXT: Final = r"(?![0-9零一二三四五六七八九十百千万个块元月天年周点多几万%.:])"
_DAY_MARK: Final = r"[号日](?![线楼店机码院召常元])"
_YEARS: Final = {
    "大前年": -3,
    "前年": -2,
    "去年": -1,
    "上年": -1,
    "今年": 0,
    "本年": 0,
    "明年": 1,
    "来年": 1,
    "后年": 2,
}
_YEAR: Final = (
    r"(?P<y>(?<![0-9零一二三四五六七八九])(?:(?:19|20)[0-9]{2}|二零[零一二三四五六七八九]{2}|[0-9]{2}|[零一二三][零一二三四五六七八九])年"
    r"|大前年|前年|去年|上年|今年|本年|明年|来年|后年)(?:的|度)?"
)
_YEAR_ALONE: Final = r"(?P<y>(?<![0-9])(?:(?:19|20)[0-9]{2}|二零[零一二三四五六七八九]{2})年(?![前后])|大前年|(?<!大)前年|去年|今年|本年|明年|后年)"
_MONTHS: Final = {"上上": -2, "上": -1, "这": 0, "本": 0, "当": 0, "下": 1, "下下": 2}
_MONTH_RELATIVE: Final = r"(?P<rel>上上|上|这|本|当|下下|下)一?个?月(?:份)?(?:的)?"
_LUNAR_DAY: Final = r"[初廿][一二三四五六七八九十]"  # 九月初九 is a day of the moon, not September
_PART: Final = r"(?P<part>初(?![一二三四五六七八九十])|中旬|中(?!国|行|信|间|央)|上旬|下旬|底|末|上半月|下半月|最后一天|第一天)"
_TO: Final = r"(?:到|至|~|-)"


def _year(match: Match, today: date) -> int | None:
    """The year named, None when none is."""
    said = match.group("y")
    if said is None:
        return None
    if said in _YEARS:
        return today.year + _YEARS[said]
    digits = "".join(c if c.isascii() else str(DIGITS[c]) for c in said.rstrip("年"))
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _no_year(match: Match) -> bool:
    return match.group("y") is None


def _iso(match: Match, today: date, _prefer: Prefer) -> DateRange:
    return day_of(int(match[1]), int(match[2]), int(match[3]), today)


def _iso_month(match: Match, today: date, _prefer: Prefer) -> DateRange:
    return month_of(int(match[1]), int(match[2])) if 1 <= int(match[2]) <= 12 else invalid(today)


def _slashed(match: Match, today: date, prefer: Prefer) -> DateRange:
    month, day = int(match[1]), int(match[2])
    return day_of(year_meant(month, day, today, prefer), month, day, today)


def _month_day(match: Match, today: date, prefer: Prefer) -> DateRange:
    month, day = number(match.group("m")) or 0, number(match.group("d")) or 0
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return invalid(today)
    year = _year(match, today)
    return day_of(year_meant(month, day, today, prefer) if year is None else year, month, day, today)


def _month(match: Match, today: date, prefer: Prefer) -> DateRange | None:
    month = number(match.group("m")) or 0
    if not 1 <= month <= 12:
        return invalid(today)
    year = _year(match, today)
    found = month_of(year_meant(month, 1, today, prefer) if year is None else year, month)
    if year is None and prefer == "future" and month == today.month:
        found = month_of(today.year, month)
    return part_of_month(found, match.group("part"), prefer) if match.group("part") else found


def _relative_month(match: Match, today: date, prefer: Prefer) -> DateRange:
    month = month_of(today.year, today.month + _MONTHS[match.group("rel")])
    return part_of_month(month, match.group("part"), prefer) if match.group("part") else month


def _relative_month_day(match: Match, today: date, _prefer: Prefer) -> DateRange:
    month = month_of(today.year, today.month + _MONTHS[match.group("rel")]).start
    return day_of(month.year, month.month, number(match.group("d")) or 0, today)


def _this_part(match: Match, today: date, prefer: Prefer) -> DateRange:
    """月底, 月初: of this month, or of the one before or after when that has not come or is over."""
    found = part_of_month(month_of(today.year, today.month), match.group("part"), prefer)
    if prefer == "past" and found.start > today:
        return part_of_month(month_of(today.year, today.month - 1), match.group("part"), prefer)
    if prefer == "future" and found.end < today:
        return part_of_month(month_of(today.year, today.month + 1), match.group("part"), prefer)
    return found


def _day(match: Match, today: date, prefer: Prefer) -> DateRange:
    """5号: the last one or the next one; months too short for it are passed over."""
    day = number(match.group("d")) or 0
    if not 1 <= day <= 31:
        return invalid(today)
    step = -1 if prefer == "past" else 1
    reached = day <= today.day if prefer == "past" else day >= today.day
    month = month_of(today.year, today.month + (0 if reached else step)).start
    while day > month_length(month.year, month.month):
        month = shifted(month, step)
    return single(month.replace(day=day))


def _days_span(match: Match, today: date, prefer: Prefer) -> DateRange:
    """1到5号, 3月5到8号."""
    first, last = number(match.group("d")) or 0, number(match.group("last")) or 0
    if not (1 <= first <= 31 and 1 <= last <= 31):
        return invalid(today)
    if match.group("m"):
        month, year = number(match.group("m")) or 0, _year(match, today)
        if not 1 <= month <= 12:
            return invalid(today)
        start = day_of(year_meant(month, first, today, prefer) if year is None else year, month, first, today)
    else:
        start = _day(match, today, prefer)
    month_start = start.start.replace(day=1) if last >= first else shifted(start.start.replace(day=1), 1)
    end = day_of(month_start.year, month_start.month, last, today)
    return invalid(today) if start.invalid or end.invalid else days(start.start, end.end)


def _months_span(match: Match, today: date, prefer: Prefer) -> DateRange:
    """1到3月, 去年10月到12月; 11到2月 ends in the year after."""
    first, last = number(match.group("m")) or 0, number(match.group("last")) or 0
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return invalid(today)
    year = _year(match, today)
    if year is None and prefer == "past":
        year = year_meant(last, 1, today, prefer) - (first > last)
    elif year is None:
        year = year_meant(first, 28, today, prefer)
    end = month_of(year + (first > last), last)
    return days(month_of(year, first).start, end.end)


def _whole_year(match: Match, today: date, _prefer: Prefer) -> DateRange | None:
    year = _year(match, today)
    return None if year is None else year_of(year)


def _year_part(match: Match, today: date, prefer: Prefer) -> DateRange:
    """年初 is January, 年中 June, 年底 December."""
    month = {"初": 1, "中": 6, "底": 12, "末": 12, "终": 12, "尾": 12}[match.group("at")]
    year = _year(match, today)
    if year is None:
        year = year_meant(month, 1 if prefer == "past" else 31, today, prefer)
    found = month_of(year, month)
    return single(found.end) if prefer == "future" and month == 12 else found


def _half_year(match: Match, today: date, prefer: Prefer) -> DateRange:
    first = match.group("half") == "上"
    year = _year(match, today)
    if year is None:
        behind = prefer == "past" and not first and today.month <= 6
        ahead = prefer == "future" and first and today.month > 6
        year = today.year - behind + ahead
    return days(date(year, 1 if first else 7, 1), date(year, 6 if first else 12, 30 if first else 31))


def _quarter_of(year: int, quarter: int) -> DateRange:
    year, quarter = year + (quarter - 1) // 4, (quarter - 1) % 4 + 1
    return DateRange(date(year, quarter * 3 - 2, 1), month_of(year, quarter * 3).end, "quarter")


def _quarter(match: Match, today: date, prefer: Prefer) -> DateRange | None:
    quarter = number(match.group("q") or match.group("q2") or match.group("q3")) or 0
    if not 1 <= quarter <= 4:
        return None
    year = _year(match, today)
    now = (today.month + 2) // 3
    if year is None:
        year = today.year - (prefer == "past" and quarter > now) + (prefer == "future" and quarter < now)
    return _quarter_of(year, quarter)


def _relative_quarter(match: Match, today: date, _prefer: Prefer) -> DateRange:
    return _quarter_of(today.year, (today.month + 2) // 3 + _MONTHS[match.group("rel")])


def _first_quarters(match: Match, today: date, prefer: Prefer) -> DateRange:
    """前三季度: January to September of the year named, or of the one meant."""
    quarters = number(match.group("q")) or 1
    year = _year(match, today)
    if year is None:
        year = today.year - (prefer == "past" and quarters * 3 - 2 > today.month)
    return days(date(year, 1, 1), month_of(year, quarters * 3).end)


def _this_day(match: Match, today: date, _prefer: Prefer) -> DateRange:
    """去年今天, 上个月今天."""
    if match.group("y") is not None:
        return day_of(_year(match, today) or today.year, today.month, today.day, today)
    month = month_of(today.year, today.month + _MONTHS[match.group("rel")]).start
    return day_of(month.year, month.month, today.day, today)


def _holiday(match: Match, today: date, prefer: Prefer) -> DateRange | None:
    name = match.group("name")
    off, day_only = match.group("off") is not None, match.group("only") is not None
    year = _year(match, today)
    if year is None:
        return holidays.holiday_near(name, today, prefer, off=off, day_only=day_only)
    return holidays.holiday_in(name, year, off=off, day_only=day_only)


def _national_day(match: Match, today: date, prefer: Prefer) -> DateRange | None:
    year = _year(match, today)
    if year is None:
        return holidays.holiday_near("国庆", today, prefer, off=True, day_only=False)
    return holidays.holiday_in("国庆", year, off=True, day_only=False)


_HOLIDAY_NAMES: Final = "|".join(sorted(holidays.NAMES, key=len, reverse=True))
RULES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![0-9])((?:19|20)[0-9]{2})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])[日号]?",
         lambda m, t, _p: day_of(int(m[1]), int(m[3]), int(m[4]), t)),
    rule(r"(?<![0-9])(20[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])(?![0-9块元])[日号]?", _iso),
    rule(r"(?<![0-9])(20[0-9]{2})[-/]([0-9]{1,2})(?![0-9/.-])", _iso_month),
    rule(r"(?<![0-9./])(1[0-2]|0?[1-9])/(3[01]|[12][0-9]|0?[1-9])(?![0-9./])[日号]?", _slashed, loose=True),
    rule(rf"(?<![0-9.])(1[0-2]|0?[1-9])\.(3[01]|[12][0-9]|0?[1-9])(?:{_DAY_MARK}|(?=那天|当天))", _slashed, loose=True),
    rule(r"(?<![0-9.])(1[0-2]|0?[1-9])\.(3[01]|[12][0-9]|0?[1-9])(?![0-9.块元万千百%])", _slashed, loose=True, only_asked=True),
    rule(rf"(?:{_YEAR})?{_NOT_IN_NUMBER}(?P<m>{_N})月份?的?(?P<d>{_N}){_DAY_MARK}", _month_day, loose=_no_year),
    rule(rf"(?:{_YEAR})?{_NOT_IN_NUMBER}(?P<m>{_N})月(?P<d>{_N}){_UNIT_NEXT}", _month_day, loose=_no_year),
    rule(rf"(?:{_YEAR})?{_NOT_IN_NUMBER}(?P<m>{_N})月份?(?:的)?(?:{_PART})?(?![0-9一二三四五六七八九十个]|以?来|{_LUNAR_DAY})", _month, loose=_no_year),
    rule(rf"{_MONTH_RELATIVE}(?:{_PART})?", _relative_month),
    rule(rf"{_MONTH_RELATIVE}(?P<d>{_N}){_DAY_MARK}", _relative_month_day),
    rule(r"(?<![年个上下这本当每0-9零一二三四五六七八九十])月(?P<part>初|中旬|中(?!国|行|信|间|央)|底|末)", _this_part),
    rule(r"(?P<part>上半月|下半月|上旬|中旬|下旬)", _this_part),
    rule(rf"{_NOT_IN_NUMBER}(?P<d>{_N}){_DAY_MARK}", _day, loose=True),
    rule(rf"(?:(?:{_YEAR})?{_NOT_IN_NUMBER}(?P<m>{_N})月)(?P<d>{_N})[号日]?{_TO}(?P<last>{_N}){_DAY_MARK}", _days_span),
    rule(rf"{_NOT_IN_NUMBER}(?P<y>(?!))?(?P<m>(?!))?(?P<d>{_N})[号日]?{_TO}(?P<last>{_N}){_DAY_MARK}", _days_span),
    rule(rf"(?:{_YEAR})?{_NOT_IN_NUMBER}(?P<m>{_N})(?:月份?)?{_TO}(?P<last>{_N})月份?{_NO_MORE}(?!个)", _months_span),
    rule(rf"{_YEAR_ALONE}(?:全年|一年|一整年|整年)?", _whole_year),
    rule(rf"(?:(?:{_YEAR})年?|年)(?P<at>[初底末终尾])", _year_part),
    rule(r"(?P<y>去年|今年|明年|前年)?的?年(?P<at>中)", _year_part),
    rule(rf"(?:{_YEAR})?(?P<half>[上下])半年", _half_year),
    rule(rf"(?:{_YEAR})?(?:第(?P<q>[1-4一二三四])(?:个)?季度?|(?P<q2>[1-4一二三四])季度|q(?P<q3>[1-4]))(?![0-9])", _quarter),
    rule(rf"(?:{_YEAR})?前(?P<q>[二两三2-3])季度", _first_quarters),
    rule(rf"(?:{_YEAR}|{_MONTH_RELATIVE})的?(?:今天|今日|这一?天)", _this_day),
    rule(r"(?P<rel>上上|上|这|本|当|下下|下)一?个?季度?(?=$|[^节])", _relative_quarter),
    rule(rf"(?:{_YEAR})?(?P<name>{_HOLIDAY_NAMES})(?:(?P<only>当天|那天|当日|那日)|(?P<off>期间|假期|小长假|长假|黄金周|放假|前后|那几天))?",
         _holiday, loose=_no_year),
    rule(rf"(?:{_YEAR})?(?P<long>十一)(?P<off>期间|假期|小长假|长假|黄金周|放假|那几天)",
         _national_day, loose=_no_year),
)  # fmt: skip
