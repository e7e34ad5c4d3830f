"""Limits: which rows of the rules hold for an order, and what was used up under each.

Every row that fits holds, and the lowest figure decides. A row with a condition counts only the orders that met it:
what went through its channels, or to payees who were as new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.clock import bank_date
from banking_core.configuration import RulesError, Terms
from banking_core.configuration.rules import LimitRow
from banking_core.days import day_bounds
from banking_core.money_text import fen_to_yuan_text
from banking_core.orders.errors import LimitExceeded
from banking_core.orders.models import Order
from banking_core.orders.states import COUNTED

HOUR_S = 3600


@checked
@dataclass(frozen=True)
class Limit:
    """One row with its figures in fen; None is no limit."""

    group: str
    words: str
    levels: tuple[str, ...] | None
    channels: tuple[str, ...] | None
    payee_hours_below: int | None
    per_transaction_fen: int | None
    per_day_fen: int | None
    per_month_fen: int | None

    @classmethod
    def read(cls, row: LimitRow, terms: Terms) -> Limit:
        """The row with the terms it names."""

        def fen(key: str | None) -> int | None:
            return None if key is None else terms.fen(key)

        hours = row.payee_hours_below
        return cls(
            group=row.group,
            words=row.words,
            levels=row.levels,
            channels=row.channels,
            payee_hours_below=None if hours is None else terms.integer(hours),
            per_transaction_fen=fen(row.per_transaction),
            per_day_fen=fen(row.per_day),
            per_month_fen=fen(row.per_month),
        )

    def fits(self, *, level: str, channel: str, payee_hours: int | None) -> bool:
        """True when it holds for an order of its group."""
        if self.levels is not None and level not in self.levels:
            return False
        if self.channels is not None and channel not in self.channels:
            return False
        return self.payee_hours_below is None or (
            payee_hours is not None and payee_hours < self.payee_hours_below
        )

    def counts(self) -> list[ColumnElement[bool]]:
        """Which orders use it up."""
        conditions: list[ColumnElement[bool]] = [Order.limit_group == self.group, Order.status.in_(COUNTED)]
        if self.channels is not None:
            conditions.append(Order.channel.in_(self.channels))
        if self.payee_hours_below is not None:
            conditions.append(Order.payee_hours < self.payee_hours_below)
        return conditions


@dataclass(frozen=True)
class Moving:
    """What is to be moved, by whom and how; `payee_hours` is the payee's age, None when nobody else is paid."""

    customer_id: str
    level: str
    group: str
    channel: str
    amount_fen: int
    payee_hours: int | None = None


@checked
class LimitBook:
    """Every limit of the bank."""

    def __init__(self, rows: Sequence[LimitRow], terms: Terms) -> None:
        self._limits = tuple(Limit.read(row, terms) for row in rows)

    def fitting(self, moving: Moving) -> list[Limit]:
        """The limits that hold; raises RulesError for a group nobody wrote a row for: a defect, not freedom."""
        of_group = [limit for limit in self._limits if limit.group == moving.group]
        if not of_group:
            raise RulesError("no limit for this group of orders")
        return [
            limit
            for limit in of_group
            if limit.fits(level=moving.level, channel=moving.channel, payee_hours=moving.payee_hours)
        ]

    def check_once(self, moving: Moving) -> None:
        """Raises LimitExceeded when the amount is too large for one order, whatever was moved before."""
        limits = [limit for limit in self.fitting(moving) if limit.per_transaction_fen is not None]
        for limit in sorted(limits, key=lambda limit: limit.per_transaction_fen or 0):
            assert limit.per_transaction_fen is not None
            if moving.amount_fen > limit.per_transaction_fen:
                most = fen_to_yuan_text(limit.per_transaction_fen)
                raise LimitExceeded(
                    "per transaction",
                    customer_text=f"{limit.words}单笔最多{most}，这笔没有办理，钱也没有动。请换一个金额。",
                )

    async def check(self, session: AsyncSession, moving: Moving, now: datetime) -> None:
        """Raises LimitExceeded, saying which limit and what is left of it."""
        self.check_once(moving)
        for limit in self.fitting(moving):
            if limit.per_day_fen is not None:
                used_fen = await used_fen_in(session, moving.customer_id, limit.counts(), *_day(now))
                _ensure_left(limit, "每日", "今天", "明天", limit.per_day_fen, used_fen, moving.amount_fen)
            if limit.per_month_fen is not None:
                used_fen = await used_fen_in(session, moving.customer_id, limit.counts(), *_month(now))
                _ensure_left(
                    limit, "每月", "本月", "下个月", limit.per_month_fen, used_fen, moving.amount_fen
                )


def _ensure_left(
    limit: Limit, period: str, this: str, then: str, most_fen: int, used_fen: int, amount_fen: int
) -> None:
    left_fen = max(0, most_fen - used_fen)
    if amount_fen <= left_fen:
        return
    way_out = f"可以改小金额，或者{then}再办。" if left_fen else f"可以{then}再办，或者回复“转人工”。"
    raise LimitExceeded(
        "per day" if period == "每日" else "per month",
        customer_text=f"超过{limit.words}{period}限额{fen_to_yuan_text(most_fen)}，{this}还可以办理{fen_to_yuan_text(left_fen)}，"
        f"这笔没有办理，钱也没有动。{way_out}",
    )


async def used_today_fen(session: AsyncSession, customer_id: str, group: str, now: datetime) -> int:
    """What the customer moved in a limit group on today's bank date.

    Failed and cancelled orders do not count.
    """
    return await used_fen_in(session, customer_id, _of_group(group), *_day(now))


async def used_this_month_fen(session: AsyncSession, customer_id: str, group: str, now: datetime) -> int:
    """The same for the month of today's bank date."""
    return await used_fen_in(session, customer_id, _of_group(group), *_month(now))


async def used_fen_in(
    session: AsyncSession,
    customer_id: str,
    counts: Sequence[ColumnElement[bool]],
    start: datetime,
    end: datetime,
) -> int:
    """The sum of a customer's orders that count, authorised from `start` to before `end`."""
    total = await session.scalar(
        select(func.sum(Order.amount_fen)).where(
            Order.customer_id == customer_id,
            Order.authorised_at >= start,
            Order.authorised_at < end,
            *counts,
        )
    )
    return int(total or 0)


async def payee_hours(
    session: AsyncSession, customer_id: str, index: str, known_since: datetime | None, now: datetime
) -> int:
    """For how many whole hours the customer has known a payee: in the book, or paid before; 0 for a new one.

    `index` is the payee's blind index (`Order.payee_index`).
    """
    first_paid = await session.scalar(
        select(func.min(Order.authorised_at)).where(
            Order.customer_id == customer_id, Order.payee_index == index, Order.status.in_(COUNTED)
        )
    )
    since = min((moment for moment in (known_since, first_paid) if moment is not None), default=now)
    return max(0, int((now - since).total_seconds() // HOUR_S))


def _of_group(group: str) -> list[ColumnElement[bool]]:
    return [Order.limit_group == group, Order.status.in_(COUNTED)]


def _day(now: datetime) -> tuple[datetime, datetime]:
    return day_bounds(bank_date(now))


def _month(now: datetime) -> tuple[datetime, datetime]:
    first = bank_date(now).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return day_bounds(first)[0], day_bounds(following)[0]
