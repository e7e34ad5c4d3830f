"""On which days an order falls due: once, every week or every month."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from banking_core.checked import checked

Frequency = Literal["once", "weekly", "monthly"]
WEEKDAYS = "一二三四五六日"


@checked
@dataclass(frozen=True)
class Schedule:
    """Due days from `starts_on` on, until `ends_on` if there is one.

    `day` is 1 to 7 (Monday first) for weekly ones and 1 to 31 for monthly ones; a month without that day has its
    last day instead.
    """

    frequency: Frequency
    starts_on: date
    day: int | None = None
    ends_on: date | None = None

    def first(self) -> date | None:
        """The first due day; None when it would be after the end."""
        return self.after(self.starts_on - timedelta(days=1))

    def after(self, day: date) -> date | None:
        """The first due day after `day`; None when there is none."""
        due = self._next(max(day, self.starts_on - timedelta(days=1)))
        return None if due is None or (self.ends_on is not None and due > self.ends_on) else due

    def days(self) -> Iterator[date]:
        """Every due day, in order."""
        due = self.first()
        while due is not None:
            yield due
            due = self.after(due)

    @property
    def words(self) -> str:
        """What a customer reads: 每月15日, 每周三, 2026年12月5日."""
        if self.frequency == "once":
            return f"{self.starts_on.year}年{self.starts_on.month}月{self.starts_on.day}日"
        assert self.day is not None
        if self.frequency == "weekly":
            return f"每周{WEEKDAYS[self.day - 1]}"
        return f"每月{self.day}日" + ("（没有这一天的月份为最后一天）" if self.day > 28 else "")

    def _next(self, after: date) -> date | None:
        if self.frequency == "once":
            return self.starts_on if after < self.starts_on else None
        assert self.day is not None
        if self.frequency == "weekly":
            return after + timedelta(days=(self.day - after.isoweekday() - 1) % 7 + 1)
        due = _in_month(after.year, after.month, self.day)
        return due if due > after else _in_month(after.year, after.month + 1, self.day)


def _in_month(year: int, month: int, day: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))
