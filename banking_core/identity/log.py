"""The security log: who proved what, when, from where, and what came of it.

No secret and no full phone number goes in; the address is sealed.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import Who, current, note
from banking_core.checked import Limit, checked
from banking_core.clock import Clock
from banking_core.identity.models import SecurityEvent
from banking_core.identity.origin import (
    ADDRESS_CHARS_MAX,
    DEVICE_NAME_CHARS_MAX,
    NOWHERE,
    Origin,
    mask_address,
)
from banking_core.money_text import mask_phone

# Tries, which this log keeps and counts, and changes that their own area puts into the audit trail.
NOT_AUDITED = frozenset(
    {
        "login_password_ok",
        "login_password_wrong",
        "login_while_locked",
        "login_proof_refused",
        "otp_sent",
        "otp_tried",
        "totp_tried",
        "lock_set",
        "lock_released",
        "card_loss_reported",
        "card_loss_cancelled",
    }
)
_counter = itertools.count()


@checked
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
        outcome: str = "",
        origin: Origin = NOWHERE,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes one event; the phone number is masked before it is kept."""
        now = self._clock.now()
        event = SecurityEvent(
            id=_ordered_id(now),
            customer_id=customer_id,
            phone_masked=mask_phone(phone)[:11],
            kind=kind,
            outcome=outcome,
            channel=origin.channel[:16],
            device_name=origin.device_name[:DEVICE_NAME_CHARS_MAX],
            detail=dict(detail or {}),
            at=now,
        )
        event.address = origin.address[:ADDRESS_CHARS_MAX] or None
        session.add(event)
        await session.flush()
        if kind not in NOT_AUDITED:
            note(
                session,
                f"security.{kind}",
                at=now,
                customer_id=customer_id,
                after={"outcome": outcome, **event.detail} if outcome else event.detail,
                by=_who(customer_id, origin),
            )

    async def recent(
        self, session: AsyncSession, customer_id: str, limit: Limit = 20
    ) -> Sequence[SecurityEvent]:
        """A customer's newest events first."""
        statement = (
            select(SecurityEvent)
            .where(SecurityEvent.customer_id == customer_id)
            .order_by(SecurityEvent.at.desc(), SecurityEvent.id.desc())
            .limit(limit)
        )
        return (await session.scalars(statement)).all()


def _who(customer_id: str | None, origin: Origin) -> Who | None:
    """Whoever said that they act; otherwise the customer, from where the channel saw them."""
    if not current().is_bank or customer_id is None:
        return None
    return Who(
        "customer",
        customer_id,
        channel=origin.channel,
        address=mask_address(origin.address),
        device=origin.device_name,
    )


def _ordered_id(now: datetime) -> str:
    """32 hexadecimal characters that rise with time, and within one process also at the same instant."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{milliseconds:012x}{next(_counter) & 0xFFFFFF:06x}{secrets.token_hex(7)}"
