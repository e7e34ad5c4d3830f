"""The rules every order passes at drafting and again, under locks, at execution."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.errors import AccountNotUsable
from banking_core.accounts.service import Accounts
from banking_core.clock import bank_date
from banking_core.days import day_bounds
from banking_core.money_text import fen_to_yuan_text
from banking_core.orders.errors import BalanceTooLow, LimitExceeded
from banking_core.orders.models import Order
from banking_core.orders.states import COUNTED
from banking_core.orders.types import Limit


async def used_today_fen(session: AsyncSession, customer_id: str, group: str, now: datetime) -> int:
    """What the customer moved in a limit group on today's bank date.

    Failed and cancelled orders do not count.
    """
    start, end = day_bounds(bank_date(now))
    return await _used_fen(session, customer_id, group, start, end)


async def used_this_month_fen(session: AsyncSession, customer_id: str, group: str, now: datetime) -> int:
    """The same for the month of today's bank date."""
    first = bank_date(now).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return await _used_fen(session, customer_id, group, day_bounds(first)[0], day_bounds(following)[0])


async def _used_fen(
    session: AsyncSession, customer_id: str, group: str, start: datetime, end: datetime
) -> int:
    total = await session.scalar(
        select(func.sum(Order.amount_fen)).where(
            Order.customer_id == customer_id,
            Order.limit_group == group,
            Order.authorised_at >= start,
            Order.authorised_at < end,
            Order.status.in_(COUNTED),
        )
    )
    return int(total or 0)


def check_per_transaction(limit: Limit, amount_fen: int) -> None:
    """Raises LimitExceeded when the amount is too large for one order."""
    if amount_fen > limit.per_transaction_fen:
        raise LimitExceeded(
            "per transaction",
            customer_text=f"单笔最多{fen_to_yuan_text(limit.per_transaction_fen)}，这笔没有办理，钱也没有动。请换一个金额。",
        )


async def check_limit(
    session: AsyncSession, customer_id: str, limit: Limit, amount_fen: int, now: datetime
) -> None:
    """Raises LimitExceeded, saying which limit and what is left."""
    check_per_transaction(limit, amount_fen)
    await _check_period(session, customer_id, limit, amount_fen, now)


async def _check_period(
    session: AsyncSession, customer_id: str, limit: Limit, amount_fen: int, now: datetime
) -> None:
    left_fen = max(0, limit.per_day_fen - await used_today_fen(session, customer_id, limit.group, now))
    if amount_fen > left_fen:
        raise LimitExceeded(
            "per day",
            customer_text=f"超过每日限额{fen_to_yuan_text(limit.per_day_fen)}，今天还可以办理{fen_to_yuan_text(left_fen)}，"
            f"这笔没有办理，钱也没有动。{_next_step(left_fen, '明天')}",
        )
    if limit.per_month_fen is None:
        return
    used_fen = await used_this_month_fen(session, customer_id, limit.group, now)
    left_fen = max(0, limit.per_month_fen - used_fen)
    if amount_fen > left_fen:
        raise LimitExceeded(
            "per month",
            customer_text=f"超过每月限额{fen_to_yuan_text(limit.per_month_fen)}，本月还可以办理{fen_to_yuan_text(left_fen)}，"
            f"这笔没有办理，钱也没有动。{_next_step(left_fen, '下个月')}",
        )


def _next_step(left_fen: int, then: str) -> str:
    return f"可以改小金额，或者{then}再办。" if left_fen else f"可以{then}再办，或者回复“转人工”。"


async def check_source(
    session: AsyncSession, accounts: Accounts, customer_id: str, account_id: str, total_fen: int
) -> None:
    """Raises AccountNotFound, AccountNotUsable, BalanceTooLow when the account cannot pay `total_fen`."""
    account = await accounts.own(session, customer_id, account_id)
    if account.status != "active":
        raise AccountNotUsable(f"account is {account.status}")
    balance = await accounts.balance(session, account)
    if balance.available_fen < total_fen:
        available = fen_to_yuan_text(balance.available_fen)
        raise BalanceTooLow(
            "available balance is below amount and fee",
            customer_text=f"尾号{account.tail}的账户可用余额{available}，不够这笔{fen_to_yuan_text(total_fen)}（含手续费），"
            "没有办理，钱也没有动。可以换一个金额或账户。",
        )
