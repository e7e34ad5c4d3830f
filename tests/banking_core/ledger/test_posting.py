from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.core import Core
from banking_core.errors import InsufficientFunds
from banking_core.ledger import (
    AlreadyReversed,
    BelowFloor,
    EntryDraft,
    InternalAccount,
    LedgerAccountNotFound,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    LedgerTransaction,
    LedgerTransactionNotFound,
)
from banking_core.storage import Database


async def accounts(session: AsyncSession, core: Core, *floors: int | None) -> list[int]:
    """Customer ledger accounts with the given floors, holding nothing."""
    opened = [
        await core.ledger.open_account(
            session, code=f"test:{index}", name="测试", kind="customer", normal_side="credit", floor_fen=floor
        )
        for index, floor in enumerate(floors)
    ]
    return [account.id for account in opened]


async def post(session: AsyncSession, core: Core, key: str, *lines: tuple[int, int]) -> LedgerTransaction:
    drafts = [EntryDraft(account, amount) for account, amount in lines]
    return await core.ledger.post(session, key=key, kind="test", entries=drafts, memo="")


async def transaction_count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(LedgerTransaction)) or 0


async def test_a_posting_moves_both_balances(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        transaction = await post(session, core, "k", (world, -500), (a, 500))
    async with database.snapshot() as session:
        assert await core.ledger.balance_fen(session, a) == 500
        assert await core.ledger.balance_fen(session, world) == -500
        assert [e.balance_after_fen for e in await core.ledger.entries(session, transaction.id)] == [
            -500,
            500,
        ]
        assert (await core.ledger.verify(session)).ok


async def test_the_same_key_and_body_books_once(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        first = await post(session, core, "k", (world, -500), (a, 500))
    core_clock_moved = core.clock
    core_clock_moved.advance(seconds=60)  # type: ignore[attr-defined]
    async with database.transaction() as session:
        second = await post(session, core, "k", (world, -500), (a, 500))
        assert second.id == first.id
        assert await core.ledger.balance_fen(session, a) == 500


async def test_the_same_key_with_another_body_is_a_conflict(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        await post(session, core, "k", (world, -500), (a, 500))
        with pytest.raises(LedgerKeyConflict):
            await post(session, core, "k", (world, -501), (a, 501))
        assert await core.ledger.balance_fen(session, a) == 500


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(0, 5)],
        [(0, 5), (1, -4)],
        [(0, 0), (1, 0)],
        [(0, 10**15), (1, -(10**15))],
        [(0, 1)] * 60 + [(1, -1)] * 60,
    ],
    ids=["empty", "one line", "unbalanced", "zero", "too much", "too many"],
)
async def test_a_malformed_posting_is_refused(
    database: Database, core: Core, lines: list[tuple[int, int]]
) -> None:
    async with database.transaction() as session:
        ids = await accounts(session, core, None, None)
        with pytest.raises(LedgerPostingInvalid):
            await post(session, core, "k", *[(ids[index], amount) for index, amount in lines])
        assert await transaction_count(session) == 0


async def test_amounts_that_are_not_whole_fen_are_refused(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        for wrong in (True, 1.0):
            good = EntryDraft(world, -1)
            with pytest.raises(LedgerPostingInvalid, match="int"):
                await core.ledger.post(
                    session,
                    key="k",
                    kind="test",
                    entries=[good, replace(good, ledger_account_id=a, amount_fen=wrong)],  # type: ignore[arg-type]
                    memo="",
                )


async def test_texts_out_of_bounds_are_refused(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        long = [EntryDraft(world, -1, summary="长" * 101), EntryDraft(a, 1)]
        with pytest.raises(LedgerPostingInvalid, match="summary"):
            await core.ledger.post(session, key="k", kind="test", entries=long, memo="")
        with pytest.raises(LedgerPostingInvalid, match="key"):
            await post(session, core, "", (world, -1), (a, 1))


async def test_an_unknown_account_is_refused(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        (world,) = await accounts(session, core, None)
        with pytest.raises(LedgerAccountNotFound):
            await post(session, core, "k", (world, -1), (999_999, 1))
        with pytest.raises(LedgerAccountNotFound):
            await core.ledger.balance_fen(session, 999_999)


@pytest.mark.parametrize(
    ("floor_fen", "amount_fen", "fits"), [(0, 100, True), (0, 101, False), (-50, 150, True)]
)
async def test_no_balance_falls_below_its_floor(
    database: Database, core: Core, floor_fen: int, amount_fen: int, fits: bool
) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, floor_fen)
        await post(session, core, "in", (world, -100), (a, 100))
        if fits:
            await post(session, core, "out", (a, -amount_fen), (world, amount_fen))
        else:
            with pytest.raises(BelowFloor) as refused:
                await post(session, core, "out", (a, -amount_fen), (world, amount_fen))
            assert isinstance(refused.value, InsufficientFunds)
            assert refused.value.code == "insufficient_funds"
        assert await core.ledger.balance_fen(session, a) == (100 - amount_fen if fits else 100)


async def test_a_refused_posting_leaves_the_session_usable(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        with pytest.raises(BelowFloor):
            await post(session, core, "out", (a, -1), (world, 1))
        await post(session, core, "in", (world, -7), (a, 7))
    async with database.snapshot() as session:
        assert await core.ledger.balance_fen(session, a) == 7
        assert (await core.ledger.verify(session)).ok


async def test_a_transaction_is_reversed_at_most_once(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        transaction = await post(session, core, "k", (world, -500), (a, 500))
        reversal = await core.ledger.reverse(session, transaction.id, "r1")
        assert (await core.ledger.reverse(session, transaction.id, "r1")).id == reversal.id
        for refused_id in (transaction.id, reversal.id):
            with pytest.raises(AlreadyReversed):
                await core.ledger.reverse(session, refused_id, "r2")
        assert await core.ledger.balance_fen(session, a) == 0
        with pytest.raises(LedgerTransactionNotFound):
            await core.ledger.reverse(session, 999_999, "r3")


async def test_a_reversal_is_refused_when_the_money_is_gone(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        transaction = await post(session, core, "k", (world, -500), (a, 500))
        await post(session, core, "spent", (a, -1), (world, 1))
        with pytest.raises(BelowFloor):
            await core.ledger.reverse(session, transaction.id, "r")


async def test_two_payments_at_once_never_overdraw_one_balance(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a = await accounts(session, core, None, 0)
        await post(session, core, "in", (world, -100), (a, 100))

    async def pay(key: str) -> bool:
        try:
            async with database.transaction() as session:
                await post(session, core, key, (a, -30), (world, 30))
        except BelowFloor:
            return False
        return True

    done = await asyncio.gather(*(pay(f"pay{index}") for index in range(8)))
    assert sum(done) == 3
    async with database.snapshot() as session:
        assert await core.ledger.balance_fen(session, a) == 10
    async with database.snapshot() as session:
        assert (await core.ledger.verify(session)).ok


async def test_one_key_from_many_at_once_books_once(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a, b = await accounts(session, core, None, 0, 0)

    async def same() -> int:
        async with database.transaction() as session:
            return (await post(session, core, "k", (world, -30), (a, 30))).id

    async def other() -> None:
        async with database.transaction() as session:
            await post(session, core, "k", (world, -30), (b, 30))

    results = await asyncio.gather(*(same() for _ in range(6)), other(), return_exceptions=True)
    async with database.snapshot() as session:
        both = [await core.ledger.balance_fen(session, account) for account in (a, b)]
    assert sorted(both) == [0, 30]
    assert all(isinstance(result, LedgerKeyConflict | int | None) for result in results), results


async def test_opposite_transfers_at_once_do_not_lock_each_other_out(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, a, b = await accounts(session, core, None, 0, 0)
        await post(session, core, "in", (world, -2000), (a, 1000), (b, 1000))

    async def move(key: str, source: int, target: int) -> None:
        async with database.transaction() as session:
            await post(session, core, key, (source, -1), (target, 1))

    await asyncio.gather(
        *(move(f"ab{index}", a, b) for index in range(15)), *(move(f"ba{index}", b, a) for index in range(15))
    )
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok
    assert report.transaction_count == 31


async def test_internal_accounts_open_once(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        first = await core.ledger.internal(session, InternalAccount.FEE_INCOME)
        await core.ledger.open_internal_accounts(session)
        assert await core.ledger.internal(session, InternalAccount.FEE_INCOME) == first
