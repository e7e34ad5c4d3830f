"""Settling orders with outside parties.

The provider is called outside any transaction with the order's number as its idempotency key; the answer is
written down in a transaction of its own. A crash between the two repeats the call, which has no second
effect, and the order's status, read under a lock, lets exactly one writer book the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.errors import ProviderUnavailable
from banking_core.ledger.service import Ledger
from banking_core.numbers import new_number
from banking_core.orders.errors import OrderNotFound
from banking_core.orders.events import Actor, move
from banking_core.orders.models import Order
from banking_core.orders.states import EXECUTED, FAILED
from banking_core.orders.types import OrderHandler, Settled, SettlingHandler
from banking_core.storage import Database

log = logging.getLogger(__name__)
RETRY_S_FIRST = 2
RETRY_S_MAX = 300
RETURN_SUMMARY = "退款：对方未受理"


async def lock_order(session: AsyncSession, order_id: str) -> Order:
    """The order, locked until the transaction ends; raises OrderNotFound."""
    statement = (
        select(Order)
        .where(Order.id == order_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    order = await session.scalar(statement)
    if order is None:
        raise OrderNotFound("no such order")
    return order


class Settlement:
    """Asks outside parties and books their answers."""

    def __init__(self, clock: Clock, ledger: Ledger, handlers: Mapping[str, OrderHandler]) -> None:
        self._clock = clock
        self._ledger = ledger
        self._handlers = handlers

    async def settle_due(self, database: Database, limit: int) -> list[Order]:
        """Settles submitted orders whose time has come; one that goes wrong does not hold up the others."""
        async with database.snapshot() as session:
            statement = (
                select(Order.id)
                .where(Order.status == "submitted", Order.next_settle_at <= self._clock.now())
                .order_by(Order.next_settle_at, Order.id)
                .limit(limit)
            )
            due = (await session.scalars(statement)).all()
        ended: list[Order] = []
        for order_id in due:
            try:
                order = await self.settle(database, order_id)
            except Exception:
                # A defect in one handler must not keep other customers' money waiting; it is retried later.
                log.exception("settlement of order %s failed", order_id)
                await self._postpone(database, order_id)
                continue
            if order.status != "submitted":
                ended.append(order)
        return ended

    async def settle(self, database: Database, order_id: str) -> Order:
        """Asks the outside party about one order and books its answer; returns the order as it then is."""
        async with database.snapshot() as session:
            order = await session.get(Order, order_id)
            if order is None:
                raise OrderNotFound("no such order")
            session.expunge(order)  # the end of a snapshot would empty it
        if order.status != "submitted" or self._is_early(order):
            return order
        handler = self._handlers[order.kind]
        assert isinstance(handler, SettlingHandler), f"order kind {order.kind} cannot be settled"
        try:
            settled = await handler.settle(order)
        except ProviderUnavailable:
            log.warning("no answer yet for order %s", order.number)
            return await self._postpone(database, order_id)
        async with database.transaction() as session:
            return await self._book(session, handler, order_id, settled)

    def _is_early(self, order: Order) -> bool:
        """An order that was accepted outside the hours of the outside party waits for them."""
        waits = order.next_settle_at is not None and order.next_settle_at > self._clock.now()
        return waits and order.settle_attempts == 0

    async def _book(
        self, session: AsyncSession, handler: SettlingHandler, order_id: str, settled: Settled
    ) -> Order:
        order = await lock_order(session, order_id)
        if order.status != "submitted":
            return order  # another process was faster
        now = self._clock.now()
        provider = Actor("provider", order.kind, "settlement")
        order.provider_reference = settled.reference
        order.next_settle_at = None
        if settled.ok:
            order.executed_at = now
            order.receipt_facts = [*order.receipt_facts, *(list(fact) for fact in settled.receipt_facts)]
            order.receipt_number = await new_number(session, "HD", now, Order.receipt_number)
            await move(session, order, EXECUTED, at=now, by=provider, reason=settled.reference or "")
        else:
            assert order.ledger_transaction_id is not None, "a submitted order holds money"
            order.failure_code = settled.failure_code or "refused"
            order.failure_text = settled.failure_text
            await move(session, order, FAILED, at=now, by=provider, reason=order.failure_code)
            await self._ledger.reverse(
                session,
                order.ledger_transaction_id,
                f"order:{order.number}:return",
                memo=f"{order.number} 退回",
                summary=RETURN_SUMMARY,
            )
        await handler.on_settled(session, order, settled)
        await session.flush()
        return order

    async def _postpone(self, database: Database, order_id: str) -> Order:
        """Waits twice as long after each try, up to five minutes."""
        async with database.transaction() as session:
            order = await lock_order(session, order_id)
            if order.status == "submitted":
                wait_s = min(RETRY_S_FIRST * 2 ** min(order.settle_attempts, 16), RETRY_S_MAX)
                order.settle_attempts += 1
                order.next_settle_at = self._clock.now() + timedelta(seconds=wait_s)
            return order
