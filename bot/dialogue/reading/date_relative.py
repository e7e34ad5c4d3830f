"""Dates counted from today: 大前天, 昨晚, 上周三, 下下周一, 三天前, 10天后, 最近三个月, 这两天, 每月15号."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from bot.dialogue.reading.date_rules import Match, Rule, rule
from bot.dialogue.reading.date_types import (
    LAST_DAY,
    WEEKDAYS,
    DateRange,
    Prefer,
    Repeat,
    days,
    invalid,
    month_length,
    month_of,
    number,
    shifted,
    single,
    week_of,
    year_of,
)

_N: Final = r"(?:[0-9]{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九两])"
_COUNT: Final = rf"(?P<n>半|几|两三|三两|三四|三五|四五|{_N})"
_UNIT: Final = r"(?P<u>天|日|周|星期|礼拜|月|季度|年)"
_DAYS: Final = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2, "大后": 3}
_TIME: Final = r"(?:早上|上午|中午|下午|傍晚|晚上|夜里|凌晨|半夜|早|晚)?"
_COUNT_BEGINS: Final = rf"(?<![第0-9.零一二三四五六七八九十百千万每])(?!{_N}月)"  # 3月以前 is before March
_FEW: Final = {"天": 7, "日": 7, "周": 4, "星期": 4, "礼拜": 4, "月": 3, "季度": 2, "年": 3}
_PAIRS: Final = {"两三": (2, 3), "三两": (2, 3), "三四": (3, 4), "三五": (3, 5), "四五": (4, 5)}
_DAYS_OF: Final = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7}
_MONTHS_OF: Final = {"月": 1, "季度": 3, "年": 12}
_NOT_COUNTED: Final = r"(?!共|直|笔|次|下|些|定|样|起|百|千|万|块|元|个(?!人)|点|[0-9零一二三四五六七八九十])"
_WEEKDAY: Final = rf"(?:[日天末]|[一二三四五六1-7]{_NOT_COUNTED})"


def _bounds(said: str, unit: str) -> tuple[int, int, bool] | None:
    """How many of the unit: the least, the most, and whether it is only about that many."""
    if said in _PAIRS:
        return (*_PAIRS[said], True)
    if said == "几":
        return _FEW[unit], _FEW[unit], True
    count = number(said)
    return None if count is None else (count, count, False)


def _moved(today: date, count: int, unit: str, half: bool = False) -> date:
    """`today` moved by `count` units; half a unit is 15 days of a month and 6 months of a year."""
    sign = 1 if count >= 0 else -1
    if unit in _DAYS_OF:
        return today + timedelta(days=count * _DAYS_OF[unit])
    if half:
        return today + timedelta(days=15 * sign) if unit == "月" else shifted(today, 6 * sign)
    return shifted(today, count * _MONTHS_OF[unit])


def _since(today: date, said: str, unit: str) -> DateRange | None:
    """The last so many units, today included."""
    if said == "半":
        if unit not in ("月", "年"):
            return None
        return days(_moved(today, -1, unit, half=True) + timedelta(days=1), today)
    bounds = _bounds(said, unit)
    if bounds is None or not bounds[1]:
        return None
    start = _moved(today, -bounds[1], unit) + timedelta(days=1)
    return days(start, today, "about" if bounds[2] else "range")


def _coming(today: date, said: str, unit: str) -> DateRange | None:
    """The next so many units, today included."""
    bounds = (1, 1, False) if said == "半" else _bounds(said, unit)
    if bounds is None or not bounds[1]:
        return None
    end = _moved(today, bounds[1], unit, half=said == "半") - timedelta(days=1)
    return days(today, max(end, today), "about" if bounds[2] else "range")


def _recent(match: Match, today: date, _prefer: Prefer) -> DateRange | None:
    return _since(today, match.group("n") or "一", match.group("u"))


def _these(match: Match, today: date, prefer: Prefer) -> DateRange | None:
    """这两天, 这几天: back or ahead, as the use wants."""
    return (_since if prefer == "past" else _coming)(today, match.group("n"), match.group("u"))


def _ahead(match: Match, today: date, _prefer: Prefer) -> DateRange | None:
    return _coming(today, match.group("n") or "一", match.group("u"))


def _before_today(match: Match, today: date, _prefer: Prefer) -> DateRange | None:
    """前两天, 前几天: without today; 前两个月 are the two whole months before this one."""
    said, unit = match.group("n"), match.group("u")
    bounds = _bounds(said, unit)
    if said == "半" or bounds is None or not bounds[1]:
        return None
    granularity = "about" if bounds[2] else "range"
    if unit == "月":
        return days(
            month_of(today.year, today.month - bounds[1]).start,
            today.replace(day=1) - timedelta(days=1),
            granularity,
        )
    if unit == "年":
        return days(date(today.year - bounds[1], 1, 1), date(today.year - 1, 12, 31), granularity)
    return days(_moved(today, -bounds[1], unit), today - timedelta(days=1), granularity)


def _ago(match: Match, today: date, _prefer: Prefer) -> DateRange | None:
    """三天前 is a day, 三个月前 a month and 两年前 a year: nobody means the very day."""
    said, unit = match.group("n"), match.group("u")
    if said == "半":
        day = _moved(today, -1, unit, half=True) if unit in ("月", "年") else None
        return None if day is None else single(day) if unit == "月" else month_of(day.year, day.month)
    bounds = _bounds(said, unit)
    if bounds is None or not bounds[1]:
        return None
    first, last = _moved(today, -bounds[1], unit), _moved(today, -bounds[0], unit)
    if bounds[2]:
        return days(first, today - timedelta(days=1) if said == "几" else last, "about")
    if unit in ("月", "季度"):
        return month_of(first.year, first.month)
    return year_of(first.year) if unit == "年" else single(first)


def _later(match: Match, today: date, _prefer: Prefer) -> DateRange | None:
    said, unit = match.group("n"), match.group("u")
    if said == "半":
        return single(_moved(today, 1, unit, half=True)) if unit in ("月", "年") else None
    bounds = _bounds(said, unit)
    if bounds is None or not bounds[1]:
        return None
    first, last = _moved(today, bounds[0], unit), _moved(today, bounds[1], unit)
    if said == "几":
        return days(today + timedelta(days=1), last, "about")
    return days(first, last, "about" if bounds[2] else "day")


def _within(match: Match, today: date, prefer: Prefer) -> DateRange | None:
    return _these(match, today, prefer)


def _day(match: Match, today: date, _prefer: Prefer) -> DateRange:
    return single(today + timedelta(days=_DAYS[match[1]]))


def _two_days(match: Match, today: date, _prefer: Prefer) -> DateRange:
    """明后天, 今明两天, 昨前天."""
    first, last = sorted(_DAYS[char] for char in match[1])
    return days(today + timedelta(days=first), today + timedelta(days=last))


def _in_week(monday: date, said: str | None) -> DateRange:
    if not said:
        return week_of(monday)
    if said == "末":
        return days(monday + timedelta(days=5), monday + timedelta(days=6))
    return single(monday + timedelta(days=WEEKDAYS[said]))


def _week(match: Match, today: date, _prefer: Prefer) -> DateRange:
    said = match.group("w")
    weeks = -len(said) if said[0] == "上" else len(said) if said[0] == "下" else 0
    return _in_week(week_of(today, weeks).start, match.group("day"))


def _weekday(match: Match, today: date, prefer: Prefer) -> DateRange:
    """周三: the last one or the next one, today included."""
    this = _in_week(week_of(today).start, match.group("day"))
    if prefer == "past" and this.start > today:
        return _in_week(week_of(today, -1).start, match.group("day"))
    if prefer == "future" and this.end < today:
        return _in_week(week_of(today, 1).start, match.group("day"))
    return this


def _monthly(match: Match, today: date, _prefer: Prefer) -> DateRange:
    if match.group("d") is None:
        on = 1 if match.group("part") in ("初", "第一天") else LAST_DAY
    else:
        on = number(match.group("d")) or 0
    if not 1 <= on <= LAST_DAY:
        return invalid(today)
    month = month_of(today.year, today.month)
    if min(on, month.end.day) < today.day:
        month = month_of(today.year, today.month + 1)
    day = month.start.replace(day=min(on, month_length(month.start.year, month.start.month)))
    return DateRange(day, day, repeat=Repeat("month", on))


def _weekly(match: Match, today: date, _prefer: Prefer) -> DateRange:
    on = WEEKDAYS[match.group("day")]
    day = today + timedelta(days=(on - today.weekday()) % 7)
    return DateRange(day, day, repeat=Repeat("week", on))


def _daily(_match: Match, today: date, _prefer: Prefer) -> DateRange:
    return DateRange(today, today, repeat=Repeat("day", 0))


def _yearly(match: Match, today: date, _prefer: Prefer) -> DateRange:
    month, on = number(match.group("m")) or 0, number(match.group("d")) or 0
    try:
        day = date(today.year, month, on)
        day = day if day >= today else date(today.year + 1, month, on)
    except ValueError:
        return invalid(today)
    return DateRange(day, day, repeat=Repeat("year", 100 * month + on))


RULES: Final[tuple[Rule, ...]] = (
    rule(r"(今明|明后|昨前|前昨|昨今)(?:两?天|日)", _two_days),
    rule(rf"(大前|前|昨|今|明|大后|后)(?:天{_TIME}|日(?![期元])|晚上?|夜|早上?|儿个?{_TIME})", _day),
    rule(rf"(?P<w>上{{1,3}}|下{{1,3}}|这|本)(?:一)?个?(?:周|星期|礼拜)的?(?P<day>{_WEEKDAY})?(?:{_TIME})", _week),
    rule(rf"(?<![上下这本每个一二两三四五六七八九十0-9])(?:周|星期|礼拜)(?P<day>{_WEEKDAY}){_TIME}", _weekday, loose=True, weekday=True),
    rule(rf"(?:最近|近|过去|之前)的?这?(?:{_COUNT})?个?{_UNIT}(?:以?来|之?内|里)?(?![0-9])", _recent),
    rule(rf"(?:这){_COUNT}个?{_UNIT}(?:以?来|之?内|里)?", _these),
    rule(rf"(?:未来|接下来|今后|往后|以后)的?{_COUNT}个?{_UNIT}(?:之?内|里)?", _ahead),
    rule(rf"(?<![以之0-9])(?:前){_COUNT}个?{_UNIT}", _before_today),
    rule(rf"{_COUNT_BEGINS}{_COUNT}个?{_UNIT}(?:以|之)?前", _ago),
    rule(rf"{_COUNT_BEGINS}(?:再?过)?{_COUNT}个?{_UNIT}(?:以|之)?后", _later),
    rule(rf"{_COUNT_BEGINS}{_COUNT}个?{_UNIT}(?:(?:以|之)?内|以?来)", _within),
    rule(rf"{_COUNT_BEGINS}{_COUNT}个?{_UNIT}(?=的?(?:流水|明细|账单|记录|交易记录|消费|支出|收入|开销))", _recent),
    rule(rf"每个?月的?(?:(?P<d>{_N})(?:[号日]|(?![0-9块元万千百个次笔])(?=$|[，。自定固给转]))|月?(?P<part>底|末|初|第一天|最后一天))", _monthly),
    rule(rf"每个?(?:周|星期|礼拜)(?P<day>[日天]|[一二三四五六1-7]{_NOT_COUNTED})", _weekly),
    rule(r"每(?:天|日)|天天", _daily),
    rule(rf"每年的?(?P<m>{_N})月(?P<d>{_N})[号日]", _yearly),
)  # fmt: skip
