"""The security log: who proved what, when, and what failed. No secret and no full phone number goes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.identity.models import SecurityEvent
from banking_core.money_text import mask_phone


class SecurityLog:
    """Append and read. Never commits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def record(
        self,
        session: AsyncSession,
        kind: str,
        *,
        customer_id: str | None = None,
        phone: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes one event; the phone number is masked before it is kept."""
        event = SecurityEvent(
            customer_id=customer_id,
            phone_masked=mask_phone(phone)[:11],
            kind=kind,
            detail=dict(detail or {}),
            at=self._clock.now(),
        )
        session.add(event)
        await session.flush()

    async def recent(
        self, session: AsyncSession, customer_id: str, limit: int = 20
    ) -> Sequence[SecurityEvent]:
        """A customer's newest events first."""
        statement = (
            select(SecurityEvent)
            .where(SecurityEvent.customer_id == customer_id)
            .order_by(SecurityEvent.id.desc())
            .limit(limit)
        )
        return (await session.scalars(statement)).all()
