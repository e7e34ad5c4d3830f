"""Turning the bank's own records into events of a profile: orders, the security log, and the ledger before both.

Nothing is told to the risk area when something happens; it reads what is recorded anyway, so that no path by which
money moves or a guard changes can be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, String, and_, bindparam, literal_column, null, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from banking_core.accounts.models import Account
from banking_core.identity.models import SecurityEvent
from banking_core.ledger.models import LedgerEntry, LedgerTransaction
from banking_core.orders.models import Order
from banking_core.orders.states import COUNTED
from banking_core.risk.keys import Keys
from banking_core.risk.payees import paid_to
from banking_core.risk.profile import ChangeKind, Profile
from banking_core.storage import UtcDateTime
from banking_core.transfers.models import Payee

EPOCH = datetime(1970, 2, 1, tzinfo=UTC)
PAST_KEPT = timedelta(days=730)
PAST_ENTRIES_MAX = 1_000
RECORDS_MAX = 2_000
WAIT_MAX = timedelta(days=8)  # no order waits longer between being drafted and authorised
HABIT_CATEGORIES = ("transfer", "rent", "salary", "utilities", "topup", "education")  # not what a card pays
STOPS = ("delay", "human", "block")
ORDER_CHANGES: dict[str, ChangeKind] = {"payee_add": "payee"}
LOGIN_OK = frozenset({"login_ok"})
LOGIN_FAILED = frozenset({"login_password_wrong", "login_failed"})
PASSWORD_SET = "password_set"
# Of a device that is bound by its first log-in the features of the device speak already.
CHANGES: dict[str, ChangeKind] = {
    "phone_changed": "phone",
    "device_trusted": "device",
    "device_unbound": "device",
    "totp_enrolled": "device",
    "totp_unbound": "device",
    "voice_enrolled": "device",
    "voice_changed": "device",
    "voice_cancelled": "device",
    "limit_changed": "limit",
    "lock_set": "lock",
    "lock_released": "lock",
}


@dataclass(frozen=True, slots=True)
class Record:
    """Something that happened at an instant (seconds since 1970), and what it does to a profile."""

    at_s: float
    apply: Callable[[Profile], None]


async def records_since(
    session: AsyncSession, customer_id: str, upto_s: float, own_order_id: str = ""
) -> list[Record]:
    """What the orders and the security log say happened after `upto_s`, in order of time.

    The order being judged, `own_order_id`, counts as drafted but not as stopped.
    """
    since = datetime.fromtimestamp(upto_s, UTC)
    asked = {"customer_id": customer_id, "since": since, "drafted_since": max(since, EPOCH) - WAIT_MAX}
    connection, keys = await session.connection(), Keys.of(session)
    found: list[Record] = []
    for row in await connection.execute(_RECORDS, asked):
        found += _of_order(row, keys, since, own_order_id) if row.is_order else _of_log(row)
    return sorted(found, key=lambda record: record.at_s)


def _records_statement() -> Select[Any]:
    """Orders and security events of one customer in one list; built once, because building costs more than asking."""
    order, event = Order.__table__.c, SecurityEvent.__table__.c
    who, since = bindparam("customer_id", type_=String), bindparam("since", type_=UtcDateTime)
    orders = select(
        literal_column("1").label("is_order"),
        order.id,
        order.kind,
        order.created_at.label("at"),
        order.authorised_at,
        order.amount_fen,
        order.body_sealed,
        order.status,
        order.risk_verdict,
        order.source_account_id,
    ).where(
        order.customer_id == who,
        order.created_at > bindparam("drafted_since", type_=UtcDateTime),
        or_(order.created_at > since, order.authorised_at > since),
    )
    nothing = [null().label(f"nothing_{number}") for number in range(6)]
    events = select(literal_column("0"), literal_column("''"), event.kind, event.at, *nothing).where(
        event.customer_id == who, event.at > since
    )
    both = union_all(orders, events).subquery()
    return select(both).order_by(both.c.at.desc()).limit(RECORDS_MAX)


_RECORDS = _records_statement()


def _of_order(row: Row[Any], keys: Keys, since: datetime, own_order_id: str) -> list[Record]:
    payee = paid_to(row.kind, Order.body.open(keys.vault, row.body_sealed, row.id), keys)
    amount_fen = row.amount_fen
    moves_money = row.source_account_id is not None
    found: list[Record] = []
    if row.at > since:
        drafted_s = row.at.timestamp()
        if moves_money:
            found.append(Record(drafted_s, _drafted(drafted_s, amount_fen, payee.key)))
        if row.risk_verdict in STOPS and row.id != own_order_id:
            found.append(Record(drafted_s, _stopped(drafted_s, amount_fen)))
    if row.status not in COUNTED or row.authorised_at is None or row.authorised_at <= since:
        return found
    done_s = row.authorised_at.timestamp()
    if moves_money:
        found.append(Record(done_s, _paid(done_s, amount_fen, payee.key, payee.name_key)))
    elif row.kind in ORDER_CHANGES:
        found.append(Record(done_s, _changed(done_s, ORDER_CHANGES[row.kind])))
    return found


def _of_log(row: Row[Any]) -> list[Record]:
    at_s = row.at.timestamp()
    if row.kind == PASSWORD_SET:
        return [Record(at_s, _password(at_s))]
    if row.kind in LOGIN_OK or row.kind in LOGIN_FAILED:
        return [Record(at_s, _login(at_s, ok=row.kind in LOGIN_OK))]
    if row.kind in CHANGES:
        return [Record(at_s, _changed(at_s, CHANGES[row.kind]))]
    return []


async def past_payments(session: AsyncSession, customer_id: str, until: datetime) -> list[Record]:
    """Payments of two years that are in the ledger without an order: before orders, or brought from elsewhere.

    Payees are recognised by the account at our bank, else by the one entry of the payee book with that name.
    """
    ours, theirs = aliased(LedgerEntry), aliased(LedgerEntry)
    mine, other = aliased(Account), aliased(Account)
    statement = (
        select(ours.amount_fen, ours.booked_at, ours.counterparty_name, other)
        .join(mine, mine.ledger_account_id == ours.ledger_account_id)
        .join(LedgerTransaction, LedgerTransaction.id == ours.transaction_id)
        .outerjoin(theirs, and_(theirs.transaction_id == ours.transaction_id, theirs.amount_fen > 0))
        .outerjoin(other, other.ledger_account_id == theirs.ledger_account_id)
        .where(
            mine.customer_id == customer_id,
            mine.kind == "current",
            ours.amount_fen < 0,
            ours.booked_at > until - PAST_KEPT,
            ours.booked_at <= until,
            ours.category.in_(HABIT_CATEGORIES),
            LedgerTransaction.key.not_like("order:%"),
        )
        .order_by(ours.booked_at.desc())
        .limit(PAST_ENTRIES_MAX)
    )
    rows = (await session.execute(statement)).all()
    if not rows:
        return []
    keys = Keys.of(session)
    book = await _book(session, customer_id, keys)
    found = []
    for amount_fen, booked_at, name, paid in reversed(rows):
        if paid is not None and paid.customer_id == customer_id:
            continue  # moved between own accounts
        at_s = booked_at.timestamp()
        key = keys.account(paid.number, None) if paid is not None else book.get(name, "")
        found.append(Record(at_s, _paid(at_s, -amount_fen, key, keys.name(name))))
    return found


async def _book(session: AsyncSession, customer_id: str, keys: Keys) -> dict[str, str]:
    """Name to account fingerprint, for names that occur once in the payee book."""
    statement = select(Payee).where(Payee.customer_id == customer_id, Payee.deleted_at.is_(None))
    book = [(payee.name, payee) for payee in await session.scalars(statement)]
    names = [name for name, _ in book]
    return {
        name: keys.account(payee.account_number, payee.bank_code)
        for name, payee in book
        if names.count(name) == 1
    }


def _drafted(at_s: float, amount_fen: int, key: str) -> Callable[[Profile], None]:
    return lambda profile: profile.observe_draft(at_s, amount_fen, key)


def _paid(at_s: float, amount_fen: int, key: str, name: str) -> Callable[[Profile], None]:
    return lambda profile: profile.observe_paid(at_s, amount_fen, key, name)


def _stopped(at_s: float, amount_fen: int) -> Callable[[Profile], None]:
    return lambda profile: profile.observe_stop(at_s, amount_fen)


def _login(at_s: float, *, ok: bool) -> Callable[[Profile], None]:
    return lambda profile: profile.observe_login(at_s, ok=ok)


def _changed(at_s: float, kind: ChangeKind) -> Callable[[Profile], None]:
    return lambda profile: profile.observe_change(at_s, kind)


def _password(at_s: float) -> Callable[[Profile], None]:
    def apply(profile: Profile) -> None:
        if profile.has_password:
            profile.observe_change(at_s, "password")
        profile.has_password = True

    return apply
