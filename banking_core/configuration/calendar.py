"""Working days of the bank: weekends and holidays are off, some weekend days are worked instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from banking_core.checked import checked
from banking_core.configuration.rules import HolidayRule, HolidayRules

SATURDAY = 5
ONE_DAY = timedelta(days=1)


@checked
class Calendar:
    """Answers by the rows of the rules; a year without rows has weekends and the fixed holidays only."""

    def __init__(self, rules: HolidayRules) -> None:
        self._every_year = frozenset(rules.every_year)
        self._known = frozenset(row.year for row in rules.years)
        self._worked = frozenset(day for row in rules.years for day in row.worked)
        self._off = frozenset(
            first + timedelta(days=count)
            for row in rules.years
            for first, last in row.days_off
            for count in range((last - first).days + 1)
        )

    def knows(self, year: int) -> bool:
        """True when the announced days off of that year are there."""
        return year in self._known

    def is_working_day(self, day: date) -> bool:
        """True when the bank works on that day."""
        if day in self._worked:
            return True
        if day in self._off or day.weekday() >= SATURDAY:
            return False
        return self.knows(day.year) or f"{day:%m-%d}" not in self._every_year

    def next_working_day(self, day: date) -> date:
        """The day itself, or the first working day after it."""
        return _first(self.is_working_day, day, ONE_DAY)

    def previous_working_day(self, day: date) -> date:
        """The day itself, or the last working day before it."""
        return _first(self.is_working_day, day, -ONE_DAY)

    def moved(self, day: date, rule: HolidayRule) -> date:
        """Where a rule moves a day that may be off."""
        if rule == "next_working_day":
            return self.next_working_day(day)
        return self.previous_working_day(day) if rule == "previous_working_day" else day


def _first(fits: Callable[[date], bool], day: date, step: timedelta) -> date:
    while not fits(day):
        day += step
    return day
