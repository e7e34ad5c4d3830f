"""Lives the demo's two years day by day and writes down every movement of money.

Nobody's account may fall below nothing: purchases are left out when money is short. The current account ends
with the balance its persona is meant to have; the balance at the start is what makes it so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from banking_core.clock import BANK_ZONE
from banking_core.demo.flows import Days, Wish, habit_wishes, is_due, scheduled_wish
from banking_core.demo.schema import (
    AccountPlan,
    Cast,
    Habit,
    Interest,
    Market,
    Persona,
    Repay,
    Scheduled,
    Sweep,
)
from banking_core.ledger.types import InternalAccount
from banking_core.transfers.banks import OUR_BANK_NAME

OUTSIDE = InternalAccount.OUTSIDE_WORLD.value
INTEREST = InternalAccount.INTEREST_EXPENSE.value
OTHER_SIDES = {"fee": InternalAccount.FEE_INCOME.value}  # by category; everything else goes outside
CUSHION_SHARE = 0.3  # of the target balance: below it nothing optional is bought
CREDIT_USE_SHARE_MAX = 0.7
MOOD_MIN, MOOD_MAX, MOOD_POWER = 0.4, 2.5, 1.6
INTEREST_MONTHS = (3, 6, 9, 12)
INTEREST_DAY = 21
HISTORY_YEARS = 2

Slot = tuple[str, str]  # persona key and account key


@dataclass(frozen=True)
class Leg:
    """One line of a movement: an account of somebody's, or one of the bank's own (slot[0] empty)."""

    slot: Slot
    amount_fen: int
    counterparty: str
    category: str
    summary: str


@dataclass(frozen=True)
class Movement:
    """A transaction; its legs sum to zero."""

    at: datetime
    legs: tuple[Leg, ...]


@dataclass
class Purse:
    """An account while the years go by; `days` and `sum_fen` make the average balance for interest."""

    plan: AccountPlan
    balance_fen: int = 0
    lowest_fen: int = 0
    days: int = 0
    sum_fen: int = 0

    def add(self, amount_fen: int) -> None:
        """Moves the balance."""
        self.balance_fen += amount_fen
        self.lowest_fen = min(self.lowest_fen, self.balance_fen)


@dataclass
class World:
    """Everybody's purses and what has happened so far."""

    people: dict[str, Persona]
    days: Days
    start: date
    purses: dict[Slot, Purse] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)

    def book(self, at: datetime, *legs: Leg) -> None:
        """Writes a movement down and moves the purses."""
        assert sum(leg.amount_fen for leg in legs) == 0
        for leg in legs:
            if leg.slot[0]:
                self.purses[leg.slot].add(leg.amount_fen)
        self.movements.append(Movement(at, legs))


def history_start(today: date) -> date:
    """The first day of the history: the first of the month two years ago."""
    return today.replace(year=today.year - HISTORY_YEARS, day=1)


def simulate(people: Cast, market: Market, today: date) -> list[Movement]:
    """All movements from two years ago to the end of yesterday, in order of time."""
    world = World({person.key: person for person in people.people}, Days(market, today), history_start(today))
    for person in people.people:
        for plan in person.accounts:
            begin_fen = _fen(plan.target_yuan or plan.opening_yuan)
            world.purses[person.key, plan.key] = Purse(plan, begin_fen, begin_fen)
    for offset in range((today - world.start).days):
        _live(world, world.start + timedelta(days=offset))
    return [*_openings(world), *world.movements]


def _openings(world: World) -> Iterator[Movement]:
    """The balances at the start, moved so that the current accounts end at their target.

    A target that would have meant an overdrawn day is missed by as much: the account ends with a little more.
    """
    at = datetime.combine(world.start, time(0, 5), tzinfo=BANK_ZONE)
    for slot, purse in world.purses.items():
        opening_fen = _fen(purse.plan.opening_yuan)
        if purse.plan.target_yuan:
            shift_fen = _fen(purse.plan.target_yuan) - purse.balance_fen
            opening_fen = _fen(purse.plan.target_yuan) + max(shift_fen, -purse.lowest_fen)
        if opening_fen:
            yield Movement(
                at,
                (
                    Leg(slot, opening_fen, OUR_BANK_NAME, "other", "期初余额"),
                    Leg(("", OUTSIDE), -opening_fen, "", "other", "期初余额"),
                ),
            )


def _live(world: World, day: date) -> None:
    wishes: list[tuple[Wish, str]] = []
    for person in world.people.values():
        random = Random(f"{person.key}:{day.isoformat()}")
        for flow in person.flows:
            if isinstance(flow, Scheduled):
                if is_due(flow, day) and not _still_unpaid(flow, day, world.days.today):
                    wishes.append((scheduled_wish(flow, day, world.days, random), person.key))
            elif isinstance(flow, Habit):
                mood = _mood(world, person.key)
                wishes.extend(
                    (wish, person.key) for wish in habit_wishes(flow, day, world.days, mood, random)
                )
    _housekeeping(world, day)
    for wish, key in sorted(wishes, key=lambda pair: pair[0].at):
        _fulfil(world, wish, key)
    for purse in world.purses.values():
        purse.days += 1
        purse.sum_fen += purse.balance_fen


def _still_unpaid(flow: Scheduled, day: date, today: date) -> bool:
    """This month's bill of a flow marked `unpaid` waits at the biller to be paid in the demo."""
    return flow.unpaid and (day.year, day.month) == (today.year, today.month)


def _mood(world: World, key: str) -> float:
    purse = world.purses[key, "current"]
    share = max(0.0, purse.balance_fen / max(1, _fen(purse.plan.target_yuan)))
    return min(MOOD_MAX, max(MOOD_MIN, float(share**MOOD_POWER)))


def _fulfil(world: World, wish: Wish, key: str) -> None:
    purse = world.purses[key, wish.account]
    if wish.direction == "out" and not wish.mandatory and not _affordable(purse, wish.amount_fen):
        return
    sign = 1 if wish.direction == "in" else -1
    amount_fen = sign * wish.amount_fen
    name = world.people[wish.person].name if wish.person else wish.counterparty
    mine = Leg((key, wish.account), amount_fen, name, wish.category, wish.summary)
    if wish.person:
        other: Slot = (wish.person, "current")
        theirs = Leg(other, -amount_fen, world.people[key].name, wish.category, wish.summary)
    else:
        other_side = OTHER_SIDES.get(wish.category, OUTSIDE)
        theirs = Leg(("", other_side), -amount_fen, name, wish.category, wish.summary)
    world.book(wish.at, mine, theirs)


def _affordable(purse: Purse, amount_fen: int) -> bool:
    if purse.plan.kind == "credit":
        return amount_fen - purse.balance_fen <= purse.plan.limit_yuan * 100 * CREDIT_USE_SHARE_MAX
    return purse.balance_fen - amount_fen >= _fen(purse.plan.target_yuan) * CUSHION_SHARE


def _housekeeping(world: World, day: date) -> None:
    """What the bank does by itself early in the day: interest, repayment of cards, moves to deposits."""
    for person in world.people.values():
        for flow in person.flows:
            if isinstance(flow, Interest) and day.month in INTEREST_MONTHS and day.day == INTEREST_DAY:
                _pay_interest(world, (person.key, flow.account), flow, day)
            elif isinstance(flow, Repay) and day.day == flow.day:
                owed_fen = -world.purses[person.key, "credit"].balance_fen
                _move_own(world, person, "credit", owed_fen, summary="信用卡还款", at=_at(day, 6, 30))
            elif isinstance(flow, Sweep) and day.day == flow.day:
                over_fen = world.purses[person.key, "current"].balance_fen - flow.keep_yuan * 100
                unit_fen = flow.unit_yuan * 100
                _move_own(
                    world,
                    person,
                    "deposit",
                    over_fen // unit_fen * unit_fen,
                    summary="转入定期",
                    at=_at(day, 6, 40),
                )


def _pay_interest(world: World, slot: Slot, flow: Interest, day: date) -> None:
    purse = world.purses[slot]
    if purse.days == 0:
        return
    average_fen = purse.sum_fen / purse.days
    interest_fen = round(average_fen * flow.rate_percent / 100 * purse.days / 365)
    purse.days = purse.sum_fen = 0
    if interest_fen > 0:
        world.book(
            _at(day, 3, 20),
            Leg(slot, interest_fen, OUR_BANK_NAME, "interest", "结息"),
            Leg(("", INTEREST), -interest_fen, "", "interest", "结息"),
        )


def _move_own(world: World, person: Persona, to: str, amount_fen: int, *, summary: str, at: datetime) -> None:
    """A move from the current account to another of the same person's."""
    if amount_fen <= 0:
        return
    names = {plan.key: plan.name for plan in person.accounts}
    world.book(
        at,
        Leg((person.key, "current"), -amount_fen, names[to], "transfer", summary),
        Leg((person.key, to), amount_fen, names["current"], "transfer", summary),
    )


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=BANK_ZONE)


def _fen(yuan: float) -> int:
    return round(yuan * 100)
