from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.errors import BankError
from banking_core.ledger import (
    Batcher,
    BelowFloor,
    EntryDraft,
    Ledger,
    LedgerAccount,
    LedgerAccountNotFound,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    LedgerTransaction,
    Receipt,
    batch,
)
from banking_core.storage import Base, Database, DatabaseBusy
from tests.banking_core.engines import CopyOf, Engine, examples
from tests.banking_core.ledger.books import hold, lines, open_books


async def transfer(batcher: Batcher, key: str, source: int, target: int, amount_fen: int) -> Receipt:
    return await batcher.post(key=key, kind="transfer", entries=lines(source, target, amount_fen), memo="")


async def counted(database: Database) -> int:
    async with database.snapshot() as session:
        return await session.scalar(select(func.count()).select_from(LedgerTransaction)) or 0


async def test_each_of_many_bookings_at_once_is_accepted_or_refused_on_its_own(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        _, (a, b, c) = await open_books(session, core.ledger, 100, 0, 50)
        await hold(session, core, "held", c, 20)
    async with Batcher(database, core.clock) as batcher:
        outcomes = await asyncio.gather(
            transfer(batcher, "k1", a, b, 60),
            transfer(batcher, "k2", a, b, 60),  # only 40 are left
            transfer(batcher, "k1", a, b, 60),  # the same again
            transfer(batcher, "k1", a, b, 61),  # the same key for something else
            transfer(batcher, "k3", a, 999_999, 1),
            transfer(batcher, "k4", b, a, 30),  # from what k1 brought
            transfer(batcher, "k5", c, a, 31),  # 20 of 50 are held
            transfer(batcher, "k2", a, b, 60),  # now there is enough: a refusal is not remembered
            return_exceptions=True,
        )
        assert batcher.batch_count == 1
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [
        Receipt,
        BelowFloor,
        Receipt,
        LedgerKeyConflict,
        LedgerAccountNotFound,
        Receipt,
        BelowFloor,
        Receipt,
    ]
    first, again = outcomes[0], outcomes[2]
    assert isinstance(first, Receipt) and isinstance(again, Receipt)
    assert (first.transaction_id, first.repeated) == (again.transaction_id, not again.repeated)
    async with database.snapshot() as session:
        balances = [await core.ledger.balance_fen(session, account) for account in (a, b, c)]
        report = await core.ledger.verify(session)
    assert balances == [10, 90, 50]
    assert report.ok, report.problems


async def test_batches_and_single_postings_share_keys_and_chains(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, (a, b) = await open_books(session, core.ledger, 10_000, 10_000)
    async with Batcher(database, core.clock, batch_max=7) as batcher:

        async def alone(number: int) -> int:
            async with database.transaction() as session:
                booked = await core.ledger.post(
                    session, key=f"k{number}", kind="transfer", entries=lines(a, b, 1), memo=""
                )
                return booked.id

        async def together(number: int) -> int:
            return (await transfer(batcher, f"k{number}", a, b, 1)).transaction_id

        ids = await asyncio.gather(
            *(alone(number) for number in range(25)), *(together(number) for number in range(25))
        )
    assert ids[:25] == ids[25:]
    assert len(set(ids)) == 25
    async with database.snapshot() as session:
        assert await core.ledger.balance_fen(session, a) == 10_000 - 25
        report = await core.ledger.verify(session)
    assert report.ok, report.problems
    assert world


async def test_two_batchers_over_the_same_accounts_do_not_disturb_each_other(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        _, accounts = await open_books(session, core.ledger, *[1000] * 6)
    other = Database(database.url.render_as_string(hide_password=False))
    async with Batcher(database, core.clock, batch_max=9) as first, Batcher(other, core.clock) as second:
        await asyncio.gather(
            *(
                transfer(
                    (first, second)[number % 2],
                    f"k{number // 2}",  # each key goes to both
                    accounts[number // 2 % 6],
                    accounts[(number // 2 + 1 + number // 12 % 5) % 6],
                    1,
                )
                for number in range(240)
            )
        )
    await other.close()
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok, report.problems
    assert report.transaction_count == 6 + 120


async def test_a_batch_that_fails_as_a_whole_is_booked_one_by_one(
    database: Database, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as session:
        _, (a, b) = await open_books(session, core.ledger, 100, 0)

    async def broken(*_: Any) -> Any:
        raise RuntimeError("a defect in the set-based path")

    monkeypatch.setattr(batch, "write_bookings", broken)
    async with Batcher(database, core.clock) as batcher:
        outcomes = await asyncio.gather(
            transfer(batcher, "k1", a, b, 60), transfer(batcher, "k2", a, b, 60), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [Receipt, BelowFloor]
    assert await counted(database) == 2


async def test_bad_input_is_refused_before_it_waits(database: Database, core: Core) -> None:
    async with Batcher(database, core.clock) as batcher:
        for wrong in ([], lines(1, 2, 0), "no lines", [1, 2]):
            with pytest.raises(LedgerPostingInvalid):
                await batcher.post(key="k", kind="x", entries=wrong, memo="")  # type: ignore[arg-type]
        assert batcher.batch_count == 0
    with pytest.raises(DatabaseBusy):
        await transfer(batcher, "k", 1, 2, 5)


async def test_closing_books_what_is_waiting(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        _, (a, b) = await open_books(session, core.ledger, 100, 0)
    async with Batcher(database, core.clock, batch_max=3, waiting_max=50) as batcher:
        waiting = [asyncio.create_task(transfer(batcher, f"k{number}", a, b, 1)) for number in range(40)]
        await asyncio.sleep(0)
    assert len({(await task).transaction_id for task in waiting}) == 40


async def test_a_caller_that_went_away_does_not_hold_up_the_others(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        _, (a, b) = await open_books(session, core.ledger, 100, 0)
    async with Batcher(database, core.clock) as batcher:
        gone = asyncio.create_task(transfer(batcher, "gone", a, b, 1))
        stays = asyncio.create_task(transfer(batcher, "stays", a, b, 1))
        await asyncio.sleep(0)
        gone.cancel()
        assert isinstance(await stays, Receipt)
        again = await transfer(batcher, "gone", a, b, 1)
    assert again.repeated


# --- the same inputs through Ledger.post, one by one, and through batches --------------------------------------

FLOORS: tuple[int | None, ...] = (None, 0, -300, 0)
LINE = st.tuples(
    st.integers(0, len(FLOORS)), st.integers(-200, 200).filter(bool)
)  # one account does not exist
POSTING = st.tuples(
    st.integers(0, 12),  # few keys, so that they meet again with the same or another body
    st.lists(LINE, min_size=1, max_size=4),
    st.booleans(),
)
Posting = tuple[int, list[tuple[int, int]], bool]


def drafted(posting: Posting, accounts: Sequence[int]) -> tuple[str, list[EntryDraft]]:
    key, parts, balanced = posting
    entries = [EntryDraft(accounts[index], amount_fen) for index, amount_fen in parts]
    rest = -sum(entry.amount_fen for entry in entries)
    if balanced and rest:
        entries.append(EntryDraft(accounts[0], rest))
    return f"k{key}", entries


async def new_books(url: str) -> list[int]:
    """New books, to be copied for every example; gives the accounts in them and one that is not."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    ledger = Ledger(ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    async with database.transaction() as session:
        opened = [
            await ledger.open_account(
                session, code=f"p{n}", name="p", kind="customer", normal_side="credit", floor_fen=floor
            )
            for n, floor in enumerate(FLOORS)
        ]
        accounts = [*(account.id for account in opened), 999]
    await database.close()
    return accounts


Outcome = int | tuple[type[object], str]  # the id of what was booked, or how it was refused


def in_order(database: Database, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """On PostgreSQL ids by their order only: there a refused booking may use one up that nobody gets."""
    if database.is_sqlite:
        return list(outcomes)
    ids = sorted({outcome for outcome in outcomes if isinstance(outcome, int)})
    return [ids.index(outcome) if isinstance(outcome, int) else outcome for outcome in outcomes]


async def state(database: Database, session: AsyncSession) -> tuple[Any, ...]:
    accounts = await session.execute(
        select(LedgerAccount.id, LedgerAccount.balance_fen).order_by(LedgerAccount.id)
    )
    t = LedgerTransaction
    booked = await session.execute(select(t.id, t.key, t.chain, t.sequence, t.hash).order_by(t.id))
    rows = [tuple(row) for row in booked]
    ids = in_order(database, [row[0] for row in rows])
    return tuple(map(tuple, accounts)), ids, [row[1:] for row in rows]


async def one_by_one(
    database: Database, ledger: Ledger, drafts: Sequence[tuple[str, list[EntryDraft]]]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for key, entries in drafts:
        try:
            async with database.transaction() as session:
                booked = await ledger.post(session, key=key, kind="t", entries=entries, memo="")
                outcomes.append(booked.id)
        except BankError as error:
            outcomes.append((type(error), str(error)))
    return outcomes


async def in_a_batch(batcher: Batcher, drafts: Sequence[tuple[str, list[EntryDraft]]]) -> list[Outcome]:
    outcomes = await asyncio.gather(
        *(batcher.post(key=key, kind="t", entries=entries, memo="") for key, entries in drafts),
        return_exceptions=True,
    )
    return [
        outcome.transaction_id if isinstance(outcome, Receipt) else (type(outcome), str(outcome))
        for outcome in outcomes
    ]


async def compare(batches: list[list[Posting]], urls: list[str], accounts: list[int]) -> None:
    """Books one by one at the first URL, in batches at the second."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    ledger = Ledger(clock)
    alone, together = map(Database, urls)
    singly: list[Outcome] = []
    batched: list[Outcome] = []
    async with Batcher(together, clock) as batcher:
        for postings in batches:
            drafts = [drafted(posting, accounts) for posting in postings]
            singly += await one_by_one(alone, ledger, drafts)
            batched += await in_a_batch(batcher, drafts)
            assert in_order(together, batched) == in_order(alone, singly)
            clock.advance(seconds=1)
    async with alone.snapshot() as first, together.snapshot() as second:
        assert await state(alone, first) == await state(together, second)
        assert (await ledger.verify(second)).ok
    await alone.close()
    await together.close()


def test_a_batch_does_exactly_what_single_postings_do(
    engine_name: Engine, database_url: str, copy_of: CopyOf
) -> None:
    accounts = asyncio.run(new_books(database_url))

    @settings(
        max_examples=examples(engine_name, 15),
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(batches=st.lists(st.lists(POSTING, min_size=1, max_size=8), min_size=1, max_size=4))
    def it_does(batches: list[list[Posting]]) -> None:
        asyncio.run(compare(batches, [copy_of(database_url), copy_of(database_url)], accounts))

    it_does()
