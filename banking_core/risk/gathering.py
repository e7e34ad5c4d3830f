"""Everything a decision looks at, in three questions to the database: facts, habits, and what happened since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.orders.risk import RiskSubject
from banking_core.risk.context import (
    AccountFacts,
    CustomerFacts,
    PayeeFacts,
    RiskContext,
    Signals,
    Surroundings,
)
from banking_core.risk.facts import Facts, facts
from banking_core.risk.habits import Habits
from banking_core.risk.keys import Keys
from banking_core.risk.payees import NOBODY, PaidTo, paid_to

INSTANT_LENGTH_MAX = 40


@dataclass(frozen=True, slots=True)
class Seen:
    """What the caller told of device and place; fingerprints, "" for unknown."""

    device: str
    network: str
    place: str


@dataclass(frozen=True, slots=True)
class LoginSubject:
    """A log-in about to be allowed. `context` is what the channel knows: device, address, place, proxy, abroad ..."""

    customer_id: str
    channel: str
    at: datetime
    conversation_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


async def login_context(session: AsyncSession, subject: LoginSubject, habits: Habits) -> RiskContext:
    """The context of a log-in. Raises CustomerNotFound."""
    seen = seen_in(subject.context, Keys.of(session))
    found = await facts(
        session,
        subject.customer_id,
        account_id=None,
        paid=NOBODY,
        device=seen.device,
        network=seen.network,
        now=subject.at,
    )
    return RiskContext(
        at=subject.at,
        customer=CustomerFacts(found.created_at, found.birth_date, found.level, found.accounts),
        profile=await habits.of(session, subject.customer_id, subject.at, found.token),
        subject="login",
        kind="login",
        channel=subject.channel,
        surroundings=_surroundings(subject.context, seen, found),
        signals=Signals.read(subject.context.get("signals")),
    )


async def order_context(session: AsyncSession, subject: RiskSubject, habits: Habits) -> RiskContext:
    """The context of an order. Raises CustomerNotFound."""
    keys = Keys.of(session)
    paid = paid_to(subject.kind, subject.body, keys)
    seen = seen_in(subject.context, keys)
    found = await facts(
        session,
        subject.customer_id,
        account_id=subject.source_account_id,
        paid=paid,
        device=seen.device,
        network=seen.network,
        now=subject.at,
    )
    profile = await habits.of(session, subject.customer_id, subject.at, found.token, subject.order_id)
    return RiskContext(
        at=subject.at,
        customer=CustomerFacts(found.created_at, found.birth_date, found.level, found.accounts),
        profile=profile,
        kind=subject.kind,
        phase=subject.phase,
        amount_fen=subject.amount_fen,
        fee_fen=subject.fee_fen,
        channel=subject.channel,
        account=_account(found) if subject.source_account_id is not None else None,
        payee=_payee(paid, found, subject.customer_id) if paid.key else None,
        surroundings=_surroundings(subject.context, seen, found),
        signals=Signals.read(subject.context.get("signals")),
        proofs=len(subject.proofs),
        standing=subject.standing,
        waited=subject.waited,
    )


def seen_in(context: Mapping[str, Any], keys: Keys) -> Seen:
    """Device, network and place of the caller's `context`, as fingerprints; whatever cannot be used is unknown."""
    return Seen(
        device=keys.text("device", context.get("device")),
        network=keys.network(context.get("address")),
        place=keys.text("place", context.get("place")),
    )


def _account(found: Facts) -> AccountFacts:
    """An account that is not there holds nothing; the pipeline has refused the order by then."""
    if found.account_kind is None or found.opened_on is None:
        return AccountFacts()
    return AccountFacts(found.account_kind, found.available_fen or 0, found.opened_on, bool(found.is_default))


def _payee(paid: PaidTo, found: Facts, customer_id: str) -> PayeeFacts:
    return PayeeFacts(
        key=paid.key,
        name_key=paid.name_key,
        other_bank=paid.bank_code is not None,
        own_account=found.payee_owner == customer_id,
        book_created_at=found.book_created_at,
        has_nickname=found.has_nickname,
        book_size=found.book_size,
        senders_1d=found.senders_1d,
        senders_7d=found.senders_7d,
    )


def _surroundings(context: Mapping[str, Any], seen: Seen, found: Facts) -> Surroundings:
    return Surroundings(
        device=seen.device,
        device_bound=context.get("device_bound") is True,
        device_customers_30d=found.device_customers,
        network=seen.network,
        network_customers_1d=found.network_customers,
        place=seen.place,
        abroad=context.get("abroad") is True,
        proxy=context.get("proxy") is True,
        session_started_at=_instant(context.get("session_started_at")),
        mobile=context.get("mobile") is True,
    )


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) > INSTANT_LENGTH_MAX:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
