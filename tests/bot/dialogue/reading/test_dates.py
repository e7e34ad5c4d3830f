"""Dates mean what customers mean by them; days that do not exist are refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.reading.dates import read_dates
from bot.dialogue.reading.holidays import FIRST_YEAR, LUNAR
from tests.bot.dialogue.reading.dates_shown import PREFER, read_as_shown
from tests.bot.dialogue.reading.tables import rows

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3.5", "2026-03-05"), ("3.5吧", "2026-03-05"), ("2.30", "invalid"), ("3.5块", "-"), ("转3.5元", "-")],
)
def test_a_bare_decimal_is_a_date_only_when_a_date_was_asked_for(text: str, expected: str) -> None:
    assert read_as_shown(text, "past", asked=True) == expected
    assert read_as_shown(text, "past") == "-"


@given(DAYS, st.sampled_from(["past", "future"]))
def test_a_day_written_out_is_that_day_whatever_today_is(day: date, prefer: str) -> None:
    for text in (
        f"{day.year}年{day.month}月{day.day}号",
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
    ):
        assert read_as_shown(text, prefer, date(2030, 2, 28)) == day.isoformat()


@given(DAYS, st.integers(1, 31))
def test_a_day_of_the_month_lies_on_the_side_that_is_preferred(today: date, day: int) -> None:
    past = read_dates(f"{day}号", today, prefer="past")[0].value.start
    future = read_dates(f"{day}号", today, prefer="future")[0].value.start
    assert past.day == future.day == day
    assert today - timedelta(days=62) < past <= today <= future < today + timedelta(days=62)


@given(DAYS, st.sampled_from([row[0] for row in rows("dates")]), st.sampled_from(["past", "future"]))
def test_no_sentence_of_the_table_fails_on_any_day_of_the_century(
    today: date, text: str, prefer: str
) -> None:
    for reading in read_dates(text, today, prefer=PREFER[prefer]):
        assert reading.value.invalid or reading.value.start <= reading.value.end


def test_lunar_holidays_fall_on_their_day_of_the_moon() -> None:
    """Independent of the table: the mean moon, counted from the new moon of 6 January 2000, 18:14 UTC."""
    lunation, new_moon = 29.530588853, date(2000, 1, 6)
    for name, of_month in (("春节", 1), ("端午", 5), ("七夕", 7), ("中秋", 15), ("重阳", 9)):
        assert [day.year for day in LUNAR[name]] == list(range(FIRST_YEAR, FIRST_YEAR + 15))
        for day in LUNAR[name]:
            age = ((day - new_moon).days + 0.5 - 0.76) % lunation
            assert abs((age - (of_month - 1) + lunation / 2) % lunation - lunation / 2) < 1.6, (name, day)
