"""Waiting orders: once the delay the risk area asked for is over they go on, or fail with the reason."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.errors import BankError
from banking_core.orders.events import Actor, move
from banking_core.orders.execution import Execution
from banking_core.orders.models import Order
from banking_core.orders.risk import OrderRisk
from banking_core.orders.settlement import lock_order
from banking_core.orders.states import FAILED, WAITING
from banking_core.storage import Database

log = logging.getLogger(__name__)
NEEDS_HUMAN_CODE = "order_needs_human"
NEEDS_HUMAN_TEXT = "这笔业务需要人工核实，没有办理，钱没有动。"


async def fail_for_human(session: AsyncSession, order: Order, now: datetime, by: Actor) -> None:
    """Ends an order that needs a human, or more proof, when nobody is there."""
    order.failure_code, order.failure_text = NEEDS_HUMAN_CODE, order.risk_text or NEEDS_HUMAN_TEXT
    await move(session, order, FAILED, at=now, by=by, reason=NEEDS_HUMAN_CODE)


class Release:
    """Carries out what waited long enough."""

    def __init__(self, clock: Clock, execution: Execution) -> None:
        self._clock = clock
        self._execution = execution

    async def release_due(self, database: Database, *, risk: OrderRisk, limit: int) -> list[Order]:
        """Releases orders one by one; one that goes wrong does not hold up the others."""
        async with database.snapshot() as session:
            statement = (
                select(Order.id)
                .where(Order.status == WAITING, Order.not_before <= self._clock.now())
                .order_by(Order.not_before, Order.id)
                .limit(limit)
            )
            due = (await session.scalars(statement)).all()
        released: list[Order] = []
        for order_id in due:
            try:
                order = await self._release(database, order_id, risk)
            except Exception:
                log.exception("release of order %s failed", order_id)  # it stays waiting and is tried again
                continue
            if order is not None:
                released.append(order)
        return released

    async def _release(self, database: Database, order_id: str, risk: OrderRisk) -> Order | None:
        async with database.transaction() as session:
            order = await lock_order(session, order_id)
            if order.status != WAITING:
                return None  # cancelled, or another process was faster
            now, by = self._clock.now(), Actor.bank("order_release")
            failure: tuple[str, str] | None = None
            try:
                async with session.begin_nested():
                    await self._execution.run(session, order, risk=risk, now=now, by=by, context={})
            except BankError as error:
                failure = (error.code, error.customer_text)
                await session.refresh(order)
            if failure is None and order.status == WAITING:  # the risk area wants a human, or more proof
                await fail_for_human(session, order, now, by)
            if failure is not None:
                order.failure_code, order.failure_text = failure[0][:64], failure[1][:200]
                await move(session, order, FAILED, at=now, by=by, reason=failure[0])
            return order
