"""A monthly statement is issued once, says what the ledger says, and stays as it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from banking_core.accounts import AccountNotFound
from banking_core.bank import Bank
from banking_core.clock import BANK_ZONE, ManualClock
from banking_core.jobs import bank_jobs
from banking_core.numbers import is_well_formed
from banking_core.scheduling import JobRunner, Scheduler
from banking_core.statements import MonthlyStatement, StatementMismatch, StatementNotFound, monthly
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person
from tests.banking_core.statements.test_statements import a_month, at, book

OCTOBER = date(2026, 10, 1)


async def person_of(bank: Bank, database: Database) -> Person:
    async with database.transaction() as session:
        return await a_month(session, bank)


async def issued(database: Database) -> list[MonthlyStatement]:
    async with database.snapshot() as session:
        statement = select(MonthlyStatement).order_by(MonthlyStatement.month, MonthlyStatement.id)
        return list((await session.scalars(statement)).all())


async def test_it_says_what_the_ledger_says(bank: Bank, database: Database) -> None:
    person = await person_of(bank, database)
    assert await bank.monthly_statements.run(database, OCTOBER) == "issued=1"
    (statement,) = await issued(database)
    assert is_well_formed(statement.number) and statement.number.startswith("DZ20261102")
    assert (statement.opening_fen, statement.closing_fen) == (9_000_00, 9_000_00 + 28_463_57 - 7_137_97)
    assert (statement.in_fen, statement.out_fen, statement.entry_count) == (28_463_57, 7_137_97, 7)
    assert (statement.first_entry_id, statement.last_entry_id) == (3, 15)
    async with database.snapshot() as session:
        page = await bank.statements.search(session, person.id, start=OCTOBER, end=date(2026, 10, 31))
        assert (page.total_count, page.total_in_fen, page.total_out_fen) == (7, 28_463_57, 7_137_97)
        await bank.monthly_statements.verify(session, statement)


async def test_months_follow_on_each_other_though_the_bank_was_down(
    bank: Bank, database: Database, clock: ManualClock
) -> None:
    person = await person_of(bank, database)
    jobs = Scheduler(JobRunner(database, clock), bank_jobs(bank, database))
    await jobs.run_due("statements")
    clock.advance(seconds=70 * 24 * 3600)
    await jobs.run_due("statements")
    await jobs.run_due("statements")
    statements = await issued(database)
    assert [f"{each.month:%m}" for each in statements] == ["10", "11", "12"]
    for before, after in pairwise(statements):
        assert before.closing_fen == after.opening_fen
    december = statements[-1]
    assert (december.entry_count, december.first_entry_id, december.in_fen) == (0, None, 0)
    async with database.snapshot() as session:
        listed = await bank.monthly_statements.list(session, person.id, person.account.id)
        assert [each.number for each in listed] == [each.number for each in reversed(statements)]
        for each in listed:
            await bank.monthly_statements.verify(session, each)


async def test_issued_by_several_processes_at_once_there_is_one_each(
    bank: Bank, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monthly, "ACCOUNTS_PER_BATCH", 2)
    async with database.transaction() as session:
        for number in range(5):
            await make_person(session, bank, "张伟", f"1390000100{number}")
    runs = [bank.monthly_statements.run(database, OCTOBER) for _ in range(3)]
    await asyncio.gather(*runs, return_exceptions=True)
    await bank.monthly_statements.run(database, OCTOBER)
    assert len(await issued(database)) == 5


async def test_an_account_closed_in_the_month_gets_its_last_one(bank: Bank, database: Database) -> None:
    person = await person_of(bank, database)
    async with database.transaction() as session:
        account = await bank.accounts.get(session, person.account.id)
        account.status = "closed"
    await bank.monthly_statements.run(database, OCTOBER)
    assert len(await issued(database)) == 1
    await bank.monthly_statements.run(database, date(2026, 8, 31))
    assert len(await issued(database)) == 1


async def test_an_account_opened_later_gets_none(bank: Bank, database: Database) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001")
        person.account.opened_on = date(2026, 11, 1)
    assert await bank.monthly_statements.run(database, OCTOBER) == "issued=0"


async def test_what_was_issued_cannot_be_changed(bank: Bank, database: Database) -> None:
    await person_of(bank, database)
    await bank.monthly_statements.run(database, OCTOBER)
    for statement in ("UPDATE monthly_statement SET number = number", "DELETE FROM monthly_statement"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction() as session:
                await session.execute(text(statement))


async def test_a_booking_slipped_into_an_issued_month_is_found(bank: Bank, database: Database) -> None:
    person = await person_of(bank, database)
    await bank.monthly_statements.run(database, OCTOBER)
    async with database.transaction() as session:
        await book(session, bank, person.account, (at(10, 3), -1_00, ("打车", "顺路出行", "transport")))
    (statement,) = await issued(database)
    async with database.snapshot() as session:
        with pytest.raises(StatementMismatch, match="out_fen"):
            await bank.monthly_statements.verify(session, statement)


async def test_others_statements_are_not_found(bank: Bank, database: Database) -> None:
    person = await person_of(bank, database)
    async with database.transaction() as session:
        other = await make_person(session, bank, "李静", "13900000002")
    await bank.monthly_statements.run(database, OCTOBER)
    mine = next(each for each in await issued(database) if each.account_id == person.account.id)
    async with database.snapshot() as session:
        found = await bank.monthly_statements.by_number(session, person.id, mine.number)
        assert found.account_id == person.account.id
        with pytest.raises(StatementNotFound):
            await bank.monthly_statements.by_number(session, other.id, mine.number)
        with pytest.raises(AccountNotFound):
            await bank.monthly_statements.list(session, other.id, person.account.id)


def test_a_month_is_the_banks() -> None:
    start, end = monthly.month_bounds(date(2026, 12, 9))
    assert start == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert end.astimezone(BANK_ZONE) == datetime(2027, 1, 1, tzinfo=BANK_ZONE)
