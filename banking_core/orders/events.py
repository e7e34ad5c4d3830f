"""Moving an order from one status to the next: the only way, and each step leaves a row nobody can change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.orders.models import Order, OrderEvent

ActorKind = Literal["customer", "agent", "bank", "provider"]
REASON_LENGTH_MAX = 200


@dataclass(frozen=True)
class Actor:
    """Who moved an order: a customer or agent by id, the bank's own job by name, or an outside party."""

    kind: ActorKind
    id: str
    channel: str

    @classmethod
    def bank(cls, job: str) -> Actor:
        """A job or timer of the bank."""
        return cls("bank", job, "bank")


async def move(
    session: AsyncSession, order: Order, to: str, *, at: datetime, by: Actor, reason: str = ""
) -> None:
    """Changes the status of a locked order and writes down who did it. Asserts that it is allowed."""
    old, order.status = order.status, to
    await session.flush()
    await record(session, order.id, old, to, at=at, by=by, reason=reason)


async def record(
    session: AsyncSession,
    order_id: str,
    old: str | None,
    new: str,
    *,
    at: datetime,
    by: Actor,
    reason: str = "",
) -> None:
    """Appends one event. The order's row is locked by this transaction, so its numbers have no gap."""
    newest = select(func.coalesce(func.max(OrderEvent.sequence), 0) + 1).where(
        OrderEvent.order_id == order_id
    )
    await session.execute(
        insert(OrderEvent).values(
            order_id=order_id,
            sequence=newest.scalar_subquery(),
            from_status=old,
            to_status=new,
            at=at,
            actor_kind=by.kind,
            actor_id=by.id[:64],
            channel=by.channel[:32],
            reason=reason[:REASON_LENGTH_MAX],
        )
    )


async def history(session: AsyncSession, order_id: str) -> Sequence[OrderEvent]:
    """Every transition of one order, oldest first."""
    statement = select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.sequence)
    return (await session.scalars(statement)).all()
