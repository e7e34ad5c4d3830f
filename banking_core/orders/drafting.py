"""Drafting: a wish is priced, checked, judged and written down; nothing moves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.service import Accounts
from banking_core.clock import Clock
from banking_core.customers.models import Customer
from banking_core.customers.service import Customers
from banking_core.inserts import insert_if_absent
from banking_core.ledger.hashing import digest
from banking_core.numbers import new_number
from banking_core.orders.checks import check_source
from banking_core.orders.errors import OrderInvalid, OrderKeyConflict
from banking_core.orders.events import Actor, move, note_order, record
from banking_core.orders.execution import BLOCKED_CODE, HELD_LIFE
from banking_core.orders.limits import LimitBook, Moving, payee_hours
from banking_core.orders.models import Order
from banking_core.orders.risk import OrderRisk, RiskSubject, Verdict, raised
from banking_core.orders.states import DRAFTED, FAILED
from banking_core.orders.types import GuardSubject, OrderGuard, OrderHandler, Quote, judged_account_id
from banking_core.storage import new_id
from banking_core.vault import sealed_values, vault_of

LIFE = timedelta(minutes=10)
BODY_BYTES_MAX = 8_000
KEY_LENGTH_MAX = 128
CHANNEL_LENGTH_MAX = 32
CONVERSATION_LENGTH_MAX = 64


@dataclass(frozen=True)
class Wish:
    """What the caller of `Orders.draft` asks for, unchecked."""

    customer_id: str
    kind: str
    body: Mapping[str, Any]
    idempotency_key: str
    channel: str
    conversation_id: str | None
    context: Mapping[str, Any]
    mandate_id: str | None = None
    code_for_money: bool = False


@dataclass(frozen=True)
class Paid:
    """Whom an order pays: blind index, and for how many hours the customer has known them."""

    index: str
    hours: int


class Drafting:
    """The first part of the pipeline."""

    def __init__(
        self,
        clock: Clock,
        customers: Customers,
        accounts: Accounts,
        handlers: Mapping[str, OrderHandler],
        guards: list[OrderGuard],
        limits: LimitBook,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._customers = customers
        self._accounts = accounts
        self._handlers = handlers
        self._guards = guards

    async def draft(
        self, session: AsyncSession, wish: Wish, *, risk: OrderRisk, by: Actor | None = None
    ) -> Order:
        """See `Orders.draft`."""
        check_wish(wish)
        handler = self._handlers.get(wish.kind)
        if handler is None:
            raise OrderInvalid("unknown order kind", field="kind")
        asked = _fingerprint(session, wish)
        existing = await _by_key(session, wish.idempotency_key)
        if existing is not None:
            return _same(existing, asked)
        customer = await self._customers.get(session, wish.customer_id)
        quote = await handler.price(session, customer, wish.body)
        now = self._clock.now()
        account_id = judged_account_id(handler, quote.source_account_id, quote.body)
        paid = await _paid(session, customer.id, quote, now)
        await self._check(session, customer, wish, quote, account_id, paid, now)
        order_id = new_id()
        verdict = await risk.assess(session, _subject(wish, quote, account_id, order_id, now))
        values = _values(wish, quote, verdict, now) | {
            "id": order_id,
            "number": await new_number(session, "ZG", now, Order.number),
            "body_hash": asked,
            "payee_index": None if paid is None else paid.index,
            "payee_hours": None if paid is None else paid.hours,
        }
        by = by or Actor("customer", customer.id, wish.channel)
        stored = sealed_values(session, Order, values)
        inserted = await insert_if_absent(session, Order, stored, unique="idempotency_key")
        if inserted:
            await record(session, order_id, None, DRAFTED, at=now, by=by)
        order = await _by_key(session, wish.idempotency_key)
        assert order is not None, "inserted, or present before"
        if inserted:
            note_order(session, order, None, at=now, by=by)
        if inserted and verdict.kind == "block":
            order.failure_code, order.failure_text = BLOCKED_CODE, verdict.customer_text
            await move(session, order, FAILED, at=now, by=by, reason="risk: block")
        return _same(order, asked)

    async def _check(
        self,
        session: AsyncSession,
        customer: Customer,
        wish: Wish,
        quote: Quote,
        account_id: str | None,
        paid: Paid | None,
        now: datetime,
    ) -> None:
        assert quote.amount_fen >= 0 and quote.fee_fen >= 0
        subject = GuardSubject(customer.id, wish.kind, quote.amount_fen, account_id, "draft")
        for guard in self._guards:
            await guard.check(session, subject)
        if quote.limit_group is not None:
            hours = None if paid is None else paid.hours
            moving = Moving(
                customer.id, customer.level, quote.limit_group, wish.channel, quote.amount_fen, hours
            )
            await self._limits.check(session, moving, now)
        if quote.source_account_id is not None:
            total_fen = quote.amount_fen + quote.fee_fen
            await check_source(session, self._accounts, customer.id, quote.source_account_id, total_fen)


async def _paid(session: AsyncSession, customer_id: str, quote: Quote, now: datetime) -> Paid | None:
    if quote.payee is None:
        return None
    index = vault_of(session).index(Order.__tablename__, "payee", quote.payee.key)
    return Paid(index, await payee_hours(session, customer_id, index, quote.payee.known_since, now))


def check_wish(wish: Wish) -> None:
    """Raises OrderInvalid naming the field that cannot be used."""
    texts = (
        ("idempotency_key", wish.idempotency_key, KEY_LENGTH_MAX),
        ("kind", wish.kind, CHANNEL_LENGTH_MAX),
        ("channel", wish.channel, CHANNEL_LENGTH_MAX),
        ("customer_id", wish.customer_id, CHANNEL_LENGTH_MAX),
    )
    for field, text, length_max in texts:
        if not _usable(text, length_max):
            raise OrderInvalid(f"{field} is not text or out of bounds", field=field)
    if wish.conversation_id is not None and not _usable(wish.conversation_id, CONVERSATION_LENGTH_MAX):
        raise OrderInvalid("conversation_id is not text or out of bounds", field="conversation_id")
    if not isinstance(wish.body, Mapping) or not all(isinstance(key, str) for key in wish.body):
        raise OrderInvalid("the body is not an object", field="body")
    try:
        encoded = json.dumps(dict(wish.body), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):  # UnicodeEncodeError of a lone surrogate is a ValueError
        raise OrderInvalid("the body is not JSON", field="body") from None
    if len(encoded) > BODY_BYTES_MAX:
        raise OrderInvalid("the body is too large", field="body")


def _usable(text: object, length_max: int) -> bool:
    if not isinstance(text, str) or not 0 < len(text) <= length_max or "\x00" in text:
        return False
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def _subject(wish: Wish, quote: Quote, account_id: str | None, order_id: str, now: datetime) -> RiskSubject:
    return RiskSubject(
        phase="draft",
        customer_id=wish.customer_id,
        kind=wish.kind,
        amount_fen=quote.amount_fen,
        fee_fen=quote.fee_fen,
        source_account_id=account_id,
        body=quote.body,
        channel=wish.channel,
        conversation_id=wish.conversation_id,
        order_id=order_id,
        at=now,
        standing=wish.mandate_id is not None,
        context=wish.context,
    )


def _values(wish: Wish, quote: Quote, verdict: Verdict, now: datetime) -> dict[str, Any]:
    return {
        "kind": wish.kind,
        "customer_id": wish.customer_id,
        "status": DRAFTED,
        "body": quote.body,
        "amount_fen": quote.amount_fen,
        "fee_fen": quote.fee_fen,
        "facts": [list(fact) for fact in quote.facts],
        "receipt_facts": [],
        "step_up": raised(quote.step_up, verdict.factors | _asked_besides(wish, quote)),
        "source_account_id": quote.source_account_id,
        "limit_group": quote.limit_group,
        "idempotency_key": wish.idempotency_key,
        "channel": wish.channel,
        "conversation_id": wish.conversation_id,
        "mandate_id": wish.mandate_id,
        "risk_verdict": verdict.kind,
        "risk_text": verdict.customer_text or None,
        "risk_reasons": list(verdict.reasons),
        "settle_attempts": 0,
        "created_at": now,
        "expires_at": now + (HELD_LIFE if verdict.kind == "human" else LIFE),
    }


def _asked_besides(wish: Wish, quote: Quote) -> frozenset[str]:
    return frozenset({"otp"}) if wish.code_for_money and quote.amount_fen else frozenset()


def _fingerprint(session: AsyncSession, wish: Wish) -> str:
    """What tells one wish from another; keyed, because a plain digest would let an account number be guessed."""
    asked = digest([wish.customer_id, wish.kind, dict(wish.body)])
    return vault_of(session).index(Order.__tablename__, "body_hash", asked)


async def _by_key(session: AsyncSession, idempotency_key: str) -> Order | None:
    return await session.scalar(select(Order).where(Order.idempotency_key == idempotency_key))


def _same(order: Order, asked: str) -> Order:
    if order.body_hash != asked:
        raise OrderKeyConflict("the idempotency key was used with another body")
    return order
