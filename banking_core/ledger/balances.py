"""Balances: now, as of an instant, as of a transaction; and the trial balance of each currency."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.ledger.errors import (
    LedgerAccountNotFound,
    LedgerPostingInvalid,
    LedgerTransactionNotFound,
)
from banking_core.ledger.limits import is_id, is_instant
from banking_core.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from banking_core.ledger.types import Standing, TrialBalance


async def standing(session: AsyncSession, ledger_account_id: int) -> Standing:
    """The account now; raises LedgerAccountNotFound."""
    columns = (
        LedgerAccount.currency,
        LedgerAccount.balance_fen,
        LedgerAccount.held_fen,
        LedgerAccount.floor_fen,
    )
    row = None
    if is_id(ledger_account_id):
        statement = select(*columns).where(LedgerAccount.id == ledger_account_id)
        row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise LedgerAccountNotFound("no such ledger account")
    return Standing(*row)


async def balance_at(session: AsyncSession, ledger_account_id: int, at: datetime) -> int:
    """The sum of everything booked up to and including `at`, by booking time.

    Counted back from the balance now in one statement, over the index (account, booked_at): the recent past is
    cheap, and what is booked meanwhile cannot come in between.
    """
    if not is_instant(at):
        raise LedgerPostingInvalid("the instant is naive or out of bounds", field="at")
    later = (
        select(func.coalesce(func.sum(LedgerEntry.amount_fen), 0))
        .where(LedgerEntry.ledger_account_id == ledger_account_id, LedgerEntry.booked_at > at)
        .scalar_subquery()
    )
    balance = None
    if is_id(ledger_account_id):
        statement = select(LedgerAccount.balance_fen - later).where(LedgerAccount.id == ledger_account_id)
        balance = await session.scalar(statement)
    if balance is None:
        raise LedgerAccountNotFound("no such ledger account")
    return int(balance)


async def balance_after(session: AsyncSession, ledger_account_id: int, transaction_id: int) -> int:
    """The balance when that transaction had been booked, in the order in which the ledger was written.

    It differs from `balance_at` where a transaction was booked with an earlier booking time.
    """
    await standing(session, ledger_account_id)
    known = select(LedgerTransaction.id).where(LedgerTransaction.id == transaction_id)
    if not is_id(transaction_id) or await session.scalar(known) is None:
        raise LedgerTransactionNotFound("no such transaction")
    statement = select(func.coalesce(func.sum(LedgerEntry.amount_fen), 0)).where(
        LedgerEntry.ledger_account_id == ledger_account_id, LedgerEntry.transaction_id <= transaction_id
    )
    return int(await session.scalar(statement) or 0)


async def trial_balance(session: AsyncSession, at: datetime | None = None) -> tuple[TrialBalance, ...]:
    """Debits and credits of each currency over all accounts, now or as of a booking time."""
    if at is None:
        balances = select(LedgerAccount.currency, LedgerAccount.balance_fen.label("fen")).subquery()
    else:
        if not is_instant(at):
            raise LedgerPostingInvalid("the instant is naive or out of bounds", field="at")
        booked = (LedgerEntry.ledger_account_id == LedgerAccount.id) & (LedgerEntry.booked_at <= at)
        total = func.coalesce(func.sum(LedgerEntry.amount_fen), 0).label("fen")
        balances = (
            select(LedgerAccount.currency, total)
            .outerjoin(LedgerEntry, booked)
            .group_by(LedgerAccount.id, LedgerAccount.currency)
            .subquery()
        )
    statement = (
        select(
            balances.c.currency,
            func.count(),
            func.coalesce(func.sum(case((balances.c.fen < 0, -balances.c.fen), else_=0)), 0),
            func.coalesce(func.sum(case((balances.c.fen > 0, balances.c.fen), else_=0)), 0),
        )
        .group_by(balances.c.currency)
        .order_by(balances.c.currency)
    )
    rows = await session.execute(statement)
    return tuple(
        TrialBalance(currency, count, int(debit), int(credit)) for currency, count, debit, credit in rows
    )
