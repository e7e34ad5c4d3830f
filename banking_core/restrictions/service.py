"""Laying restrictions on customers, looking them up and lifting them. Methods never commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.customers.service import Customers
from banking_core.restrictions.models import BARRING, KINDS, Restriction, RestrictionKind

GROUNDS_CHARS_MAX = 200


@checked
class Restrictions:
    """The restrictions in force, one of a kind per customer."""

    def __init__(self, clock: Clock, customers: Customers) -> None:
        self._clock = clock
        self._customers = customers

    async def lay(
        self,
        session: AsyncSession,
        customer_id: str,
        kind: RestrictionKind,
        *,
        reason: str,
        until: datetime | None = None,
    ) -> Restriction:
        """Puts a restriction on. One of the kind that holds already stays, and lasts as long as the longer one.

        Raises CustomerNotFound.
        """
        await self._customers.lock(session, customer_id)
        for found in await self.active(session, customer_id):
            if found.kind == kind:
                longer = None if None in (found.until, until) else max(found.until, until)  # type: ignore[type-var]
                found.until = longer
                await session.flush()
                return found
        now = self._clock.now()
        fresh = Restriction(customer_id=customer_id, kind=kind, reason=reason[:64], since=now, until=until)
        session.add(fresh)
        await session.flush()
        note(
            session,
            "restriction.laid",
            at=now,
            customer_id=customer_id,
            after={"kind": kind, "reason": reason, "until": until.isoformat() if until else None},
        )
        return fresh

    async def active(self, session: AsyncSession, customer_id: str) -> Sequence[Restriction]:
        """The restrictions in force, oldest first."""
        statement = (
            select(Restriction)
            .where(Restriction.customer_id == customer_id, *self._in_force())
            .order_by(Restriction.since, Restriction.id)
        )
        return (await session.scalars(statement)).all()

    async def kinds(self, session: AsyncSession, customer_id: str) -> frozenset[str]:
        """The kinds in force."""
        return frozenset(found.kind for found in await self.active(session, customer_id))

    async def barred(self, session: AsyncSession, customer_ids: Sequence[str]) -> frozenset[str]:
        """Those of the customers under something that holds until a person has made sure who they are."""
        statement = select(Restriction.customer_id).where(
            Restriction.customer_id.in_(customer_ids), Restriction.kind.in_(BARRING), *self._in_force()
        )
        return frozenset(await session.scalars(statement))

    def _in_force(self) -> tuple[ColumnElement[bool], ...]:
        endless = Restriction.until.is_(None)
        return Restriction.lifted_at.is_(None), or_(endless, Restriction.until > self._clock.now())

    async def lift(
        self,
        session: AsyncSession,
        customer_id: str,
        *,
        by: str,
        grounds: str,
        kinds: Sequence[RestrictionKind] = KINDS,
    ) -> Sequence[str]:
        """Takes restrictions off after a person has made sure; returns the kinds that were lifted.

        `by` is whoever answers for it, `grounds` what they checked.
        """
        await self._customers.lock(session, customer_id)
        now, lifted = self._clock.now(), []
        for found in await self.active(session, customer_id):
            if found.kind in kinds:
                found.lifted_at, found.lifted_by = now, f"{by}: {grounds}"[:GROUNDS_CHARS_MAX]
                lifted.append(found.kind)
        await session.flush()
        if lifted:
            note(
                session,
                "restriction.lifted",
                at=now,
                customer_id=customer_id,
                before={"kinds": lifted},
                after={"by": by, "grounds": grounds[:GROUNDS_CHARS_MAX]},
            )
        return lifted
