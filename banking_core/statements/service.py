"""Searching the entries of a customer's accounts. Everything runs in the database over
(ledger_account_id, booked_at), so a long history costs what the asked period costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from banking_core.accounts.models import Account
from banking_core.checked import checked
from banking_core.core import Core
from banking_core.days import day_bounds
from banking_core.errors import InvalidInput
from banking_core.ledger.models import LedgerEntry
from banking_core.statements.errors import StatementPeriodInvalid
from banking_core.statements.vocabulary import CATEGORY_NAMES, category_name, meanings

Direction = Literal["in", "out"]
LIMIT_MAX = 500
WORDS_CHARACTERS_MAX = 60


@dataclass(frozen=True)
class StatementRow:
    """One line of a statement. `amount_fen` is signed: positive is money coming in."""

    entry_id: int
    booked_at: datetime
    summary: str
    counterparty_name: str
    category: str
    category_name: str
    amount_fen: int
    balance_after_fen: int
    account_id: str
    account_tail: str


@dataclass(frozen=True)
class StatementPage:
    """The rows asked for, newest first, and the totals over all that match.

    Both totals are positive fen; money moved between the accounts in view counts in neither.
    """

    rows: tuple[StatementRow, ...]
    total_count: int
    total_in_fen: int
    total_out_fen: int


@dataclass(frozen=True)
class CategoryTotal:
    """What came in and went out under one category, both positive fen."""

    category: str
    name: str
    count: int
    in_fen: int
    out_fen: int


@dataclass(frozen=True)
class Wanted:
    """What a search asks for; bank dates, both included."""

    start: date
    end: date
    direction: Direction | None = None
    category: str | None = None
    words: str = ""
    min_fen: int | None = None
    max_fen: int | None = None


@checked
class Statements:
    """A customer's transactions. Reads only."""

    def __init__(self, core: Core) -> None:
        self._accounts = core.accounts

    async def search(
        self,
        session: AsyncSession,
        customer_id: str,
        *,
        start: date,
        end: date,
        account_id: str | None = None,
        direction: Direction | None = None,
        category: str | None = None,
        words: str | None = None,
        min_fen: int | None = None,
        max_fen: int | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> StatementPage:
        """Transactions between two bank dates, both included, newest first.

        `words` are the customer's own (水电费, 网购, a merchant's name); `min_fen` and `max_fen` bound the
        amount without its sign. At most 500 rows. Raises StatementPeriodInvalid, InvalidInput, and
        AccountNotFound for another customer's account.
        """
        accounts = await self._own_accounts(session, customer_id, account_id)
        wanted = Wanted(start, end, direction, category, words or "", min_fen, max_fen)
        conditions = _conditions(accounts, wanted)
        count, total_in, total_out = (await session.execute(_totals(accounts).where(*conditions))).one()
        statement = (
            select(LedgerEntry)
            .where(*conditions)
            .order_by(LedgerEntry.booked_at.desc(), LedgerEntry.id.desc())
            .limit(max(0, min(limit, LIMIT_MAX)))
            .offset(max(0, offset))
        )
        rows = tuple(_row(entry, accounts) for entry in await session.scalars(statement))
        return StatementPage(rows, count, int(total_in), int(total_out))

    async def by_category(
        self,
        session: AsyncSession,
        customer_id: str,
        *,
        start: date,
        end: date,
        account_id: str | None = None,
    ) -> list[CategoryTotal]:
        """Totals per category between two bank dates, biggest spending first; raises as `search` does."""
        accounts = await self._own_accounts(session, customer_id, account_id)
        conditions = _conditions(accounts, Wanted(start, end))
        statement = (
            _totals(accounts)
            .add_columns(LedgerEntry.category)
            .where(*conditions)
            .group_by(LedgerEntry.category)
        )
        totals = [
            CategoryTotal(category, category_name(category), count, int(total_in), int(total_out))
            for count, total_in, total_out, category in await session.execute(statement)
        ]
        return sorted(totals, key=lambda total: (-total.out_fen, -total.in_fen, total.category))

    async def _own_accounts(
        self, session: AsyncSession, customer_id: str, account_id: str | None
    ) -> dict[int, Account]:
        """The customer's accounts, or the one asked for, by ledger account."""
        if account_id is None:
            found = list(await self._accounts.list_for(session, customer_id))
        else:
            found = [await self._accounts.own(session, customer_id, account_id)]
        return {account.ledger_account_id: account for account in found}


def _totals(accounts: Mapping[int, Account]) -> Any:
    """Count, incoming and outgoing sums. Money moved between the accounts in view is neither."""
    amount = LedgerEntry.amount_fen
    crossing = _crosses_border(accounts)
    return select(
        func.count(LedgerEntry.id),
        func.coalesce(func.sum(case((and_(amount > 0, crossing), amount), else_=0)), 0),
        func.coalesce(func.sum(case((and_(amount < 0, crossing), -amount), else_=0)), 0),
    )


def _crosses_border(accounts: Mapping[int, Account]) -> ColumnElement[bool]:
    """True for an entry whose transaction touches some account outside those in view."""
    if len(accounts) <= 1:
        return true()
    other = aliased(LedgerEntry)
    outside = select(other.id).where(
        other.transaction_id == LedgerEntry.transaction_id,
        other.ledger_account_id.not_in(sorted(accounts)),
    )
    return outside.exists()


def _conditions(accounts: Mapping[int, Account], wanted: Wanted) -> list[ColumnElement[bool]]:
    if wanted.start > wanted.end:
        raise StatementPeriodInvalid("start is after end", field="start")
    if wanted.category is not None and wanted.category not in CATEGORY_NAMES:
        raise InvalidInput("unknown category", field="category")
    amount = LedgerEntry.amount_fen
    conditions = [
        LedgerEntry.ledger_account_id.in_(sorted(accounts)),
        LedgerEntry.booked_at >= day_bounds(wanted.start)[0],
        LedgerEntry.booked_at < day_bounds(wanted.end)[1],
    ]
    if wanted.direction is not None:
        conditions.append(amount > 0 if wanted.direction == "in" else amount < 0)
    if wanted.category is not None:
        conditions.append(LedgerEntry.category == wanted.category)
    if wanted.min_fen is not None:
        conditions.append(func.abs(amount) >= wanted.min_fen)
    if wanted.max_fen is not None:
        conditions.append(func.abs(amount) <= wanted.max_fen)
    meant = _words_condition(wanted.words)
    return conditions if meant is None else [*conditions, meant]


def _words_condition(words: str) -> ColumnElement[bool] | None:
    """Any of the meant categories or texts; None when the words narrow nothing."""
    meant = [meaning for meaning in meanings(words[:WORDS_CHARACTERS_MAX]) if meaning.narrows]
    if not meant:
        return None
    categories = sorted({category for meaning in meant for category in meaning.categories})
    texts = [text for meaning in meant for text in meaning.texts]
    alternatives: list[ColumnElement[bool]] = [LedgerEntry.category.in_(categories)] if categories else []
    for text in texts:
        alternatives.append(LedgerEntry.summary.icontains(text, autoescape=True))
        alternatives.append(LedgerEntry.counterparty_name.icontains(text, autoescape=True))
    return or_(*alternatives)


def _row(entry: LedgerEntry, accounts: Mapping[int, Account]) -> StatementRow:
    account = accounts[entry.ledger_account_id]
    return StatementRow(
        entry_id=entry.id,
        booked_at=entry.booked_at,
        summary=entry.summary,
        counterparty_name=entry.counterparty_name,
        category=entry.category,
        category_name=category_name(entry.category),
        amount_fen=entry.amount_fen,
        balance_after_fen=entry.balance_after_fen,
        account_id=account.id,
        account_tail=account.tail,
    )
