"""What a job is, and when it is due.

Timetables are APScheduler's triggers. They are asked for slots between two instants, so that the same slots come
out in every process, after any downtime, and for a clock that a test moves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from banking_core.checked import checked_function
from banking_core.clock import BANK_ZONE, bank_date
from banking_core.errors import InvalidInput

Trigger = Any  # an APScheduler trigger; the library has no types
ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)  # intervals are counted from here in every process
SLOTS_MAX = 10_000
INTERVAL_S_MAX = 366 * 86_400
NAME_LENGTH_MAX = 32
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Slot:
    """One moment of a job's timetable, and the how-manieth try this is (from 1)."""

    job: str
    at: datetime
    attempt: int = 1

    @property
    def day(self) -> date:
        """The bank date of the slot."""
        return bank_date(self.at)


Work = Callable[[Slot], Awaitable[str]]


@dataclass(frozen=True)
class Job:
    """A job. `work` does everything due at the slot, may be done twice without a second effect, and returns a few
    words for the operator.

    `each`: every missed slot is run, oldest first, one only after the one before it has ended; else the newest
    slot does the work of those before it. Slots older than `catch_up` are not caught up. A run that raises is
    tried again after `retry_after_s`, `attempts_max` times in all; a run whose process died is taken over when
    its lease of `lease_s` has passed. The newest `keep_runs` runs are kept.
    """

    name: str
    trigger: Trigger
    work: Work
    catch_up: timedelta
    each: bool = False
    attempts_max: int = 1
    retry_after_s: int = 60
    lease_s: int = 60
    keep_runs: int = 100

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_LENGTH_MAX:
            raise InvalidInput("no name of a job", field="name")
        assert self.catch_up > timedelta(0) and self.attempts_max >= 1
        assert self.lease_s > 0 and self.retry_after_s >= 0 and self.keep_runs >= 1


@checked_function
def every(seconds: int) -> Trigger:
    """Every so many seconds, at the same instants in every process."""
    if not 1 <= seconds <= INTERVAL_S_MAX:
        raise InvalidInput("no interval of a job", field="seconds")
    return IntervalTrigger(seconds=seconds, start_date=ORIGIN, timezone=UTC)


@checked_function
def daily(at: time) -> Trigger:
    """Every day at a time of the bank."""
    return CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=BANK_ZONE)


@checked_function
def monthly(day: int, at: time) -> Trigger:
    """On a day of every month (1 to 28) at a time of the bank."""
    if not 1 <= day <= 28:
        raise InvalidInput("not every month has this day", field="day")
    return CronTrigger(day=day, hour=at.hour, minute=at.minute, second=at.second, timezone=BANK_ZONE)


def slots_between(trigger: Trigger, after: datetime, until: datetime) -> Iterator[datetime]:
    """The instants of a timetable later than `after`, up to and including `until`, in UTC."""
    cursor = after
    for _ in range(SLOTS_MAX):
        found = trigger.get_next_fire_time(None, cursor + _TICK)
        if found is None or found > until:
            return
        cursor = found.astimezone(UTC)
        yield cursor
    raise AssertionError("a job's catch_up spans too many slots")
