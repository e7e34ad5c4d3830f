from __future__ import annotations

import itertools

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.numbers import check_digit, is_well_formed
from banking_core.orders import OrderNotReadBack
from banking_core.orders.states import DONE, OPEN, OVER, STATUSES, TRANSITIONS
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core)


async def steps(paying: Paying, order_id: str) -> list[tuple[str | None, str, str, str]]:
    async with paying.database.snapshot() as session:
        events = await paying.core.orders.events(session, order_id, paying.payer.id)
        return [(e.from_status, e.to_status, e.actor_kind, e.reason) for e in events]


def test_every_status_can_be_reached_and_the_last_ones_lead_nowhere() -> None:
    reached = set().union(*TRANSITIONS.values())
    assert reached == set(STATUSES)
    assert {status for status in STATUSES if not TRANSITIONS[status]} == {
        "executed",
        "failed",
        "expired",
        "cancelled",
    }
    assert not set(OPEN) & {*DONE, *OVER}


async def test_a_step_that_is_not_in_the_table_is_refused_in_the_code(paying: Paying) -> None:
    order = await paying.draft()
    for old, new in itertools.product(STATUSES, STATUSES):
        order.__dict__["status"] = old
        if new in TRANSITIONS[old]:
            order.status = new
        else:
            with pytest.raises(AssertionError, match="cannot go"):
                order.status = new


async def test_every_step_of_an_order_is_written_down(paying: Paying) -> None:
    order = await paying.pay()
    assert await steps(paying, order.id) == [
        (None, "drafted", "customer", ""),
        ("drafted", "read_back", "customer", ""),
        ("read_back", "confirmed", "customer", ""),
        ("confirmed", "authorised", "customer", "proof: otp"),
        ("authorised", "executed", "customer", ""),
    ]
    interbank = await paying.pay(paying.interbank())
    await paying.core.orders.settle(paying.database, interbank.id)
    assert [step[:3] for step in await steps(paying, interbank.id)][-2:] == [
        ("authorised", "submitted", "customer"),
        ("submitted", "executed", "provider"),
    ]


async def test_expiry_and_cancelling_are_written_down(paying: Paying, clock: ManualClock) -> None:
    cancelled, expired = await paying.draft(), await paying.draft()
    await paying.cancel(cancelled)
    await paying.cancel(cancelled)
    clock.advance(seconds=600)
    async with paying.database.transaction() as session:
        await paying.core.orders.expire_due(session)
    assert (await steps(paying, cancelled.id))[1:] == [("drafted", "cancelled", "customer", "")]
    assert (await steps(paying, expired.id))[1:] == [("drafted", "expired", "bank", "")]


async def test_nothing_is_confirmed_that_was_not_read_back(paying: Paying, core: Core) -> None:
    order = await paying.draft()
    async with paying.database.transaction() as session:
        with pytest.raises(OrderNotReadBack):
            await core.orders.confirm(session, order.id, paying.payer.id)
    assert (await paying.stored(order)).status == "drafted"


async def test_the_database_refuses_to_change_what_happened(paying: Paying) -> None:
    await paying.draft()
    for statement in (
        "UPDATE order_event SET reason = 'x'",
        "DELETE FROM order_event",
        "TRUNCATE order_event"
        if not paying.database.is_sqlite
        else "INSERT OR REPLACE INTO order_event SELECT * FROM order_event",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with paying.database.transaction() as session:
                await session.execute(text(statement))


async def test_a_misread_number_is_noticed(paying: Paying) -> None:
    done = await paying.pay()
    for number in (done.number, done.receipt_number or ""):
        assert is_well_formed(number)
        for place in range(2, 18):
            slip = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
            assert not is_well_formed(slip)
    assert check_digit("7992739871") == "3"


async def test_a_receipt_is_never_renumbered(paying: Paying, clock: ManualClock) -> None:
    done = await paying.pay()
    clock.advance(seconds=86_400)
    again = await paying.execute(done)
    assert again.receipt_number == done.receipt_number
    assert (await paying.draft(key=done.idempotency_key)).receipt_number == done.receipt_number
