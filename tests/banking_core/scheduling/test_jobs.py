"""Timetables give the same slots in every process and for every way of asking."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.scheduling.jobs import Trigger, daily, every, monthly, slots_between

START = datetime(2026, 1, 1, tzinfo=UTC)
TRIGGERS = [every(10), every(3600), daily(time(0, 20)), monthly(1, time(2, 0))]
moments = st.integers(0, 90 * 24 * 3600).map(lambda seconds: START + timedelta(seconds=seconds))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(trigger=st.sampled_from(TRIGGERS[1:]), cuts=st.lists(moments, min_size=3, max_size=3).map(sorted))
def test_downtime_changes_nothing_about_the_slots(trigger: Trigger, cuts: list[datetime]) -> None:
    first, middle, last = cuts
    parts = [*slots_between(trigger, first, middle), *slots_between(trigger, middle, last)]
    assert parts == list(slots_between(trigger, first, last))
    assert all(first < slot <= last for slot in parts)


@pytest.mark.parametrize(
    ("trigger", "span", "expected"),
    [
        (every(10), timedelta(seconds=20), ["01-01 00:00:10", "01-01 00:00:20"]),
        (daily(time(0, 20)), timedelta(days=2), ["01-01 16:20:00", "01-02 16:20:00"]),
        (monthly(1, time(2, 0)), timedelta(days=59), ["01-31 18:00:00", "02-28 18:00:00"]),
    ],
)
def test_times_of_day_are_the_banks(trigger: Trigger, span: timedelta, expected: list[str]) -> None:
    slots = slots_between(trigger, START, START + span)
    assert [f"{slot:%m-%d %H:%M:%S}" for slot in slots] == expected
