"""One order in the hands of several processes at once: it is confirmed, carried out or cancelled exactly once."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.orders import Order
from banking_core.storage import Database
from banking_core.vault import KeyFile, Vault
from tests.banking_core.orders.paying import Paying
from tests.banking_core.orders.racing import Start, race

pytestmark = pytest.mark.process
PATIENCE_S = 90


class Race:
    """The same order in several processes, which all start at one sign."""

    def __init__(self, paying: Paying, folder: Path, clock: ManualClock) -> None:
        self._paying, self._folder, self._clock = paying, folder, clock
        self._url = paying.database.engine.url.render_as_string(hide_password=False)

    async def run(self, order: Order, *actions: str) -> list[str]:
        """What each process was told, in the order of `actions`."""
        starts = [
            Start(
                self._url,
                self._folder,
                str(number),
                action,
                order.id,
                self._paying.payer.id,
                self._clock.now(),
            )
            for number, action in enumerate(actions)
        ]
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.banking_core.orders.racing"])
        processes = [context.Process(target=race, args=(start,), daemon=True) for start in starts]
        for process in processes:
            process.start()
        for _ in range(PATIENCE_S * 50):
            if all(start.ready.exists() for start in starts):
                break
            await asyncio.sleep(0.02)
        starts[0].gun.touch()
        for process in processes:
            await asyncio.to_thread(process.join, PATIENCE_S)
        assert [process.exitcode for process in processes] == [0] * len(processes)
        return [start.result.read_text(encoding="ascii") for start in starts]


@pytest.fixture
async def paying(database: Database, core: Core, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Paying]:
    """Sealed with keys that the other processes find in a file."""
    keys = KeyFile(tmp_path / "keys.json")
    keys.create(clock.now())
    shared = Database(database.engine.url.render_as_string(hide_password=False), vault=Vault(keys))
    yield await Paying.open(shared, core)
    await shared.close()


async def test_carried_out_by_four_processes_the_money_moves_once(
    paying: Paying, tmp_path: Path, clock: ManualClock
) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    told = await Race(paying, tmp_path, clock).run(order, *["execute"] * 4)
    stored = await paying.stored(order)
    assert told == [f"executed {stored.receipt_number}"] * 4
    assert await paying.balances_fen() == (900_00, 100_00)
    await paying.verify()


async def test_confirmed_and_cancelled_at_once_there_is_one_story(
    paying: Paying, core: Core, tmp_path: Path, clock: ManualClock
) -> None:
    order = await paying.draft()
    async with paying.database.transaction() as session:
        await core.orders.read_back(session, order.id, paying.payer.id)
    await Race(paying, tmp_path, clock).run(order, "confirm", "cancel", "confirm")
    async with paying.database.snapshot() as session:
        steps = [event.to_status for event in await core.orders.events(session, order.id, paying.payer.id)]
    assert steps in (
        ["drafted", "read_back", "cancelled"],
        ["drafted", "read_back", "confirmed", "cancelled"],
    )


async def test_cancelled_while_it_is_carried_out_it_is_one_or_the_other(
    paying: Paying, tmp_path: Path, clock: ManualClock
) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    told = await Race(paying, tmp_path, clock).run(order, "execute", "cancel", "execute", "cancel")
    status, balances_fen = (await paying.stored(order)).status, await paying.balances_fen()
    assert (status, balances_fen) in [("executed", (900_00, 100_00)), ("cancelled", (1_000_00, 0))]
    if status == "executed":
        assert told[1] == told[3] == "order_closed"
    else:
        assert told == ["order_closed", "cancelled None"] * 2
    await paying.verify()
