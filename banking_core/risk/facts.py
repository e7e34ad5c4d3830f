"""One question to the database for everything a decision must know of customer, account, payee and neighbours.

The statement is built once: asking costs more than answering, and building the question more than both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, String, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.customers.errors import CustomerNotFound
from banking_core.customers.id_numbers import birth_date_of
from banking_core.customers.models import Customer
from banking_core.ledger.models import LedgerAccount
from banking_core.risk.models import RiskProfile, RiskSighting
from banking_core.risk.payees import PaidTo
from banking_core.storage import UtcDateTime
from banking_core.transfers.models import Payee
from banking_core.vault import vault_of

OTHERS_MAX = 50
DAY = timedelta(days=1)


class Facts(NamedTuple):
    """One row. Of the account everything is None without one, of the payee without an entry in the book."""

    created_at: datetime
    birth_date: date
    level: str
    token: str | None  # of the customer's profile
    account_kind: str | None
    available_fen: int | None
    opened_on: date | None
    is_default: bool | None
    accounts: int
    book_size: int
    book_created_at: datetime | None
    has_nickname: bool
    payee_owner: str | None  # the customer behind an account at our bank
    senders_1d: int
    senders_7d: int
    device_customers: int
    network_customers: int


async def facts(
    session: AsyncSession,
    customer_id: str,
    *,
    account_id: str | None,
    paid: PaidTo,
    device: str,
    network: str,
    now: datetime,
) -> Facts:
    """Reads them. Raises CustomerNotFound."""
    vault = vault_of(session)
    asked: Mapping[str, Any] = {
        "customer_id": customer_id,
        "account_id": account_id or "",
        "payee_index": Payee.account_number.index_of(vault, paid.account_number),
        "account_index": Account.number.index_of(vault, paid.account_number),
        "payee_bank": paid.bank_code or "",
        "payee_key": paid.key,
        "device": device,
        "network": network,
        "day": now - DAY,
        "week": now - 7 * DAY,
        "month": now - 30 * DAY,
    }
    connection = await session.connection()
    row = (await connection.execute(_STATEMENT, asked)).one_or_none()
    if row is None:
        raise CustomerNotFound("no such customer")
    born = birth_date_of(Customer.id_number.open(vault, row.id_number_sealed, customer_id))
    nickname = row.nickname_sealed and Payee.nickname.open(vault, row.nickname_sealed, row.payee_id)
    found = {name: getattr(row, name) for name in Facts._fields if name not in ("birth_date", "has_nickname")}
    return Facts(birth_date=born, has_nickname=bool(nickname), **found)


def _statement() -> Select[Any]:
    customer, account, ledger = Customer.__table__, Account.__table__, LedgerAccount.__table__
    payee, others, profile = Payee.__table__, Account.__table__.alias(), RiskProfile.__table__
    who, bank = bindparam("customer_id", type_=String), bindparam("payee_bank", type_=String)
    book = (payee.c.customer_id == who, payee.c.deleted_at.is_(None))
    entry = (
        *book,
        payee.c.account_number_index == bindparam("payee_index", type_=String),
        func.coalesce(payee.c.bank_code, "") == bank,
    )
    owner = select(others.c.customer_id).where(
        others.c.number_index == bindparam("account_index", type_=String), bank == ""
    )
    floor = func.coalesce(ledger.c.floor_fen, 0)
    source = (
        customer.outerjoin(account, account.c.id == bindparam("account_id", type_=String))
        .outerjoin(ledger, ledger.c.id == account.c.ledger_account_id)
        .outerjoin(profile, profile.c.customer_id == customer.c.id)
    )
    columns = {
        "created_at": customer.c.created_at,
        "id_number_sealed": customer.c.id_number_sealed,
        "level": customer.c.level,
        "token": profile.c.token,
        "account_kind": account.c.kind,
        "available_fen": ledger.c.balance_fen - ledger.c.held_fen - floor,
        "opened_on": account.c.opened_on,
        "is_default": account.c.is_default,
        "accounts": _count(
            select(others.c.id).where(others.c.customer_id == who, others.c.status != "closed")
        ),
        "book_size": _count(select(payee.c.id).where(*book)),
        "book_created_at": _newest(payee, payee.c.created_at, entry),
        "payee_id": _newest(payee, payee.c.id, entry),
        "nickname_sealed": _newest(payee, payee.c.nickname_sealed, entry),
        "payee_owner": owner.scalar_subquery(),
        "senders_1d": _others("payee", "payee_key", "day"),
        "senders_7d": _others("payee", "payee_key", "week"),
        "device_customers": _others("device", "device", "month"),
        "network_customers": _others("network", "network", "day"),
    }
    return (
        select(*(column.label(name) for name, column in columns.items()))
        .select_from(source)
        .where(customer.c.id == who)
    )


def _newest(
    payee: FromClause, column: ColumnElement[Any], entry: tuple[ColumnElement[bool], ...]
) -> ScalarSelect[Any]:
    """One column of the newest entry of the book for the account."""
    order = (payee.c.created_at.desc(), payee.c.id)
    return select(column).where(*entry).order_by(*order).limit(1).scalar_subquery()


def _count(rows: Select[Any]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()


def _others(kind: str, key: str, since: str) -> ScalarSelect[Any]:
    """How many other customers were seen with it since then, counted up to a bound; "" was seen with nobody."""
    seen = RiskSighting.__table__
    found = select(seen.c.customer_id).where(
        seen.c.kind == kind,
        seen.c.key == bindparam(key, type_=String),
        seen.c.customer_id != bindparam("customer_id", type_=String),
        seen.c.last_at >= bindparam(since, type_=UtcDateTime),
    )
    return _count(found.limit(OTHERS_MAX))


_STATEMENT = _statement()
