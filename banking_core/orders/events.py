"""Moving an order from one status to the next: the only way, and each step leaves a row nobody can change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import Who, current, note
from banking_core.checked import checked
from banking_core.orders.models import Order, OrderEvent
from banking_core.orders.states import ENDS

ActorKind = Literal["customer", "agent", "bank", "provider"]
REASON_LENGTH_MAX = 200


@checked
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
    """Changes the status of a locked order and writes down who did it. Asserts that it is allowed.

    An end the customer did not bring about is marked as still to be told, in the same transaction.
    """
    old, order.status = order.status, to
    if to in ENDS and by.kind in ("bank", "provider") and order.conversation_id is not None:
        order.untold = True
    await session.flush()
    await record(session, order.id, old, to, at=at, by=by, reason=reason)
    note_order(session, order, old, at=at, by=by, reason=reason)


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


def note_order(
    session: AsyncSession, order: Order, old: str | None, *, at: datetime, by: Actor, reason: str = ""
) -> None:
    """Puts the step an order has just made into the audit trail."""
    after: dict[str, Any] = {"status": order.status, "kind": order.kind, "amount_fen": order.amount_fen}
    if reason:
        after["reason"] = reason
    note(
        session,
        f"order.{order.status}",
        at=at,
        customer_id=order.customer_id,
        object_kind="order",
        object_id=order.number,
        before={"status": old} if old else None,
        after=after,
        by=_who(by),
    )


def _who(by: Actor) -> Who:
    """An actor as the audit trail knows them, with the place and device of whoever acts now if it is the same."""
    now = current()
    if by.kind in ("customer", "agent"):
        kind: Literal["customer", "agent"] = "customer" if by.kind == "customer" else "agent"
        return now if (now.kind, now.id) == (kind, by.id) else Who(kind, by.id, channel=by.channel)
    name = by.id if by.kind == "bank" else f"{by.kind}:{by.id}"
    return Who("system", name, channel=by.channel, correlation_id=now.correlation_id)


async def history(session: AsyncSession, order_id: str) -> Sequence[OrderEvent]:
    """Every transition of one order, oldest first."""
    statement = select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.sequence)
    return (await session.scalars(statement)).all()
