"""Bank dates (Asia/Shanghai) as intervals of UTC time."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta

from banking_core.checked import checked_function
from banking_core.clock import BANK_ZONE


def at_time(day: date, moment: time) -> datetime:
    """A time of the bank on a bank date, in UTC."""
    return datetime.combine(day, moment, tzinfo=BANK_ZONE).astimezone(UTC)


@checked_function
def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first instant of a bank date and of the next one, in UTC."""
    return at_time(day, time.min), at_time(day + timedelta(days=1), time.min)


@checked_function
def wait_words(wait_s: int) -> str:
    """A waiting time as Chinese readers write it: 45秒, 3分钟, 2小时; rounded up."""
    if wait_s < 60:
        return f"{wait_s}秒"
    minutes = math.ceil(wait_s / 60)
    return f"{minutes}分钟" if minutes < 60 else f"{math.ceil(minutes / 60)}小时"


@checked_function
def moment_words(moment: datetime, now: datetime) -> str:
    """A moment as a customer reads it: 今天8:00, 明天8:00, 11月20日8:00; bank time."""
    local = moment.astimezone(BANK_ZONE)
    ahead = (local.date() - now.astimezone(BANK_ZONE).date()).days
    day = {0: "今天", 1: "明天"}.get(ahead, f"{local.month}月{local.day}日")
    return f"{day}{local.hour}:{local.minute:02d}"
