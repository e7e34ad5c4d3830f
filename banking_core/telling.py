"""When something that could not be told is told again: after twice as long as the last time, up to an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

AGAIN_S_FIRST = 10
AGAIN_S_MAX = 3600


def again_at(now: datetime, attempts: int) -> datetime:
    """When the next try is due, after so many that failed before the one that has failed now."""
    return now + timedelta(seconds=min(AGAIN_S_FIRST * 2 ** min(attempts, 16), AGAIN_S_MAX))
