"""Opening hours: whether it is open, and when it opens next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.clock import BANK_ZONE, Clock
from banking_core.configuration import Calendar
from banking_core.configuration.rules import Hours, OpeningRow
from banking_core.errors import InvalidInput
from banking_core.orders.types import GuardSubject
from banking_core.tariff.errors import OutsideHours

SPAN_MAX = timedelta(days=366)
DAYS_WORDS = {"every": "每天", "working": "工作日"}


@checked
class Opening:
    """One set of opening hours with the calendar it goes by."""

    def __init__(self, hours: Hours, calendar: Calendar) -> None:
        self._hours = hours
        self._calendar = calendar

    def is_open(self, now: datetime) -> bool:
        """True from the opening to just before the closing of an open day."""
        local = now.astimezone(BANK_ZONE)
        return self._is_open_day(local.date()) and self._hours.opens <= local.time() < self._hours.closes

    def opens_at(self, now: datetime) -> datetime:
        """`now` while it is open, else the next opening, in UTC."""
        if self.is_open(now):
            return now
        local = now.astimezone(BANK_ZONE)
        day = local.date()
        if local.time() >= self._hours.opens:
            day += timedelta(days=1)
        while not self._is_open_day(day):
            day += timedelta(days=1)
        return datetime.combine(day, self._hours.opens, tzinfo=BANK_ZONE).astimezone(UTC)

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The moment, in UTC, at which `span` of open time has passed since `start`; never a closed one.

        Raises InvalidInput for less than nothing or more than a year.
        """
        if not timedelta() <= span <= SPAN_MAX:
            raise InvalidInput("a span of open time is none to a year", field="span")
        at, left = self.opens_at(start), span
        while True:
            local = at.astimezone(BANK_ZONE)
            closes = datetime.combine(local.date(), self._hours.closes, tzinfo=BANK_ZONE)
            if left < closes - local:
                return (local + left).astimezone(UTC)
            left -= closes - local
            at = self.opens_at(closes)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much open time lies between two moments; zero when the end comes first."""
        total, at = timedelta(), self.opens_at(start)
        while at < end:
            local = at.astimezone(BANK_ZONE)
            closes = datetime.combine(local.date(), self._hours.closes, tzinfo=BANK_ZONE)
            total += min(closes, end) - at
            at = self.opens_at(closes)
        return total

    @property
    def words(self) -> str:
        """工作日8:30至17:15."""
        return f"{DAYS_WORDS[self._hours.days]}{_clock(self._hours.opens)}至{_clock(self._hours.closes)}"

    def _is_open_day(self, day: date) -> bool:
        return self._hours.days == "every" or self._calendar.is_working_day(day)


@checked
class OpeningGuard:
    """Refuses kinds of orders outside their hours, at drafting and again at execution."""

    def __init__(self, clock: Clock, rows: Sequence[OpeningRow], hours: dict[str, Opening]) -> None:
        self._clock = clock
        self._opening = [(frozenset(row.kinds), hours[row.hours]) for row in rows]

    async def check(self, session: AsyncSession, subject: GuardSubject) -> None:
        """Raises OutsideHours, saying when it opens."""
        now = self._clock.now()
        for kinds, opening in self._opening:
            if subject.kind in kinds and not opening.is_open(now):
                at = opening.opens_at(now).astimezone(BANK_ZONE)
                raise OutsideHours(
                    f"{subject.kind} is closed",
                    customer_text=f"这项业务{opening.words}办理，现在没有办，钱也没有动。"
                    f"请在{at.month}月{at.day}日{_clock(at.time())}以后再来。",
                )


def _clock(moment: time) -> str:
    return f"{moment.hour}:{moment.minute:02d}"
