"""Holidays customers speak of (国庆期间, 中秋, 双十一): fixed days, and lunar ones by table from 2018 to 2032.

The days off are set anew by the State Council every year; here they are the usual ones around the holiday.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from bot.dialogue.reading.date_types import DateRange, Prefer, days, single

FIRST_YEAR: Final = 2018
# Month and day of the lunar new year, of 端午 (5/5), 七夕 (7/7), 中秋 (8/15) and 重阳 (9/9), from FIRST_YEAR on.
_LUNAR: Final[dict[str, str]] = {
    "春节": "216 205 125 212 201 122 210 129 217 206 126 213 203 123 211",
    "端午": "618 607 625 614 603 622 610 531 619 609 528 616 605 624 612",
    "七夕": "817 807 825 814 804 822 810 829 819 808 826 816 805 824 812",
    "中秋": "924 913 1001 921 910 929 917 1006 925 915 1003 922 912 1001 919",
    "重阳": "1017 1007 1025 1014 1004 1023 1011 1029 1018 1008 1026 1016 1005 1024 1012",
}
LUNAR: Final = {
    name: [
        date(FIRST_YEAR + index, int(packed) // 100, int(packed) % 100)
        for index, packed in enumerate(row.split())
    ]
    for name, row in _LUNAR.items()
}
_FIXED: Final[dict[str, tuple[int, int]]] = {
    "元旦": (1, 1), "情人节": (2, 14), "妇女节": (3, 8), "五一": (5, 1), "儿童节": (6, 1), "618": (6, 18),
    "教师节": (9, 10), "国庆": (10, 1), "双11": (11, 11), "双12": (12, 12), "平安夜": (12, 24), "圣诞": (12, 25),
}  # fmt: skip
# Days off: first and last one, counted from the day itself.
_OFF: Final = {
    "元旦": (0, 2),
    "春节": (-1, 6),
    "清明": (-1, 1),
    "五一": (0, 4),
    "端午": (-1, 1),
    "中秋": (-1, 1),
    "国庆": (0, 6),
}
_MEANT_WHOLE: Final = frozenset({"春节", "五一", "国庆"})  # 国庆 alone means the days off, 中秋 alone the day
# What customers say for them; the part of the holiday that is meant counted from its day, None for all.
NAMES: Final[dict[str, tuple[str, int | None]]] = {
    "元旦节": ("元旦", None), "元旦": ("元旦", None), "春节": ("春节", None), "过年": ("春节", None), "新春": ("春节", None),
    "大年三十": ("春节", -1), "年三十": ("春节", -1), "除夕": ("春节", -1), "年夜": ("春节", -1), "大年初一": ("春节", 0),
    "大年初二": ("春节", 1), "大年初三": ("春节", 2), "正月初一": ("春节", 0), "正月十五": ("春节", 14), "元宵节": ("春节", 14),
    "元宵": ("春节", 14), "清明节": ("清明", None), "清明": ("清明", None), "五一劳动节": ("五一", None), "五一节": ("五一", None),
    "五一": ("五一", None), "劳动节": ("五一", None), "端午节": ("端午", None), "端午": ("端午", None), "中秋节": ("中秋", None),
    "中秋": ("中秋", None), "国庆节": ("国庆", None), "国庆": ("国庆", None), "十一黄金周": ("国庆", None),
    "双十一": ("双11", 0), "双11": ("双11", 0), "双十二": ("双12", 0), "双12": ("双12", 0), "六一八": ("618", 0),
    "情人节": ("情人节", 0), "妇女节": ("妇女节", 0), "三八节": ("妇女节", 0), "六一儿童节": ("儿童节", 0), "儿童节": ("儿童节", 0),
    "教师节": ("教师节", 0), "七夕节": ("七夕", 0), "七夕": ("七夕", 0), "重阳节": ("重阳", 0), "九月初九": ("重阳", 0), "五月初五": ("端午", 0), "七月初七": ("七夕", 0), "重阳": ("重阳", 0),
    "平安夜": ("平安夜", 0), "圣诞节": ("圣诞", 0), "圣诞": ("圣诞", 0),
}  # fmt: skip


def _clear_bright(year: int) -> date:
    """清明, a solar term: the usual century formula for 2000 to 2099."""
    of_century = year % 100
    return date(year, 4, int(of_century * 0.2422 + 4.81) - of_century // 4)


def day_in(holiday: str, year: int) -> date | None:
    """The day of the holiday in that year; None for a lunar one outside the table."""
    if holiday in _FIXED:
        return date(year, *_FIXED[holiday])
    if holiday == "清明":
        return _clear_bright(year) if 2000 <= year <= 2099 else None
    index = year - FIRST_YEAR
    return LUNAR[holiday][index] if 0 <= index < len(LUNAR[holiday]) else None


def holiday_in(name: str, year: int, *, off: bool, day_only: bool) -> DateRange | None:
    """What a name of NAMES means in that year: the days off, or the day alone."""
    holiday, offset = NAMES[name]
    day = day_in(holiday, year)
    if day is None:
        return None
    if offset is not None:
        return single(day + timedelta(days=offset))
    if day_only or not (off or holiday in _MEANT_WHOLE):
        return single(day)
    first, last = _OFF[holiday]
    return days(day + timedelta(days=first), day + timedelta(days=last))


def holiday_near(name: str, today: date, prefer: Prefer, *, off: bool, day_only: bool) -> DateRange | None:
    """The holiday under way, else the last or the next one."""
    order = (today.year, today.year - 1) if prefer == "past" else (today.year, today.year + 1)
    years = (*order, today.year + 1) if prefer == "past" else (today.year - 1, *order)
    found = [h for year in years if (h := holiday_in(name, year, off=off, day_only=day_only)) is not None]
    fits = [h for h in found if (h.start <= today if prefer == "past" else h.end >= today)]
    if not fits:
        return None
    return max(fits, key=lambda h: h.start) if prefer == "past" else min(fits, key=lambda h: h.start)
