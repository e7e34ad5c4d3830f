"""Five hundred transactions at once, then every one of them reverted by two callers at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.core import Core
from banking_core.ledger import AlreadyReversed, Batcher, BelowFloor
from banking_core.storage import Database
from tests.banking_core.ledger.books import lines, move, open_books

TRANSACTIONS = 500
ACCOUNTS = 10
OPENING_FEN = 100_000  # enough for every order of the transfers and of their reversals
SEED = 20261125


async def test_five_hundred_at_once_each_revert_tried_twice_happens_once(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        _, accounts = await open_books(session, core.ledger, *[OPENING_FEN] * ACCOUNTS)
    chance = random.Random(SEED)
    pairs = [chance.sample(accounts, 2) for _ in range(TRANSACTIONS)]

    async def alone(number: int) -> int:
        async def work(session: AsyncSession) -> int:
            return (await move(session, core.ledger, f"t{number}", *pairs[number], 1 + number % 90)).id

        return await database.run(work, idempotent=True)

    async def together(batcher: Batcher, number: int) -> int:
        entries = lines(*pairs[number], 1 + number % 90)
        return (
            await batcher.post(key=f"t{number}", kind="transfer", entries=entries, memo="")
        ).transaction_id

    async with Batcher(database, core.clock) as batcher:
        booked = await asyncio.gather(
            *(alone(n) if n % 2 else together(batcher, n) for n in range(TRANSACTIONS))
        )
    assert len(set(booked)) == TRANSACTIONS

    async def revert(transaction_id: int, attempt: int) -> str:
        async def work(session: AsyncSession) -> int:
            return (await core.ledger.reverse(session, transaction_id, f"r{transaction_id}:{attempt}")).id

        try:
            await database.run(work)
        except AlreadyReversed:
            return "refused"
        return "reverted"

    attempts = [(transaction_id, attempt) for transaction_id in booked for attempt in range(2)]
    chance.shuffle(attempts)
    outcomes = await asyncio.gather(*(revert(*attempt) for attempt in attempts))
    assert Counter(outcomes) == {"reverted": TRANSACTIONS, "refused": TRANSACTIONS}
    async with database.snapshot() as session:
        balances = [await core.ledger.balance_fen(session, account) for account in accounts]
        report = await core.ledger.verify(session)
    assert balances == [OPENING_FEN] * ACCOUNTS
    assert report.ok, report.problems
    assert report.transaction_count == ACCOUNTS + 2 * TRANSACTIONS


async def test_of_five_hundred_that_want_the_last_money_as_many_get_it_as_there_is(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        _, (poor, rich) = await open_books(session, core.ledger, 123, 0)

    async def want(number: int) -> str:
        async def work(session: AsyncSession) -> int:
            return (await move(session, core.ledger, f"t{number}", poor, rich, 1)).id

        try:
            await database.run(work, idempotent=True)
        except BelowFloor:
            return "refused"
        return "booked"

    outcomes = await asyncio.gather(*(want(number) for number in range(TRANSACTIONS)))
    assert Counter(outcomes) == {"booked": 123, "refused": TRANSACTIONS - 123}
    async with database.snapshot() as session:
        assert await core.ledger.balance_fen(session, poor) == 0
        report = await core.ledger.verify(session)
    assert report.ok, report.problems
