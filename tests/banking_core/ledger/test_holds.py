from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts import Accounts
from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.ledger import (
    BelowFloor,
    HoldExpired,
    HoldInvalid,
    HoldNotFound,
    HoldNotPending,
    HoldPosted,
    HoldVoided,
    LedgerHoldEvent,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    LedgerTransaction,
)
from banking_core.storage import Database
from tests.banking_core.ledger.books import hold, lines, move, open_books
from tests.banking_core.people import make_person


async def post_hold(
    session: AsyncSession, core: Core, hold_id: int, key: str, source: int, target: int, amount_fen: int
) -> LedgerTransaction:
    return await core.ledger.post_hold(
        session, hold_id, key=key, kind="transfer", entries=lines(source, target, amount_fen), memo=""
    )


async def events(session: AsyncSession, hold_id: int) -> list[tuple[str, int]]:
    rows = await session.execute(
        select(LedgerHoldEvent.event, LedgerHoldEvent.amount_fen)
        .where(LedgerHoldEvent.hold_id == hold_id)
        .order_by(LedgerHoldEvent.id)
    )
    return [(event, amount_fen) for event, amount_fen in rows]


async def assert_sound(database: Database, core: Core) -> None:
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok, report.problems[:3]


async def test_held_money_stays_in_the_balance_but_cannot_be_spent(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 1000)
        await hold(session, core, "h", a, 700)
        now = await core.ledger.standing(session, a)
        assert (now.balance_fen, now.held_fen, now.available_fen) == (1000, 700, 300)
        with pytest.raises(BelowFloor):
            await move(session, core.ledger, "too much", a, world, 301)
        with pytest.raises(BelowFloor):
            await hold(session, core, "h2", a, 301)
        await move(session, core.ledger, "fits", a, world, 300)
    await assert_sound(database, core)


async def test_what_a_customer_may_pay_leaves_out_what_is_held(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004", 1000)
        await hold(session, core, "h", person.account.ledger_account_id, 400)
        balance = await Accounts(core.ledger).balance(session, person.account)
    assert (balance.balance_fen, balance.held_fen, balance.available_fen) == (1000, 400, 600)


@pytest.mark.parametrize("spent_fen", [700, 1])
async def test_a_hold_is_posted_in_whole_or_part_and_the_rest_is_free(
    database: Database, core: Core, spent_fen: int
) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 1000)
        placed = await hold(session, core, "h", a, 700)
        booked = await post_hold(session, core, placed.id, "p", a, world, spent_fen)
        now = await core.ledger.standing(session, a)
        assert (now.balance_fen, now.held_fen) == (1000 - spent_fen, 0)
        ended = await core.ledger.hold(session, placed.id)
        assert (ended.status, ended.posted_fen) == ("posted", spent_fen)
        assert booked.hold_id == placed.id
        assert await events(session, placed.id) == [("placed", 700), ("posted", spent_fen)]
    await assert_sound(database, core)


async def test_the_whole_balance_can_be_held_and_posted(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 1000)
        placed = await hold(session, core, "h", a, 1000)
        await post_hold(session, core, placed.id, "p", a, world, 1000)
        assert await core.ledger.balance_fen(session, a) == 0


async def test_every_step_repeated_gives_its_first_result(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 1000)
        first = await hold(session, core, "h", a, 700)
        assert (await hold(session, core, "h", a, 700)).id == first.id
        with pytest.raises(LedgerKeyConflict):
            await hold(session, core, "h", a, 701)
        booked = await post_hold(session, core, first.id, "p", a, world, 5)
        assert (await post_hold(session, core, first.id, "p", a, world, 5)).id == booked.id
        with pytest.raises(LedgerKeyConflict):
            await post_hold(session, core, first.id, "p", a, world, 6)
        with pytest.raises(LedgerKeyConflict):
            await move(session, core.ledger, "p", a, world, 5)  # the same lines, but not from the hold
        assert (await hold(session, core, "h", a, 700)).status == "posted"
        second = await hold(session, core, "h2", a, 5)
        await core.ledger.void_hold(session, second.id)
        assert (await core.ledger.void_hold(session, second.id)).status == "voided"
    await assert_sound(database, core)


async def test_an_ended_hold_says_how_it_ended(database: Database, core: Core, clock: ManualClock) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 1000)
        posted, voided, expired = [await hold(session, core, f"h{n}", a, 100) for n in range(3)]
        await post_hold(session, core, posted.id, "p", a, world, 100)
        await core.ledger.void_hold(session, voided.id)
        clock.advance(seconds=3600)
        assert [h.id for h in await core.ledger.expire_holds(session, clock.now())] == [expired.id]
        assert await core.ledger.expire_holds(session, clock.now()) == []
        for ended, error in ((posted, HoldPosted), (voided, HoldVoided), (expired, HoldExpired)):
            with pytest.raises(error) as refused:
                await post_hold(session, core, ended.id, f"again:{ended.id}", a, world, 1)
            assert isinstance(refused.value, HoldNotPending)
        for ended, error in ((posted, HoldPosted), (expired, HoldExpired)):
            with pytest.raises(error):
                await core.ledger.void_hold(session, ended.id)
        now = await core.ledger.standing(session, a)
        assert (now.balance_fen, now.held_fen) == (900, 0)
        assert await events(session, expired.id) == [("placed", 100), ("expired", 100)]
    await assert_sound(database, core)


async def test_a_hold_past_its_time_is_not_posted_even_before_the_job_came(
    database: Database, core: Core, clock: ManualClock
) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 1000)
        placed = await hold(session, core, "h", a, 100)
        clock.advance(seconds=3600)
        with pytest.raises(HoldExpired):
            await post_hold(session, core, placed.id, "p", a, world, 100)
        assert (await core.ledger.standing(session, a)).held_fen == 100
        assert await core.ledger.expire_holds(session, clock.now() - timedelta(seconds=1)) == []
        await core.ledger.void_hold(session, placed.id)  # giving it back is never too late
    await assert_sound(database, core)


async def test_a_refused_posting_leaves_the_hold_pending(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, (a, b) = await open_books(session, core.ledger, 1000, 0)
        placed = await hold(session, core, "h", a, 100)
        for wrong in (101, -100):
            with pytest.raises(HoldInvalid):
                await post_hold(session, core, placed.id, "p", a, world, wrong)
        with pytest.raises(HoldInvalid):
            await post_hold(session, core, placed.id, "p", b, world, 1)
        too_much = [*lines(a, world, 100), *lines(b, world, 1)]
        with pytest.raises(BelowFloor):
            await core.ledger.post_hold(
                session, placed.id, key="p", kind="transfer", entries=too_much, memo=""
            )
        with pytest.raises(LedgerPostingInvalid):
            await core.ledger.post_hold(
                session, placed.id, key="p", kind="transfer", entries=lines(a, world, 5)[:1], memo=""
            )
        now = await core.ledger.standing(session, a)
        assert (now.balance_fen, now.held_fen) == (1000, 100)
        await post_hold(session, core, placed.id, "p", a, world, 100)
    await assert_sound(database, core)


async def test_holds_that_cannot_be_are_refused(database: Database, core: Core) -> None:
    now = core.clock.now()
    async with database.transaction() as session:
        _, (a,) = await open_books(session, core.ledger, 1000)
        for amount_fen, expires_at in ((0, now), (-5, now), (5, now), (5, now.replace(tzinfo=None))):
            with pytest.raises(HoldInvalid):
                await core.ledger.place_hold(
                    session, key="h", ledger_account_id=a, amount_fen=amount_fen, expires_at=expires_at
                )
        with pytest.raises(HoldNotFound):
            await core.ledger.void_hold(session, 999)


async def test_of_two_that_end_a_hold_at_once_one_wins(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 10_000)
        holds = [(await hold(session, core, f"h{n}", a, 10)).id for n in range(8)]

    async def end(hold_id: int, how: int) -> str:
        try:
            async with database.transaction() as session:
                if how == 0:
                    await core.ledger.void_hold(session, hold_id)
                    return "voided"
                await post_hold(session, core, hold_id, f"p{hold_id}:{how}", a, world, 10)
                return "posted"
        except HoldNotPending as refused:
            return refused.code

    for hold_id in holds:
        outcomes = await asyncio.gather(*(end(hold_id, how) for how in range(3)))
        assert len([outcome for outcome in outcomes if outcome in ("voided", "posted")]) == 1, outcomes
    async with database.snapshot() as session:
        assert (await core.ledger.standing(session, a)).held_fen == 0
    await assert_sound(database, core)


async def test_a_hold_asked_for_many_times_at_once_is_placed_once(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        _, (a,) = await open_books(session, core.ledger, 1000)

    async def place() -> int:
        async with database.transaction() as session:
            return (await hold(session, core, "same", a, 600)).id

    assert len(set(await asyncio.gather(*(place() for _ in range(8))))) == 1
    async with database.snapshot() as session:
        assert (await core.ledger.standing(session, a)).held_fen == 600


async def test_two_jobs_expire_each_hold_once(database: Database, core: Core, clock: ManualClock) -> None:
    async with database.transaction() as session:
        _, (a, b) = await open_books(session, core.ledger, 1000, 1000)
        for number in range(10):
            await hold(session, core, f"h{number}", (a, b)[number % 2], 10)
    clock.advance(seconds=3601)

    async def job() -> int:
        async with database.transaction() as session:
            return len(await core.ledger.expire_holds(session, clock.now(), limit=7))

    ended = sum(await asyncio.gather(*(job() for _ in range(4))))
    assert (
        ended + await job() == 10
    )  # who came second found its holds done, and leaves the rest to the next run
    await assert_sound(database, core)
