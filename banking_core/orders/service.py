"""Drafting, confirming and executing orders.

An order is executed at most once however often it is asked for: the row is locked, its status decides, and
its ledger key is its number. Whatever a handler does runs inside a savepoint, so that a refusal leaves no
trace and the caller may go on in the same transaction and tell the customer why.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.service import Accounts
from banking_core.clock import Clock
from banking_core.customers.models import Customer
from banking_core.customers.service import Customers
from banking_core.inserts import insert_if_absent
from banking_core.ledger.hashing import digest
from banking_core.ledger.service import Ledger
from banking_core.orders.checks import check_limit, check_source, used_today_fen
from banking_core.orders.errors import (
    OrderClosed,
    OrderExpired,
    OrderInvalid,
    OrderKeyConflict,
    OrderNotConfirmed,
    OrderNotFound,
    StepUpRequired,
)
from banking_core.orders.models import Order
from banking_core.orders.numbers import new_order_number, new_receipt_number
from banking_core.orders.settlement import Settlement, lock_order
from banking_core.orders.types import (
    GuardSubject,
    Limit,
    OrderGuard,
    OrderHandler,
    Quote,
    Submitted,
)
from banking_core.storage import Database, new_id

LIFE = timedelta(minutes=10)
BODY_BYTES_MAX = 8_000
OPEN = ("drafted", "confirmed")
DONE = ("submitted", "executed", "failed")
OVER = ("cancelled", "expired", "failed")


class Orders:
    """The order pipeline. Methods that take a session never commit."""

    def __init__(self, clock: Clock, ledger: Ledger, customers: Customers, accounts: Accounts) -> None:
        self._clock = clock
        self._customers = customers
        self._accounts = accounts
        self._handlers: dict[str, OrderHandler] = {}
        self._guards: list[OrderGuard] = []
        self._settlement = Settlement(clock, ledger, self._handlers)

    def register(self, handler: OrderHandler) -> None:
        """Adds a kind of order; each kind once."""
        assert handler.kind not in self._handlers, f"order kind {handler.kind} is registered twice"
        self._handlers[handler.kind] = handler

    def add_guard(self, guard: OrderGuard) -> None:
        """Adds a rule asked at drafting and at execution, in order of registration."""
        self._guards.append(guard)

    @property
    def kinds(self) -> frozenset[str]:
        """The registered kinds."""
        return frozenset(self._handlers)

    async def draft(
        self,
        session: AsyncSession,
        *,
        customer_id: str,
        kind: str,
        body: Mapping[str, Any],
        idempotency_key: str,
        channel: str,
        conversation_id: str | None = None,
    ) -> Order:
        """Prices and checks a wish and writes it down; nothing moves yet.

        The same key with the same body returns the first order, whatever became of it. Raises
        OrderKeyConflict, OrderInvalid, and what the handler, the guards, the limits and the balance refuse.
        """
        handler = self._handlers.get(kind)
        if handler is None:
            raise OrderInvalid(f"unknown order kind {kind!r}", field="kind")
        _check_request(body, idempotency_key)
        asked = digest([customer_id, kind, dict(body)])
        existing = await self._by_key(session, idempotency_key)
        if existing is not None:
            return _same(existing, asked)
        customer = await self._customers.get(session, customer_id)
        quote = await handler.price(session, customer, body)
        now = self._clock.now()
        await self._check(session, customer, kind, quote, now)
        values = {
            "id": new_id(),
            "number": await new_order_number(session, now),
            "kind": kind,
            "customer_id": customer_id,
            "status": "drafted",
            "body": quote.body,
            "amount_fen": quote.amount_fen,
            "fee_fen": quote.fee_fen,
            "facts": [list(fact) for fact in quote.facts],
            "receipt_facts": [],
            "step_up": quote.step_up,
            "source_account_id": quote.source_account_id,
            "limit_group": quote.limit.group if quote.limit else None,
            "limit_per_day_fen": quote.limit.per_day_fen if quote.limit else None,
            "idempotency_key": idempotency_key,
            "body_hash": asked,
            "channel": channel,
            "conversation_id": conversation_id,
            "settle_attempts": 0,
            "created_at": now,
            "expires_at": now + LIFE,
        }
        await insert_if_absent(session, Order, values, unique="idempotency_key")
        order = await self._by_key(session, idempotency_key)
        assert order is not None, "inserted, or present before"
        return _same(order, asked)

    async def confirm(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        """The customer said yes to the read-back. Idempotent.

        Raises OrderNotFound, OrderExpired, OrderClosed.
        """
        order = await self._locked(session, order_id, customer_id)
        if order.status in ("confirmed", "authorised", *DONE):
            return order
        self._ensure_open(order)
        order.status = "confirmed"
        order.confirmed_at = self._clock.now()
        await session.flush()
        return order

    async def execute(
        self, session: AsyncSession, order_id: str, customer_id: str, *, otp_verified: bool
    ) -> Order:
        """Does a confirmed order, once. A second call returns the same order and moves nothing.

        Raises OrderNotFound, OrderNotConfirmed, OrderExpired, OrderClosed, StepUpRequired and what guards,
        limits and the handler refuse; then nothing has moved and the order is as it was.
        """
        order = await self._locked(session, order_id, customer_id)
        if order.status in DONE:
            return order
        self._ensure_open(order)
        if order.status == "drafted":
            raise OrderNotConfirmed("the order was not confirmed")
        if order.step_up == "otp" and not otp_verified:
            raise StepUpRequired("a one-time code is needed")
        now = self._clock.now()
        await self._check_again(session, order, now)
        async with session.begin_nested():
            outcome = await self._handlers[order.kind].execute(session, order)
        order.authorised_at = now
        order.ledger_transaction_id = outcome.transaction_id
        order.receipt_facts = [list(fact) for fact in outcome.receipt_facts]
        if isinstance(outcome, Submitted):
            order.status, order.next_settle_at = "submitted", now
        else:
            order.status, order.executed_at = "executed", now
            order.receipt_number = await new_receipt_number(session, now)
        await session.flush()
        return order

    async def cancel(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        """Gives up an order that was not executed; cancelling twice changes nothing.

        Raises OrderClosed otherwise.
        """
        order = await self._locked(session, order_id, customer_id)
        if order.status == "cancelled":
            return order
        if order.status not in OPEN:
            raise OrderClosed(
                f"order is {order.status}",
                customer_text="这笔业务已经办理或结束，不能再取消。可以问我“转账状态”查看。",
            )
        order.status = "cancelled"
        await session.flush()
        return order

    async def get(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        """The order if it is this customer's; raises OrderNotFound."""
        order = await session.get(Order, order_id)
        if order is None or order.customer_id != customer_id:
            raise OrderNotFound("no such order of this customer")
        return order

    async def by_number(self, session: AsyncSession, number: str, customer_id: str) -> Order:
        """The order with this number if it is this customer's; raises OrderNotFound."""
        statement = select(Order).where(Order.number == number, Order.customer_id == customer_id)
        order = await session.scalar(statement)
        if order is None:
            raise OrderNotFound("no such order of this customer")
        return order

    async def latest(
        self,
        session: AsyncSession,
        customer_id: str,
        kinds: Collection[str] | None = None,
        limit: int = 5,
        *,
        statuses: Collection[str] | None = None,
    ) -> Sequence[Order]:
        """The newest orders first, at most 100; `kinds` and `statuses` narrow them."""
        statement = select(Order).where(Order.customer_id == customer_id)
        if kinds is not None:
            statement = statement.where(Order.kind.in_(kinds))
        if statuses is not None:
            statement = statement.where(Order.status.in_(statuses))
        statement = statement.order_by(Order.created_at.desc(), Order.number.desc()).limit(min(limit, 100))
        return (await session.scalars(statement)).all()

    async def used_today_fen(self, session: AsyncSession, customer_id: str, group: str) -> int:
        """What the customer moved in a limit group (such as `transfers`) on today's bank date, in fen."""
        return await used_today_fen(session, customer_id, group, self._clock.now())

    async def expire_due(self, session: AsyncSession) -> int:
        """Marks open orders past their time as expired; returns how many."""
        statement = (
            update(Order)
            .where(Order.status.in_(OPEN), Order.expires_at <= self._clock.now())
            .values(status="expired")
            .returning(Order.id)
        )
        return len((await session.scalars(statement)).all())

    async def settle_due(self, database: Database, *, limit: int = 100) -> list[Order]:
        """Settles what outside parties still owe an answer for; returns the orders that reached an end.

        Safe to run twice, after a crash, and by several processes at once.
        """
        return await self._settlement.settle_due(database, limit)

    async def settle(self, database: Database, order_id: str) -> Order:
        """Settles one order now, whatever its waiting time; returns it as it then is.

        An outside party that does not answer leaves it submitted. Raises OrderNotFound.
        """
        return await self._settlement.settle(database, order_id)

    async def _check(
        self, session: AsyncSession, customer: Customer, kind: str, quote: Quote, now: datetime
    ) -> None:
        assert quote.amount_fen >= 0 and quote.fee_fen >= 0
        subject = GuardSubject(customer.id, kind, quote.amount_fen, quote.source_account_id, "draft")
        for guard in self._guards:
            await guard.check(session, subject)
        if quote.limit is not None:
            await check_limit(session, customer.id, quote.limit, quote.amount_fen, now)
        if quote.source_account_id is not None:
            total_fen = quote.amount_fen + quote.fee_fen
            await check_source(session, self._accounts, customer.id, quote.source_account_id, total_fen)

    async def _check_again(self, session: AsyncSession, order: Order, now: datetime) -> None:
        """The world may have changed since drafting. The customer's row is locked.

        Orders are counted in turn.
        """
        await self._customers.lock(session, order.customer_id)
        subject = GuardSubject(
            order.customer_id, order.kind, order.amount_fen, order.source_account_id, "execute"
        )
        for guard in self._guards:
            await guard.check(session, subject)
        if order.limit_group is not None and order.limit_per_day_fen is not None:
            limit = Limit(order.limit_group, order.amount_fen, order.limit_per_day_fen)
            await check_limit(session, order.customer_id, limit, order.amount_fen, now)
        if order.source_account_id is not None:
            total_fen = order.amount_fen + order.fee_fen
            await check_source(session, self._accounts, order.customer_id, order.source_account_id, total_fen)

    async def _locked(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        order = await lock_order(session, order_id)
        if order.customer_id != customer_id:
            raise OrderNotFound("no such order of this customer")
        return order

    async def _by_key(self, session: AsyncSession, idempotency_key: str) -> Order | None:
        return await session.scalar(select(Order).where(Order.idempotency_key == idempotency_key))

    def _ensure_open(self, order: Order) -> None:
        """Expiry is judged by the clock: `expire_due` only writes down what is true already."""
        if order.status == "expired" or (order.status in OPEN and self._clock.now() >= order.expires_at):
            raise OrderExpired("the order has expired")
        if order.status in OVER:
            raise OrderClosed(f"order is {order.status}")


def _same(order: Order, asked: str) -> Order:
    if order.body_hash != asked:
        raise OrderKeyConflict("the idempotency key was used with another body")
    return order


def _check_request(body: Mapping[str, Any], idempotency_key: str) -> None:
    if not 0 < len(idempotency_key) <= 128:
        raise OrderInvalid("idempotency key out of bounds", field="idempotency_key")
    try:
        size = len(json.dumps(dict(body), ensure_ascii=False))
    except (TypeError, ValueError):
        raise OrderInvalid("the body is not JSON", field="body") from None
    if size > BODY_BYTES_MAX:
        raise OrderInvalid("the body is too large", field="body")
