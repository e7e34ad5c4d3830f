"""Everything a decision looks at, read from the database in a handful of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.accounts.service import Accounts
from banking_core.customers.models import Customer
from banking_core.customers.service import Customers
from banking_core.orders.risk import RiskSubject
from banking_core.risk.context import (
    AccountFacts,
    CustomerFacts,
    PayeeFacts,
    RiskContext,
    Signals,
    Surroundings,
    network_of,
    text_key,
)
from banking_core.risk.habits import Habits
from banking_core.risk.models import RiskSighting
from banking_core.risk.payees import PaidTo, paid_to
from banking_core.transfers.models import Payee
from banking_core.vault import vault_of

OTHERS_MAX = 50
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the caller told of device and place; fingerprints, "" for unknown."""

    device: str
    network: str
    place: str


class Gathering:
    """Makes the context of one order or log-in."""

    def __init__(self, customers: Customers, accounts: Accounts, habits: Habits) -> None:
        self._customers = customers
        self._accounts = accounts
        self._habits = habits

    async def order(self, session: AsyncSession, subject: RiskSubject) -> RiskContext:
        """The context of an order."""
        profile = await self._habits.of(session, subject.customer_id, subject.at, subject.order_id)
        customer = await self._customers.get(session, subject.customer_id)
        paid = paid_to(subject.kind, subject.body)
        seen = seen_in(subject.context)
        facts = await _look_up(session, subject.customer_id, paid, seen, subject.at)
        return RiskContext(
            at=subject.at,
            customer=_customer_facts(customer, facts),
            profile=profile,
            kind=subject.kind,
            phase=subject.phase,
            amount_fen=subject.amount_fen,
            fee_fen=subject.fee_fen,
            channel=subject.channel,
            account=await self._account(session, subject.source_account_id),
            payee=_payee_facts(paid, facts, subject.customer_id) if paid.key else None,
            surroundings=_surroundings(subject.context, seen, facts),
            signals=Signals.read(subject.context.get("signals")),
            proofs=len(subject.proofs),
            standing=subject.standing,
            waited=subject.waited,
        )

    async def _account(self, session: AsyncSession, account_id: str | None) -> AccountFacts | None:
        if account_id is None:
            return None
        account = await self._accounts.get(session, account_id)
        balance = await self._accounts.balance(session, account)
        return AccountFacts(account.kind, balance.available_fen, account.opened_on, account.is_default)


def seen_in(context: Mapping[str, Any]) -> Seen:
    """Device, network and place of the caller's `context`, as fingerprints; whatever cannot be used is unknown."""
    return Seen(
        device=text_key("device", context.get("device")),
        network=network_of(context.get("address")),
        place=text_key("place", context.get("place")),
    )


async def _look_up(
    session: AsyncSession, customer_id: str, paid: PaidTo, seen: Seen, now: datetime
) -> Mapping[str, Any]:
    """Counts and single values, all in one statement: each question costs more by asking than by answering."""
    questions: dict[str, ScalarSelect[Any]] = {
        "accounts": select(func.count())
        .where(Account.customer_id == customer_id, Account.status != "closed")
        .scalar_subquery(),
    }
    if paid.account_number:
        questions |= _about_payee(session, customer_id, paid)
    if paid.key:
        questions["senders_1d"] = _others("payee", paid.key, customer_id, now - DAY)
        questions["senders_7d"] = _others("payee", paid.key, customer_id, now - 7 * DAY)
    if seen.device:
        questions["device_customers"] = _others("device", seen.device, customer_id, now - 30 * DAY)
    if seen.network:
        questions["network_customers"] = _others("network", seen.network, customer_id, now - DAY)
    row = (await session.execute(select(*(query.label(name) for name, query in questions.items())))).one()
    facts = dict(row._mapping)
    if facts.get("payee_id") is not None:
        facts["nickname"] = Payee.nickname.open(vault_of(session), facts["nickname"], facts["payee_id"])
    return facts


def _about_payee(session: AsyncSession, customer_id: str, paid: PaidTo) -> dict[str, ScalarSelect[Any]]:
    book = (Payee.customer_id == customer_id, Payee.deleted_at.is_(None))
    bank = Payee.bank_code.is_(None) if paid.bank_code is None else Payee.bank_code == paid.bank_code
    entry = (*book, Payee.account_number.equals(session, paid.account_number), bank)
    questions: dict[str, ScalarSelect[Any]] = {
        "book_size": select(func.count()).where(*book).scalar_subquery(),
        "book_created_at": select(Payee.created_at).where(*entry).limit(1).scalar_subquery(),
        "payee_id": select(Payee.id).where(*entry).order_by(Payee.id).limit(1).scalar_subquery(),
        "nickname": select(Payee.nickname_sealed).where(*entry).order_by(Payee.id).limit(1).scalar_subquery(),
    }
    if paid.bank_code is None:
        owner = select(Account.customer_id).where(Account.number.equals(session, paid.account_number))
        questions["owner"] = owner.scalar_subquery()
    return questions


def _others(kind: str, key: str, customer_id: str, since: datetime) -> ScalarSelect[Any]:
    """How many other customers were seen with it, counted up to a bound."""
    found = (
        select(RiskSighting.customer_id)
        .where(
            RiskSighting.kind == kind,
            RiskSighting.key == key,
            RiskSighting.customer_id != customer_id,
            RiskSighting.last_at >= since,
        )
        .limit(OTHERS_MAX)
    )
    return select(func.count()).select_from(found.subquery()).scalar_subquery()


def _customer_facts(customer: Customer, facts: Mapping[str, Any]) -> CustomerFacts:
    return CustomerFacts(customer.created_at, customer.birth_date, customer.level, facts["accounts"])


def _payee_facts(paid: PaidTo, facts: Mapping[str, Any], customer_id: str) -> PayeeFacts:
    return PayeeFacts(
        key=paid.key,
        name_key=paid.name_key,
        other_bank=paid.bank_code is not None,
        own_account=facts.get("owner") == customer_id,
        book_created_at=facts.get("book_created_at"),
        has_nickname=bool(facts.get("nickname")),
        book_size=facts.get("book_size", 0),
        senders_1d=facts.get("senders_1d", 0),
        senders_7d=facts.get("senders_7d", 0),
    )


def _surroundings(context: Mapping[str, Any], seen: Seen, facts: Mapping[str, Any]) -> Surroundings:
    return Surroundings(
        device=seen.device,
        device_bound=context.get("device_bound") is True,
        device_customers_30d=facts.get("device_customers", 0),
        network=seen.network,
        network_customers_1d=facts.get("network_customers", 0),
        place=seen.place,
        abroad=context.get("abroad") is True,
        proxy=context.get("proxy") is True,
        session_started_at=_instant(context.get("session_started_at")),
        mobile=context.get("mobile") is True,
    )


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
