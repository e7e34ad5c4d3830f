"""A receipt's number is given once and stays, whatever is asked for again."""

from __future__ import annotations

import asyncio

import pytest

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.numbers import is_well_formed
from banking_core.orders import Order, OrderNotFound
from banking_core.storage import Database
from tests.banking_core.orders.paying import CLOSED_NUMBER, Paying


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core)


def receipt(order: Order) -> tuple[object, ...]:
    return order.number, order.receipt_number, order.executed_at, order.receipt_facts


async def test_asked_for_again_it_is_the_same(paying: Paying, clock: ManualClock) -> None:
    first = await paying.pay()
    clock.advance(seconds=86_400)
    again = await paying.execute(first)
    assert receipt(again) == receipt(first) == receipt(await paying.stored(first))
    assert first.receipt_number is not None and is_well_formed(first.receipt_number)
    assert first.receipt_number.startswith("HD20261102") and first.number.startswith("ZG20261102")


async def test_settled_by_several_at_once_there_is_one_receipt(paying: Paying, core: Core) -> None:
    order = await paying.pay(paying.interbank())
    assert (order.status, order.receipt_number) == ("submitted", None)
    settled = await asyncio.gather(*(core.orders.settle(paying.database, order.id) for _ in range(4)))
    assert len({each.receipt_number for each in settled}) == 1
    assert receipt(await paying.stored(order)) == receipt(settled[0])


async def test_what_was_not_done_has_no_receipt(paying: Paying, core: Core) -> None:
    order = await paying.pay(paying.interbank(number=CLOSED_NUMBER))
    assert (await core.orders.settle(paying.database, order.id)).receipt_number is None
    assert (await paying.cancel(await paying.draft())).receipt_number is None


async def test_it_is_found_by_its_number_and_only_by_its_owner(paying: Paying, core: Core) -> None:
    order = await paying.pay()
    assert order.receipt_number is not None
    async with paying.database.snapshot() as session:
        found = await core.orders.by_receipt_number(session, order.receipt_number, paying.payer.id)
        assert found.id == order.id
        for number, customer_id in ((order.receipt_number, paying.payee.id), ("HD1", paying.payer.id)):
            with pytest.raises(OrderNotFound):
                await core.orders.by_receipt_number(session, number, customer_id)


async def test_a_number_once_given_cannot_be_replaced(paying: Paying) -> None:
    order = await paying.pay()
    for name in ("number", "receipt_number"):
        with pytest.raises(AssertionError, match="never changes"):
            setattr(order, name, "ZG20261102000000000")
