"""What a flow wants on a day: wishes without regard to money, drawn from the day's own random numbers."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from banking_core.clock import BANK_ZONE
from banking_core.demo.schema import Direction, Habit, Market, Merchant, Scheduled, Window

SATURDAY = 5
JITTER_MINUTES_MAX = 9


@dataclass(frozen=True)
class Wish:
    """A payment somebody means to make or get. `amount_fen` is positive."""

    at: datetime
    direction: Direction
    amount_fen: int
    counterparty: str
    category: str
    summary: str
    account: str = "current"
    person: str | None = None
    mandatory: bool = True


class Days:
    """The calendar of the demo: which days are free, and which windows they lie in."""

    def __init__(self, market: Market, today: date) -> None:
        self.market = market
        self.today = today

    def window(self, name: str) -> Window:
        """A window by name."""
        return self.market.windows[name]

    def is_free(self, day: date) -> bool:
        """A weekend or a holiday."""
        holiday = any(window.holiday and window.covers(day) for window in self.market.windows.values())
        return holiday or day.weekday() >= SATURDAY


def scheduled_date(day: int, year: int, month: int, *, workday: bool = False) -> date:
    """Day `day` of a month, at most its last; before the weekend when it must be a working day."""
    found = date(year, month, min(day, calendar.monthrange(year, month)[1]))
    if workday and found.weekday() >= SATURDAY:
        found -= timedelta(days=found.weekday() - SATURDAY + 1)
    return found


def is_due(flow: Scheduled, day: date) -> bool:
    """Whether a scheduled payment falls on this day."""
    if flow.daily:
        return True
    if flow.weekly is not None:
        return day.isoweekday() == flow.weekly
    if day.month not in flow.months:
        return False
    return day == scheduled_date(flow.day, day.year, day.month, workday=flow.workday)


def scheduled_amount_fen(flow: Scheduled, day: date, today: date, random: Random) -> int:
    """The amount of a scheduled payment on a day: today's, less the rises since, by season and chance."""
    rises = sum(
        1 for year in range(day.year, today.year + 1) if day < date(year, flow.raise_month, 1) <= today
    )
    yuan = flow.yuan / (1 + flow.raise_percent / 100) ** rises * flow.factors[day.month - 1]
    if flow.spread:
        yuan *= 1 + random.uniform(-flow.spread, flow.spread)
    return max(flow.step_fen, round(yuan * 100 / flow.step_fen) * flow.step_fen)


def months_before(day: date, count: int) -> date:
    """The first of the month `count` months before the day's month; a negative count looks ahead."""
    year, month = divmod(day.year * 12 + day.month - 1 - count, 12)
    return date(year, month + 1, 1)


def bill_amount_fen(flow: Scheduled, month: date, today: date) -> int:
    """The amount of the household bill that is paid in `month`: the same at the biller and in the history."""
    random = Random(f"bill:{flow.biller}:{flow.account_no}:{month:%Y-%m}")
    return scheduled_amount_fen(flow, scheduled_date(flow.day, month.year, month.month), today, random)


def scheduled_wish(flow: Scheduled, day: date, days: Days, random: Random) -> Wish:
    """The payment of a day on which the flow is due."""
    at = datetime.combine(day, flow.time, tzinfo=BANK_ZONE)
    jitter = timedelta(minutes=random.randint(0, JITTER_MINUTES_MAX), seconds=random.randint(0, 59))
    amount_fen = scheduled_amount_fen(flow, day, days.today, random)
    return Wish(
        at=at + jitter,
        direction=flow.direction,
        amount_fen=bill_amount_fen(flow, day, days.today) if flow.biller else amount_fen,
        counterparty=flow.provider or flow.party,
        category=flow.category,
        summary=flow.summary,
        person=flow.person,
    )


def habit_wishes(flow: Habit, day: date, days: Days, mood: float, random: Random) -> Iterator[Wish]:
    """The purchases of a day. `mood` scales how many: people spend by what they have."""
    if flow.window is not None and not days.window(flow.window).covers(day):
        return
    if any(days.window(name).covers(day) for name in flow.not_in):
        return
    expected = flow.weekend if days.is_free(day) else flow.weekday
    if not flow.mandatory:
        expected *= mood
    count = int(expected) + (random.random() < expected % 1)
    pool = days.market.pools[flow.pool]
    for merchant in random.choices(pool, [merchant.weight for merchant in pool], k=count):
        hour = random.randint(*flow.hours)
        at = time(hour, random.randint(0, 59), random.randint(0, 59))
        yield Wish(
            at=datetime.combine(day, at, tzinfo=BANK_ZONE),
            direction=flow.direction,
            amount_fen=price_fen(merchant, flow.factor, random),
            counterparty=merchant.name,
            category=merchant.category,
            summary=merchant.summary,
            account=flow.account,
            mandatory=flow.mandatory,
        )


def price_fen(merchant: Merchant, factor: float, random: Random) -> int:
    """One price at a merchant: cheap things are bought more often than dear ones."""
    low, high = merchant.yuan
    yuan = (low + (high - low) * random.betavariate(1.3, 2.2)) * factor
    steps = max(1, round(yuan * 100 / merchant.step_fen))
    return steps * merchant.step_fen - merchant.minus_fen
