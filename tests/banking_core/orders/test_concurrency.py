from __future__ import annotations

import asyncio

import pytest

from banking_core.core import Core
from banking_core.errors import InsufficientFunds
from banking_core.orders import LimitExceeded, Order
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying
from tests.banking_core.people import fund


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core)


async def test_one_order_executed_by_many_at_once_moves_money_once(paying: Paying) -> None:
    order = await paying.draft()
    await asyncio.gather(*(paying.confirm(order) for _ in range(4)))
    done = await asyncio.gather(*(paying.execute(order) for _ in range(6)))
    assert {result.receipt_number for result in done} == {done[0].receipt_number}
    assert await paying.balances_fen() == (900_00, 100_00)
    await paying.verify()


async def test_confirming_and_cancelling_at_once_has_one_winner(paying: Paying) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    await asyncio.gather(paying.execute(order), paying.cancel(order), return_exceptions=True)
    status = (await paying.stored(order)).status
    assert (status, await paying.balances_fen()) in [
        ("executed", (900_00, 100_00)),
        ("cancelled", (1_000_00, 0)),
    ]


async def test_one_key_drafted_by_many_at_once_is_one_order(paying: Paying) -> None:
    orders = await asyncio.gather(*(paying.draft(key="k") for _ in range(6)))
    assert len({order.id for order in orders}) == 1


async def test_orders_draining_one_balance_stop_at_nothing_left(paying: Paying) -> None:
    orders = [await paying.draft(paying.body(400_00)) for _ in range(4)]
    for order in orders:
        await paying.confirm(order)
    results = await asyncio.gather(*(paying.execute(order) for order in orders), return_exceptions=True)
    assert [isinstance(result, Order) for result in results].count(True) == 2
    assert [isinstance(result, InsufficientFunds) for result in results].count(True) == 2
    assert await paying.balances_fen() == (200_00, 800_00)
    await paying.verify()


async def test_orders_at_once_do_not_pass_the_daily_limit_together(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        await fund(session, core, paying.payer.account, 10_000_000_00)
    once_fen = core.terms.fen("transfers.limit_per_transaction_yuan")
    allowed = core.terms.fen("transfers.limit_per_day_yuan") // once_fen
    orders = [await paying.draft(paying.body(once_fen)) for _ in range(allowed + 3)]
    for order in orders:
        await paying.confirm(order)
    results = await asyncio.gather(*(paying.execute(order) for order in orders), return_exceptions=True)
    assert [isinstance(result, Order) for result in results].count(True) == allowed
    assert [isinstance(result, LimitExceeded) for result in results].count(True) == 3
