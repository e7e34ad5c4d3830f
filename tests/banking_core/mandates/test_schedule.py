"""Due days come once each, in order, on the day that was agreed or the last of a shorter month."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.mandates import Schedule

days = st.dates(date(2024, 1, 1), date(2032, 12, 31))


def first(schedule: Schedule, count: int) -> list[str]:
    return [day.isoformat() for day in islice(schedule.days(), count)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule("monthly", date(2027, 1, 15), 15), ["2027-01-15", "2027-02-15", "2027-03-15"]),
        (Schedule("monthly", date(2027, 1, 16), 15), ["2027-02-15", "2027-03-15", "2027-04-15"]),
        (Schedule("monthly", date(2027, 1, 31), 31), ["2027-01-31", "2027-02-28", "2027-03-31"]),
        (Schedule("monthly", date(2028, 2, 1), 30), ["2028-02-29", "2028-03-30", "2028-04-30"]),
        (Schedule("weekly", date(2026, 11, 3), 3), ["2026-11-04", "2026-11-11", "2026-11-18"]),
        (Schedule("once", date(2026, 12, 5)), ["2026-12-05"]),
        (Schedule("monthly", date(2026, 11, 1), 15, date(2026, 12, 15)), ["2026-11-15", "2026-12-15"]),
        (Schedule("monthly", date(2026, 11, 16), 15, date(2026, 12, 14)), []),
    ],
)
def test_due_days(schedule: Schedule, expected: list[str]) -> None:
    assert first(schedule, 3) == expected


@settings(derandomize=True, max_examples=200)
@given(start=days, day=st.integers(1, 31))
def test_every_month_has_one_due_day(start: date, day: int) -> None:
    found = list(islice(Schedule("monthly", start, day).days(), 30))
    months = [each.year * 12 + each.month for each in found]
    assert months == list(range(months[0], months[0] + 30))
    assert all(each.day == min(day, monthrange(each.year, each.month)[1]) for each in found)
    assert start <= found[0] <= start + timedelta(days=31)


@settings(derandomize=True, max_examples=200)
@given(start=days, day=st.integers(1, 7), asked=st.integers(0, 400))
def test_what_comes_after_a_day_does_not_depend_on_the_way_there(start: date, day: int, asked: int) -> None:
    schedule = Schedule("weekly", start, day)
    moment = start + timedelta(days=asked)
    assert schedule.after(moment) == next(each for each in schedule.days() if each > moment)


def test_in_words() -> None:
    assert Schedule("monthly", date(2026, 11, 3), 15).words == "每月15日"
    assert Schedule("monthly", date(2026, 11, 3), 31).words == "每月31日（没有这一天的月份为最后一天）"
    assert Schedule("weekly", date(2026, 11, 3), 7).words == "每周日"
    assert Schedule("once", date(2026, 12, 5)).words == "2026年12月5日"
