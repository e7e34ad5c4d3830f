from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.core import Core
from banking_core.errors import ProviderUnavailable
from banking_core.ledger import LedgerTransaction
from banking_core.storage import Database, DatabaseBusy, after_commit
from tests.banking_core.ledger.books import move, open_books


class Pauses:
    """A sleep that only notes how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def collision() -> OperationalError:
    return OperationalError("x", None, Exception("database is locked"))


@pytest.mark.parametrize("error", [collision(), PoolTimeout("no connection was free")])
async def test_a_unit_of_work_that_collides_is_done_again(database_url: str, error: Exception) -> None:
    pauses = Pauses()
    database = Database(database_url, jitter=lambda: 0.5, sleep=pauses)
    tries = 0

    async def work(session: AsyncSession) -> str:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise error
        return "done"

    assert await database.run(work) == "done"
    assert pauses.seconds == [0.01, 0.02, 0.04]
    await database.close()


async def test_collisions_without_end_are_one_typed_error(database_url: str) -> None:
    pauses = Pauses()
    database = Database(database_url, jitter=lambda: 1.0, sleep=pauses)

    async def work(session: AsyncSession) -> None:
        raise collision()

    with pytest.raises(DatabaseBusy) as busy:
        await database.run(work, tries_max=3)
    assert isinstance(busy.value, ProviderUnavailable)
    assert pauses.seconds == [0.015, 0.03]
    await database.close()


async def test_a_lost_connection_is_tried_again_only_when_twice_is_once(database_url: str) -> None:
    database = Database(database_url, sleep=Pauses())
    tries = 0

    async def work(session: AsyncSession) -> int:
        nonlocal tries
        tries += 1
        if tries % 2:
            raise ConnectionResetError
        return tries

    with pytest.raises(ConnectionResetError):
        await database.run(work)
    tries = 0
    assert await database.run(work, idempotent=True) == 2
    await database.close()


async def test_other_errors_and_callbacks_are_left_as_they_are(database_url: str) -> None:
    database = Database(database_url, sleep=Pauses())
    called: list[str] = []

    async def callback() -> None:
        called.append("after")

    async def work(session: AsyncSession) -> None:
        after_commit(session, callback)

    async def wrong(session: AsyncSession) -> None:
        after_commit(session, callback)
        await session.execute(text("SELECT nonsense"))

    await database.run(work)
    with pytest.raises(DBAPIError):
        await database.run(wrong)
    assert called == ["after"]
    await database.close()


async def test_crossing_units_of_several_bookings_all_get_through(database: Database, core: Core) -> None:
    """Each unit locks its accounts in the opposite order of the next: without `run` some would deadlock."""
    async with database.transaction() as session:
        _, accounts = await open_books(session, core.ledger, *[1000] * 3)
    fresh = Database(database.url.render_as_string(hide_password=False), pool_size=8)

    async def unit(number: int) -> None:
        ways = [(0, 1), (1, 2), (2, 0)]
        ways = ways if number % 2 else ways[::-1]

        async def work(session: AsyncSession) -> None:
            for step, (source, target) in enumerate(ways):
                key = f"u{number}:{step}"
                await move(session, core.ledger, key, accounts[source], accounts[target], 1)

        await fresh.run(work, idempotent=True, tries_max=20)

    await asyncio.gather(*(unit(number) for number in range(16)))
    async with fresh.snapshot() as session:
        assert [await core.ledger.balance_fen(session, account) for account in accounts] == [1000] * 3
        assert await session.scalar(select(func.count()).select_from(LedgerTransaction)) == 3 + 48
        assert (await core.ledger.verify(session)).ok
    await fresh.close()


async def test_crossing_single_bookings_never_deadlock(database: Database, core: Core) -> None:
    """One booking per transaction takes its locks in one order: nothing has to be tried again."""
    async with database.transaction() as session:
        _, accounts = await open_books(session, core.ledger, *[1000] * 4)
    fresh = Database(database.url.render_as_string(hide_password=False), pool_size=16)

    async def worker(number: int) -> None:
        for step in range(6):
            source, target = accounts[(number + step) % 4], accounts[(number + step * 3 + 1) % 4]
            if source == target:
                continue
            async with fresh.transaction() as session:  # not `run`: a deadlock would surface here
                await move(session, core.ledger, f"w{number}:{step}", source, target, 1)

    await asyncio.gather(*(worker(number) for number in range(16)))
    async with fresh.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok, report.problems
    await fresh.close()
