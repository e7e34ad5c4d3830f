"""Numbers customers see: random, so that nobody learns from one how many orders a bank has."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from banking_core.clock import bank_date
from banking_core.errors import Conflict
from banking_core.orders.models import Order

DIGITS = 8
TRIES_MAX = 10


async def new_order_number(session: AsyncSession, now: datetime) -> str:
    """'ZG' + bank date + 8 digits, not used before."""
    return await _new_number(session, "ZG", now, Order.number)


async def new_receipt_number(session: AsyncSession, now: datetime) -> str:
    """'HD' (回单) + bank date + 8 digits, not used before."""
    return await _new_number(session, "HD", now, Order.receipt_number)


async def _new_number(
    session: AsyncSession,
    prefix: str,
    now: datetime,
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
) -> str:
    # The unique constraint is the proof; looking first only makes a refusal of the database improbable.
    for _ in range(TRIES_MAX):
        number = f"{prefix}{bank_date(now):%Y%m%d}{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        if await session.scalar(select(Order.id).where(column == number)) is None:
            return number
    raise Conflict("no free number found")
