"""Numbers customers see: random, so that nobody learns from one how many of a kind a bank has.

Two letters for the kind, the bank date, random digits and a Luhn check digit over the digits before it, so that a
number misread over the phone is noticed. A number is given once, by the process that wins the unique constraint, and
never changes afterwards.

    ZG  order          HD  receipt (回单)          DZ  monthly statement (对账单)          YD  mandate (约定转账)
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from banking_core.clock import bank_date
from banking_core.errors import Conflict

Prefix = Literal["ZG", "HD", "DZ", "YD"]
DIGITS = 7
TRIES_MAX = 10
_NUMBER = re.compile(r"(?:ZG|HD|DZ|YD)[0-9]{16}")


def is_well_formed(number: str) -> bool:
    """True when the form and the check digit of a number are right."""
    return _NUMBER.fullmatch(number) is not None and check_digit(number[2:-1]) == number[-1]


def check_digit(digits: str) -> str:
    """The Luhn digit (ISO/IEC 7812) to append to `digits`."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


async def new_number(
    session: AsyncSession, prefix: Prefix, now: datetime, column: InstrumentedAttribute[Any]
) -> str:
    """A number that is not in `column` yet; raises Conflict when ten tries found none."""
    # The unique constraint is the proof; looking first only makes a refusal of the database improbable.
    for _ in range(TRIES_MAX):
        digits = f"{bank_date(now):%Y%m%d}{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        number = prefix + digits + check_digit(digits)
        if await session.scalar(select(column).where(column == number)) is None:
            return number
    raise Conflict("no free number found")
