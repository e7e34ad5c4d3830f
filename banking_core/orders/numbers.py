"""Numbers customers see: random, so that nobody learns from one how many orders a bank has.

'ZG' (order) or 'HD' (回单, receipt), the bank date, seven random digits and a Luhn check digit over the fifteen
digits before it, so that a number misread over the phone is noticed. A number is given once, by the process
that wins the unique constraint, and never changes afterwards.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from banking_core.clock import bank_date
from banking_core.errors import Conflict
from banking_core.orders.models import Order

DIGITS = 7
TRIES_MAX = 10
_NUMBER = re.compile(r"(?:ZG|HD)\d{16}")


def is_well_formed(number: str) -> bool:
    """True when the form and the check digit of an order or receipt number are right."""
    return _NUMBER.fullmatch(number) is not None and check_digit(number[2:-1]) == number[-1]


def check_digit(digits: str) -> str:
    """The Luhn digit (ISO/IEC 7812) to append to `digits`."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


async def new_order_number(session: AsyncSession, now: datetime) -> str:
    """A fresh order number."""
    return await _new_number(session, "ZG", now, Order.number)


async def new_receipt_number(session: AsyncSession, now: datetime) -> str:
    """A fresh receipt number."""
    return await _new_number(session, "HD", now, Order.receipt_number)


async def _new_number(
    session: AsyncSession,
    prefix: str,
    now: datetime,
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
) -> str:
    # The unique constraint is the proof; looking first only makes a refusal of the database improbable.
    for _ in range(TRIES_MAX):
        digits = f"{bank_date(now):%Y%m%d}{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        number = prefix + digits + check_digit(digits)
        if await session.scalar(select(Order.id).where(column == number)) is None:
            return number
    raise Conflict("no free number found")
