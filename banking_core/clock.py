"""Time, injected: business code never asks the operating system what time it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from banking_core.checked import checked, checked_function

BANK_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Anything that tells the time as an aware UTC datetime."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        return datetime.now(UTC)


@checked
class ManualClock:
    """A clock that stands still until it is moved; for tests and scripted conversations."""

    def __init__(self, start: datetime) -> None:
        assert start.tzinfo is not None, "the clock holds aware times only"
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The instant the clock was last set to."""
        return self._now

    def advance(self, *, seconds: float) -> None:
        """Moves the clock forward by `seconds`."""
        assert seconds >= 0, "time does not run backwards"
        self._now += timedelta(seconds=seconds)


@checked_function
def bank_date(instant: datetime) -> date:
    """The calendar date at the bank (Asia/Shanghai) at `instant`."""
    return instant.astimezone(BANK_ZONE).date()
