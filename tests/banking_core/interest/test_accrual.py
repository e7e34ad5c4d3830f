"""The arithmetic of interest loses nothing."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.interest.accrual import UNITS_PER_FEN, accrue, earning_yuan, period_of

QUARTERS = (3, 6, 9, 12)


@settings(derandomize=True, max_examples=200)
@given(
    days=st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 10**6)), max_size=100),
    day_count=st.sampled_from([360, 365]),
)
def test_fen_and_remainder_are_exactly_what_was_earned(days: list[tuple[int, int]], day_count: int) -> None:
    fen = remainder = 0
    for yuan, rate_ppm in days:
        earned, remainder = accrue(yuan, rate_ppm, day_count, remainder)
        fen += earned
    exact = sum(Fraction(yuan * 100 * ppm, 10**6 * day_count) for yuan, ppm in days)
    assert fen + Fraction(remainder, UNITS_PER_FEN) == exact
    assert 0 <= remainder < UNITS_PER_FEN


def test_interest_is_earned_by_whole_yuan_and_not_by_what_is_overdrawn() -> None:
    assert [earning_yuan(fen, 1) for fen in (99, 100, 199, 0, -500_00)] == [0, 1, 1, 0, 0]
    assert earning_yuan(1_234_56, 10) == 1_230


@pytest.mark.parametrize(
    ("day", "starts_on", "ends_on"),
    [
        (date(2026, 11, 2), date(2026, 9, 21), date(2026, 12, 20)),
        (date(2026, 12, 20), date(2026, 9, 21), date(2026, 12, 20)),
        (date(2026, 12, 21), date(2026, 12, 21), date(2027, 3, 20)),
        (date(2027, 1, 1), date(2026, 12, 21), date(2027, 3, 20)),
        (date(2028, 2, 29), date(2027, 12, 21), date(2028, 3, 20)),
    ],
)
def test_periods_end_on_the_20th_of_a_quarters_last_month(day: date, starts_on: date, ends_on: date) -> None:
    assert period_of(day, 20, QUARTERS) == (starts_on, ends_on)


def test_a_settle_day_beyond_the_month_is_its_last() -> None:
    assert period_of(date(2027, 2, 10), 31, range(1, 13)) == (date(2027, 2, 1), date(2027, 2, 28))
