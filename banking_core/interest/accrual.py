"""The arithmetic of interest, exact: whole fen and a remainder in units that every day count divides.

A day earns `yuan * 100 * rate / day_count` fen. With the rate in millionths and the day counts 360 and 365, a fen
has 10^6 * lcm(360, 365) units and every day earns a whole number of them, so nothing is ever rounded away.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import date, timedelta

_DAYS = 26_280  # lcm(360, 365)
UNITS_PER_FEN = 1_000_000 * _DAYS
ONE_DAY = timedelta(days=1)


def earning_yuan(balance_fen: int, whole_yuan: int) -> int:
    """The part of a closing balance that earns interest, in yuan; what is overdrawn earns nothing."""
    yuan = max(0, balance_fen) // 100
    return yuan - yuan % whole_yuan


def accrue(yuan: int, rate_ppm: int, day_count: int, remainder: int) -> tuple[int, int]:
    """Whole fen earned in a day and the remainder in units, given the remainder of the day before."""
    assert yuan >= 0 and rate_ppm >= 0 and 0 <= remainder < UNITS_PER_FEN and _DAYS % day_count == 0
    return divmod(remainder + yuan * 100 * rate_ppm * (_DAYS // day_count), UNITS_PER_FEN)


def period_of(day: date, settle_day: int, months: Collection[int]) -> tuple[date, date]:
    """First and last day of the period that holds `day`; it ends on `settle_day` of one of `months`."""
    end = _end_in(day.year, day.month, settle_day)
    while end < day or end.month not in months:
        end = _end_in(end.year, end.month + 1, settle_day)
    start = _end_in(end.year, end.month - 1, settle_day)
    while start.month not in months:
        start = _end_in(start.year, start.month - 1, settle_day)
    return start + ONE_DAY, end


def _end_in(year: int, month: int, day: int) -> date:
    """Day of a month, at most its last; month 0 is last December, 13 next January."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))
