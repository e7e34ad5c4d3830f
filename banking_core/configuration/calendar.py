"""Working days at the bank: weekends, days off and working weekends, from holidays.yml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from banking_core.configuration.errors import TermsError
from banking_core.configuration.reading import read_yaml

HOLIDAYS_PATH = Path(__file__).with_name("holidays.yml")
SATURDAY = 5
SEARCH_DAYS_MAX = 60


@dataclass(frozen=True)
class BankCalendar:
    """Days off and working weekends; `provisional_years` are known in part only."""

    off: frozenset[date]
    working: frozenset[date]
    provisional_years: frozenset[int]

    @classmethod
    def load(cls, path: Path | None = None) -> BankCalendar:
        """Reads holidays.yml, or the bank's own file. Raises TermsError."""
        path = path or HOLIDAYS_PATH
        content = read_yaml(path)
        if not isinstance(content, Mapping):
            raise TermsError(f"{path.name} is not a mapping of years")
        off: set[date] = set()
        working: set[date] = set()
        provisional: set[int] = set()
        for year, entry in content.items():
            if not isinstance(year, int) or not isinstance(entry, Mapping):
                raise TermsError(f"{path.name}: {year!r} is not a year with its days")
            if unknown := entry.keys() - {"days_off", "working", "provisional"}:
                raise TermsError(f"{path.name}: {year} has unknown keys {sorted(map(str, unknown))}")
            off |= set(_days(entry.get("days_off", []), year, path.name))
            working |= set(_days(entry.get("working", []), year, path.name))
            if entry.get("provisional"):
                provisional.add(year)
        if both := off & working:
            raise TermsError(f"{path.name}: {min(both)} is both a day off and a working day")
        return cls(frozenset(off), frozenset(working), frozenset(provisional))

    def is_working_day(self, day: date) -> bool:
        """True when the payment system settles large amounts on that bank date."""
        if day in self.off:
            return False
        return day in self.working or day.weekday() < SATURDAY

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        for distance in range(1, SEARCH_DAYS_MAX):
            following = day + timedelta(days=distance)
            if self.is_working_day(following):
                return following
        raise AssertionError("two months without a working day: the calendar is wrong")


def _days(entries: Any, year: int, name: str) -> Iterator[date]:
    """Single dates and `first..last` ranges, all within the year."""
    if not isinstance(entries, list):
        raise TermsError(f"{name}: the days of {year} are not a list")
    for entry in entries:
        first, last = _range(entry, name)
        if first.year != year or last.year != year or last < first:
            raise TermsError(f"{name}: {entry!r} is not a range within {year}")
        yield from (first + timedelta(days=offset) for offset in range((last - first).days + 1))


def _range(entry: Any, name: str) -> tuple[date, date]:
    if type(entry) is date:
        return entry, entry
    try:
        first, last = str(entry).split("..")
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise TermsError(f"{name}: {entry!r} is not a date or a range of dates") from None
