"""What was proved is not kept for ever; what may still be counted or asked for is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from banking_core.clock import ManualClock
from banking_core.identity import upkeep
from banking_core.identity.models import KnownPlace, LoginAttempt, OtpChallenge, Recovery, SecurityEvent
from banking_core.identity.upkeep import clear_proofs
from tests.banking_core.identity.logging_in import PHONE, Customer

DAY_S = 86_400
TABLES = (OtpChallenge, LoginAttempt, Recovery, KnownPlace)


async def counts(customer: Customer) -> list[int]:
    async with customer.database.snapshot() as session:
        return [int(await session.scalar(select(func.count()).select_from(table)) or 0) for table in TABLES]


async def clear(customer: Customer, clock: ManualClock) -> int:
    async with customer.database.transaction() as session:
        return await clear_proofs(session, clock.now())


async def test_codes_and_log_ins_go_after_a_month_and_places_after_half_a_year(
    customer: Customer, clock: ManualClock, monkeypatch: Any
) -> None:
    monkeypatch.setattr(upkeep, "BATCH_ROWS", 2)
    for _ in range(3):
        await customer.log_in()
        clock.advance(seconds=60)
    async with customer.database.transaction() as session:
        await customer.core.identity.recoveries.start(session, PHONE, origin=customer.origin)
    clock.advance(seconds=29 * DAY_S)
    assert await clear(customer, clock) == 0, "not a month since they ended"
    assert await counts(customer) == [4, 3, 1, 1]
    clock.advance(seconds=2 * DAY_S)
    assert [await clear(customer, clock) for _ in range(3)] == [5, 3, 0], "some rows at a time"
    assert await counts(customer) == [0, 0, 0, 1]
    clock.advance(seconds=150 * DAY_S)
    assert await clear(customer, clock) == 1
    async with customer.database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(SecurityEvent)), "the log stays"
