"""Bank dates (Asia/Shanghai) as intervals of UTC time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from banking_core.clock import BANK_ZONE


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first instant of a bank date and of the next one, in UTC."""
    start = datetime.combine(day, time.min, tzinfo=BANK_ZONE)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=BANK_ZONE)
    return start.astimezone(UTC), end.astimezone(UTC)
