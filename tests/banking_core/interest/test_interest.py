"""Interest is earned every day and paid on the day after the quarter's, once, with nothing lost."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, time
from fractions import Fraction

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts import Account
from banking_core.bank import Bank
from banking_core.clock import BANK_ZONE, ManualClock, bank_date
from banking_core.interest import InterestMismatch, InterestPeriod, service
from banking_core.interest.accrual import UNITS_PER_FEN
from banking_core.jobs import bank_jobs
from banking_core.ledger import EntryDraft, InternalAccount, LedgerEntry, LedgerTransaction
from banking_core.scheduling import JobRunner, Scheduler
from banking_core.storage import Database
from tests.banking_core.people import fund, make_person

RATE = Fraction(5, 10_000) / 360  # the demo bank's rate on current accounts, a day
FIRST = date(2026, 9, 21)
PAID_ON = date(2026, 12, 21)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=BANK_ZONE).astimezone(UTC)


def scheduler(bank: Bank, database: Database, clock: ManualClock) -> Scheduler:
    return Scheduler(JobRunner(database, clock), bank_jobs(bank, database))


@pytest.fixture
def clock() -> ManualClock:
    """The bank opens on the first day of a period."""
    return ManualClock(noon(FIRST))


async def live_until(clock: ManualClock, jobs: Scheduler, day: date) -> None:
    """Every day's job runs, as of noon."""
    while bank_date(clock.now()) < day:
        clock.advance(seconds=24 * 3600)
        await jobs.run_due("interest")


async def new_account(bank: Bank, session: AsyncSession, number: int, balance_fen: int) -> Account:
    person = await make_person(session, bank, "张伟", f"138000{number:05}", balance_fen)
    person.account.opened_on = bank_date(bank.clock.now())
    return person.account


async def balance_fen(bank: Bank, database: Database, account: Account) -> int:
    async with database.snapshot() as session:
        return await bank.ledger.balance_fen(session, account.ledger_account_id)


async def check_books(bank: Bank, database: Database) -> None:
    async with database.snapshot() as session:
        await bank.interest.reconcile(session)
        report = await bank.ledger.verify(session)
    assert report.ok, report.problems


async def test_a_quarter_of_interest(bank: Bank, database: Database, clock: ManualClock) -> None:
    async with database.transaction() as session:
        account = await new_account(bank, session, 1, 10_000_50)
    jobs = scheduler(bank, database, clock)
    await live_until(clock, jobs, date(2026, 12, 20))
    exact = 10_000_00 * RATE * 90
    async with database.snapshot() as session:
        assert await bank.interest.accrued_fen(session, account.id) == int(exact) == 125
    assert await balance_fen(bank, database, account) == 10_000_50
    await live_until(clock, jobs, PAID_ON)
    exact = 10_000_00 * RATE * 91
    assert await balance_fen(bank, database, account) == 10_000_50 + int(exact)
    async with database.snapshot() as session:
        paid, following = (
            await session.scalars(select(InterestPeriod).order_by(InterestPeriod.ends_on))
        ).all()
        entry = await session.scalar(
            select(LedgerEntry).where(
                LedgerEntry.ledger_account_id == account.ledger_account_id, LedgerEntry.category == "interest"
            )
        )
    assert (paid.starts_on, paid.through, paid.yuan_days, paid.rate_ppm) == (
        FIRST,
        paid.ends_on,
        910_000,
        500,
    )
    assert entry is not None and (entry.summary, bank_date(entry.booked_at)) == ("结息", PAID_ON)
    assert Fraction(following.opening_remainder, UNITS_PER_FEN) == exact - int(exact)
    await check_books(bank, database)


async def test_fractions_of_a_fen_are_paid_in_the_end(bank: Bank, database: Database) -> None:
    """20 yuan earn a quarter of a fen in a quarter, and a whole one in four."""
    async with database.transaction() as session:
        account = await new_account(bank, session, 1, 20_00)
    for last_day, expected_fen in ((FIRST, 20_00), (date(2027, 6, 21), 20_00), (date(2027, 9, 20), 20_01)):
        await bank.interest.run(database, last_day)
        assert await balance_fen(bank, database, account) == expected_fen
    await check_books(bank, database)


async def test_done_by_several_processes_at_once_it_is_earned_and_paid_once(
    bank: Bank, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ACCOUNTS_PER_BATCH", 2)
    monkeypatch.setattr(service, "PAYMENTS_PER_BATCH", 2)
    async with database.transaction() as session:
        accounts = [await new_account(bank, session, number, 36_000_00) for number in range(5)]
    for day in (date(2026, 12, 19), date(2026, 12, 20), date(2026, 12, 22)):
        await asyncio.gather(*(bank.interest.run(database, day) for _ in range(3)), return_exceptions=True)
        await bank.interest.run(database, day)
    for account in accounts:
        assert await balance_fen(bank, database, account) == 36_000_00 + 91 * 5
    await check_books(bank, database)


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
async def test_cut_off_after_any_batch_the_rest_is_done_by_the_next_run(
    bank: Bank, database: Database, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(service, "ACCOUNTS_PER_BATCH", 2)
    async with database.transaction() as session:
        accounts = [await new_account(bank, session, number, 36_000_00) for number in range(5)]
    closing, left = bank.interest._closing_fen, batches

    async def cut_off(*args: object) -> object:
        nonlocal left
        if left == 0:
            raise ConnectionResetError
        left -= 1
        return await closing(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "drain", drain_without_patience)
    monkeypatch.setattr(bank.interest, "_closing_fen", cut_off)
    if batches < 3:
        with pytest.raises(ConnectionResetError):
            await bank.interest.run(database, FIRST)
        monkeypatch.setattr(bank.interest, "_closing_fen", closing)
    await bank.interest.run(database, FIRST)
    async with database.snapshot() as session:
        assert [await bank.interest.accrued_fen(session, account.id) for account in accounts] == [5] * 5
    await check_books(bank, database)


async def drain_without_patience(database: Database, step: object) -> int:
    """Does not try again when the connection is lost, as a process that dies."""
    total = 0
    while True:
        async with database.transaction() as session:
            done = await step(session)  # type: ignore[operator]
        if not done:
            return total
        total += done


@pytest.mark.parametrize("seed", range(2))
async def test_downtime_costs_nobody_a_fen(
    bank: Bank, database: Database, clock: ManualClock, seed: int
) -> None:
    """Money moves at random, the bank's jobs are down at random; a plain model of every day gives the same sums."""
    chance = random.Random(seed)
    async with database.transaction() as session:
        account = await new_account(bank, session, 1, 5_000_000_00)
        await new_account(bank, session, 2, 0)
    jobs = scheduler(bank, database, clock)
    moved_fen, exact, accrued, paid_fen = 5_000_000_00, Fraction(0), Fraction(0), 0
    last = date(2027, 1, 5)
    while (today := bank_date(clock.now())) < last:
        if chance.random() < 0.2:
            amount_fen = chance.randint(1, 40_000_00) * chance.choice((1, -1))
            await move(bank, database, account, amount_fen, key=f"move:{today}")
            moved_fen += amount_fen
        exact += (moved_fen + paid_fen) // 100 * 100 * RATE
        if today == date(2026, 12, 20):
            paid_fen += int(exact - accrued)
            accrued += int(exact - accrued)
        clock.advance(seconds=24 * 3600)
        if chance.random() < 0.3 or bank_date(clock.now()) == last:
            await jobs.run_due("interest")
    assert await balance_fen(bank, database, account) == moved_fen + paid_fen
    async with database.snapshot() as session:
        assert await bank.interest.accrued_fen(session, account.id) == int(exact - accrued)
    await check_books(bank, database)


async def move(bank: Bank, database: Database, account: Account, amount_fen: int, key: str) -> None:
    async with database.transaction() as session:
        outside = await bank.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
        await bank.ledger.post(
            session,
            key=key,
            kind="test",
            entries=[EntryDraft(account.ledger_account_id, amount_fen), EntryDraft(outside, -amount_fen)],
            memo="",
        )


async def test_an_account_earns_from_the_day_it_was_opened(
    bank: Bank, database: Database, clock: ManualClock
) -> None:
    clock.advance(seconds=10 * 24 * 3600)
    async with database.transaction() as session:
        account = await new_account(bank, session, 1, 36_000_00)
    await live_until(clock, scheduler(bank, database, clock), date(2026, 10, 4))
    async with database.snapshot() as session:
        assert await bank.interest.accrued_fen(session, account.id) == 3 * 5


async def test_books_that_disagree_fail_the_run(bank: Bank, database: Database, clock: ManualClock) -> None:
    async with database.transaction() as session:
        account = await new_account(bank, session, 1, 36_000_01)
        payable = await bank.ledger.internal(session, InternalAccount.INTEREST_PAYABLE)
        entries = [EntryDraft(payable, 1), EntryDraft(account.ledger_account_id, -1)]
        await bank.ledger.post(session, key="slip", kind="test", entries=entries, memo="")
    with pytest.raises(InterestMismatch, match="payable 6 fen, periods say 5"):
        await bank.interest.run(database, FIRST)


async def test_credit_and_closed_accounts_earn_nothing(
    bank: Bank, database: Database, clock: ManualClock
) -> None:
    async with database.transaction() as session:
        closed = await new_account(bank, session, 1, 36_000_00)
        closed.status = "closed"
        credit = await bank.accounts.open(
            session,
            customer_id=closed.customer_id,
            kind="credit",
            name="信用卡",
            opened_on=FIRST,
            credit_limit_fen=100_00,
        )
        await fund(session, bank, credit, 36_000_00)
    assert await bank.interest.run(database, FIRST) == "account_days=0 paid=0"
    async with database.snapshot() as session:
        kinds = select(func.count()).where(LedgerTransaction.kind == "interest_earned")
        assert await session.scalar(kinds) == 0
