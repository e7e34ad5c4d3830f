"""Monthly statements: issued once per account and month, numbered, and checkable against the ledger for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from banking_core.accounts.models import Account
from banking_core.checked import checked
from banking_core.core import Core
from banking_core.days import day_bounds
from banking_core.errors import InvalidInput
from banking_core.ledger.balances import balance_at
from banking_core.ledger.models import LedgerEntry
from banking_core.numbers import new_number
from banking_core.scheduling import drain
from banking_core.statements.errors import StatementMismatch, StatementNotFound
from banking_core.statements.models import MonthlyStatement
from banking_core.storage import Database

ACCOUNTS_PER_BATCH = 100
LIST_MAX = 120  # ten years
_TICK = timedelta(
    microseconds=1
)  # the finest booking time: before `end` is up to and including one tick less


@dataclass(frozen=True)
class Figures:
    """What the ledger says about one account and month."""

    opening_fen: int
    in_fen: int
    out_fen: int
    closing_fen: int
    entry_count: int
    first_entry_id: int | None
    last_entry_id: int | None
    entries_hash: str


@checked
class MonthlyStatements:
    """Statements of whole months. Methods that take a session never commit."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def run(self, database: Database, month: date) -> str:
        """Issues the statements of a month that are not there yet; safe to repeat."""

        async def issue(session: AsyncSession) -> int:
            return await self.issue(session, month)

        return f"issued={await drain(database, issue)}"

    async def issue(self, session: AsyncSession, month: date) -> int:
        """Issues at most 100 statements of a month that is over; returns how many."""
        month = month.replace(day=1)
        start, end = month_bounds(month)
        now = self._core.clock.now()
        if not (end <= now):
            raise InvalidInput("the month is not over", field="month")
        accounts = await self._without(session, month, start, end)
        for account in accounts:
            session.add(
                MonthlyStatement(
                    number=await new_number(session, "DZ", now, MonthlyStatement.number),
                    account_id=account.id,
                    month=month,
                    issued_at=now,
                    **vars(await _figures(session, account, start, end)),
                )
            )
        await session.flush()
        return len(accounts)

    async def list(
        self, session: AsyncSession, customer_id: str, account_id: str
    ) -> Sequence[MonthlyStatement]:
        """An account's statements, newest first, at most ten years; raises AccountNotFound."""
        account = await self._core.accounts.own(session, customer_id, account_id)
        statement = (
            select(MonthlyStatement)
            .where(MonthlyStatement.account_id == account.id)
            .order_by(MonthlyStatement.month.desc())
            .limit(LIST_MAX)
        )
        return (await session.scalars(statement)).all()

    async def by_number(self, session: AsyncSession, customer_id: str, number: str) -> MonthlyStatement:
        """The statement with this number if it is this customer's; raises StatementNotFound."""
        statement = (
            select(MonthlyStatement)
            .join(Account, Account.id == MonthlyStatement.account_id)
            .where(MonthlyStatement.number == number, Account.customer_id == customer_id)
        )
        found = await session.scalar(statement)
        if found is None:
            raise StatementNotFound("no such statement of this customer")
        return found

    async def verify(self, session: AsyncSession, statement: MonthlyStatement) -> None:
        """Raises StatementMismatch, naming the figure, unless the ledger still says what was issued."""
        account = await self._core.accounts.get(session, statement.account_id)
        figures = await _figures(session, account, *month_bounds(statement.month))
        for name, value in vars(figures).items():
            if getattr(statement, name) != value:
                raise StatementMismatch(f"statement {statement.number}: {name} differs")

    async def _without(
        self, session: AsyncSession, month: date, start: datetime, end: datetime
    ) -> Sequence[Account]:
        """Accounts open in the month, or closed with entries in it, that have no statement of it."""
        issued = exists().where(MonthlyStatement.account_id == Account.id, MonthlyStatement.month == month)
        moved = exists().where(*_within(Account.ledger_account_id, start, end))
        statement = (
            select(Account)
            .where(
                ~issued,
                or_(and_(Account.status != "closed", Account.opened_on <= _last_day(month)), moved),
            )
            .order_by(Account.id)
            .limit(ACCOUNTS_PER_BATCH)
        )
        return (await session.scalars(statement)).all()


def month_bounds(month: date) -> tuple[datetime, datetime]:
    """The first instant of a bank month and of the next one, in UTC."""
    return day_bounds(month.replace(day=1))[0], day_bounds(_last_day(month))[1]


def _last_day(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _within(
    ledger_account_id: InstrumentedAttribute[int] | int, start: datetime, end: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (
        LedgerEntry.ledger_account_id == ledger_account_id,
        LedgerEntry.booked_at >= start,
        LedgerEntry.booked_at < end,
    )


async def _figures(session: AsyncSession, account: Account, start: datetime, end: datetime) -> Figures:
    """Counted back from the balance now, in the caller's transaction."""
    closing_fen = await balance_at(session, account.ledger_account_id, end - _TICK)
    lines = (
        await session.execute(
            select(LedgerEntry.id, LedgerEntry.amount_fen)
            .where(*_within(account.ledger_account_id, start, end))
            .order_by(LedgerEntry.id)
        )
    ).all()
    digest = sha256("".join(f"{line.id}:{line.amount_fen};" for line in lines).encode("ascii"))
    total_in = sum(line.amount_fen for line in lines if line.amount_fen > 0)
    total_out = -sum(line.amount_fen for line in lines if line.amount_fen < 0)
    return Figures(
        opening_fen=closing_fen - total_in + total_out,
        in_fen=total_in,
        out_fen=total_out,
        closing_fen=closing_fen,
        entry_count=len(lines),
        first_entry_id=lines[0].id if lines else None,
        last_entry_id=lines[-1].id if lines else None,
        entries_hash=digest.hexdigest(),
    )
