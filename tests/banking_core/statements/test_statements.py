"""Statements: exactly the days asked for, in the customer's own words, and only the customer's own money."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts import Account, AccountNotFound
from banking_core.bank import Bank
from banking_core.clock import BANK_ZONE
from banking_core.errors import InvalidInput
from banking_core.ledger import EntryDraft, InternalAccount
from banking_core.statements import StatementPeriodInvalid, known_words
from banking_core.storage import Database
from tests.banking_core.people import OPENED_ON, Person, make_person

OCTOBER = {"start": date(2026, 10, 1), "end": date(2026, 10, 31)}


async def book(
    session: AsyncSession,
    bank: Bank,
    account: Account,
    line: tuple[datetime, int, tuple[str, str, str]],
) -> None:
    at, amount_fen, (summary, counterparty, category) = line
    outside = await bank.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
    await bank.ledger.post(
        session,
        key=f"test:{account.id}:{at.isoformat()}:{summary}",
        kind="test",
        memo=summary,
        booked_at=at,
        entries=(
            EntryDraft(account.ledger_account_id, amount_fen, counterparty, category, summary),
            EntryDraft(outside, -amount_fen, counterparty, category, summary),
        ),
    )


def at(month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BANK_ZONE)


async def a_month(session: AsyncSession, bank: Bank) -> Person:
    person = await make_person(session, bank, "张伟", "13900000001")
    account = person.account
    await book(session, bank, account, (at(9, 30, 23, 59), 9_000_00, ("九月补贴", "云帆软件", "salary")))
    await book(session, bank, account, (at(10, 1, 0, 0), -45_00, ("打车", "顺路出行", "transport")))
    await book(session, bank, account, (at(10, 10), 28_463_57, ("工资", "云帆软件", "salary")))
    await book(session, bank, account, (at(10, 16), -118_33, ("电费", "上海电力", "utilities")))
    await book(session, bank, account, (at(10, 16, 13), -37_78, ("水费", "上海自来水", "utilities")))
    await book(session, bank, account, (at(10, 17), -46_96, ("燃气费", "上海燃气", "utilities")))
    await book(session, bank, account, (at(10, 20), -89_90, ("网上购物", "千橙优选商城", "shopping")))
    await book(session, bank, account, (at(10, 31, 23, 59), -6_800_00, ("房租", "周建军", "rent")))
    await book(session, bank, account, (at(11, 1, 0, 0), -30_00, ("打车", "顺路出行", "transport")))
    return person


async def test_a_period_is_made_of_bank_dates_with_both_ends(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        page = await bank.statements.search(session, person.id, **OCTOBER)
        assert page.total_count == 7
        assert [row.booked_at for row in page.rows] == sorted(
            (row.booked_at for row in page.rows), reverse=True
        )
        assert page.rows[0].booked_at == datetime(2026, 10, 31, 15, 59, tzinfo=UTC)
        assert page.rows[-1].booked_at == datetime(2026, 9, 30, 16, 0, tzinfo=UTC)
        assert page.total_in_fen == 28_463_57
        assert page.total_out_fen == 45_00 + 118_33 + 37_78 + 46_96 + 89_90 + 6_800_00


@pytest.mark.parametrize(
    ("words", "summaries"),
    [
        ("水电费", {"电费", "水费"}),
        ("上海电力", {"电费"}),
        ("水电煤", {"电费", "水费", "燃气费"}),
        ("煤气费", {"燃气费"}),
        ("工资", {"工资"}),
        ("淘宝", {"网上购物"}),
        ("房租和打车", {"房租", "打车"}),
        ("千橙", {"网上购物"}),
        ("支出", {"打车", "工资", "电费", "水费", "燃气费", "网上购物", "房租"}),
        ("100%", set()),
        ("_", set()),
    ],
)
async def test_words_are_understood_as_people_mean_them(
    database: Database, bank: Bank, words: str, summaries: set[str]
) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        page = await bank.statements.search(session, person.id, words=words, **OCTOBER)
        assert {row.summary for row in page.rows} == summaries
        assert page.total_count == len(page.rows)


async def test_direction_category_and_amount_narrow_together(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        incoming = await bank.statements.search(session, person.id, direction="in", **OCTOBER)
        assert [row.summary for row in incoming.rows] == ["工资"]
        bills = await bank.statements.search(
            session,
            person.id,
            category="utilities",
            direction="out",
            min_fen=46_96,
            max_fen=118_33,
            **OCTOBER,
        )
        assert [row.amount_fen for row in bills.rows] == [-46_96, -118_33]
        assert (bills.total_in_fen, bills.total_out_fen) == (0, 46_96 + 118_33)


async def test_pages_do_not_overlap_and_totals_cover_all(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        pages = [
            await bank.statements.search(session, person.id, limit=3, offset=offset, **OCTOBER)
            for offset in (0, 3, 6, 9)
        ]
        assert [len(page.rows) for page in pages] == [3, 3, 1, 0]
        assert len({row.entry_id for page in pages for row in page.rows}) == 7
        assert {page.total_count for page in pages} == {7}


async def test_nobody_sees_anothers_transactions(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        stranger = await make_person(session, bank, "李静", "13900000002")
        page = await bank.statements.search(session, stranger.id, **OCTOBER)
        assert (page.rows, page.total_count, page.total_in_fen) == ((), 0, 0)
        with pytest.raises(AccountNotFound):
            await bank.statements.search(session, stranger.id, account_id=person.account.id, **OCTOBER)


async def test_money_between_own_accounts_is_neither_income_nor_spending(
    database: Database, bank: Bank
) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        deposit = await bank.accounts.open(
            session, customer_id=person.id, kind="deposit", name="定期", opened_on=OPENED_ON
        )
        before = await bank.statements.search(session, person.id, **OCTOBER)
        await bank.ledger.post(
            session,
            key="test:own",
            kind="test",
            memo="转入定期",
            booked_at=at(10, 13),
            entries=(
                EntryDraft(person.account.ledger_account_id, -10_000_00, "定期", "transfer", "转入定期"),
                EntryDraft(deposit.ledger_account_id, 10_000_00, "活期", "transfer", "转入定期"),
            ),
        )
        after = await bank.statements.search(session, person.id, **OCTOBER)
        assert after.total_count == before.total_count + 2
        assert (after.total_in_fen, after.total_out_fen) == (before.total_in_fen, before.total_out_fen)
        alone = await bank.statements.search(session, person.id, account_id=person.account.id, **OCTOBER)
        assert alone.total_out_fen == before.total_out_fen + 10_000_00


async def test_spending_by_category_adds_up_to_the_total(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        totals = await bank.statements.by_category(session, person.id, **OCTOBER)
        page = await bank.statements.search(session, person.id, **OCTOBER)
        assert sum(total.out_fen for total in totals) == page.total_out_fen
        assert sum(total.in_fen for total in totals) == page.total_in_fen
        assert [total.name for total in totals][:2] == ["房租", "水电煤气"]


async def test_senseless_requests_are_answered(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        with pytest.raises(StatementPeriodInvalid):
            await bank.statements.search(session, person.id, start=date(2026, 10, 2), end=date(2026, 10, 1))
        with pytest.raises(InvalidInput):
            await bank.statements.search(session, person.id, category="gambling", **OCTOBER)
        page = await bank.statements.search(session, person.id, limit=-5, offset=-5, **OCTOBER)
        assert (page.rows, page.total_count) == ((), 7)


async def test_a_search_reads_the_index_of_account_and_time(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await a_month(session, bank)
        if database.is_sqlite:
            explain = "EXPLAIN QUERY PLAN"
        else:
            explain = "EXPLAIN"
            await session.execute(text("SET LOCAL enable_seqscan = off"))  # as if there were many rows
        plan = await session.execute(
            text(
                f"{explain} SELECT id FROM ledger_entry WHERE ledger_account_id IN (:account)"
                " AND booked_at >= '2026-10-01' AND booked_at < '2026-11-01'"
            ),
            {"account": person.account.ledger_account_id},
        )
        assert "ix_ledger_entry_statement" in " ".join(str(row) for row in plan)


def test_known_words_come_longest_first_and_all_mean_something() -> None:
    words = known_words()
    assert [len(word) for word in words] == sorted((len(word) for word in words), reverse=True)
    assert {"水电费", "工资", "房租"} <= set(words)
    assert not {"收入", "支出", "消费", "其他"} & set(words)
