from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.core import Core
from banking_core.ledger import (
    BelowFloor,
    EntryDraft,
    InternalAccount,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    TransactionDraft,
)
from banking_core.storage import Database
from tests.banking_core.people import make_person

FIRST = datetime(2025, 1, 1, tzinfo=UTC)


async def two_accounts(session: AsyncSession, core: Core) -> tuple[int, int]:
    person = await make_person(session, core, "张伟", "13800000004")
    outside = await core.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
    return outside, person.account.ledger_account_id


def draft(key: str, day: int, outside: int, account: int, amount_fen: int) -> TransactionDraft:
    entries = (EntryDraft(outside, -amount_fen), EntryDraft(account, amount_fen, "公司", "salary", "工资"))
    return TransactionDraft(key, "history", "", FIRST + timedelta(days=day), entries)


async def test_a_long_history_is_booked_in_order_and_verifies(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        outside, account = await two_accounts(session, core)
        drafts = [draft(f"h{day}", day, outside, account, 100 + day) for day in reversed(range(1200))]
        assert await core.ledger.import_history(session, drafts) == 1200
        assert await core.ledger.import_history(session, drafts) == 0
        lines = [EntryDraft(account, -5), EntryDraft(outside, 5)]
        await core.ledger.post(session, key="after", kind="test", entries=lines, memo="")
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok, report.problems[:3]
    assert report.transaction_count == 1201
    async with database.snapshot() as session:
        assert await core.ledger.balance_fen(session, account) == sum(100 + day for day in range(1200)) - 5


async def test_only_what_is_new_is_booked(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        outside, account = await two_accounts(session, core)
        await core.ledger.import_history(session, [draft("h1", 1, outside, account, 10)])
        more = [draft("h1", 1, outside, account, 10), draft("h2", 2, outside, account, 20)]
        assert await core.ledger.import_history(session, more) == 1
        assert await core.ledger.balance_fen(session, account) == 30


async def test_a_key_with_another_body_is_a_conflict(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        outside, account = await two_accounts(session, core)
        await core.ledger.import_history(session, [draft("h1", 1, outside, account, 10)])
        with pytest.raises(LedgerKeyConflict):
            await core.ledger.import_history(session, [draft("h1", 1, outside, account, 11)])
        with pytest.raises(LedgerKeyConflict):
            await core.ledger.import_history(
                session, [draft("h3", day, outside, account, 1) for day in (1, 2)]
            )


async def test_a_history_that_breaks_a_floor_leaves_nothing_behind(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        outside, account = await two_accounts(session, core)
        drafts = [draft("h1", 1, outside, account, 10), draft("h2", 2, outside, account, -11)]
        with pytest.raises(BelowFloor):
            await core.ledger.import_history(session, drafts)
        assert await core.ledger.balance_fen(session, account) == 0
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok
    assert report.transaction_count == 0


async def test_a_history_holds_only_well_formed_bookings(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        outside, account = await two_accounts(session, core)
        good = draft("h1", 1, outside, account, 10)
        naive = TransactionDraft("h2", "x", "", FIRST.replace(tzinfo=None), good.entries)
        reversal = TransactionDraft("h3", "x", "", FIRST, good.entries, reverses_id=1)
        for wrong in (naive, reversal, TransactionDraft("h4", "x", "", FIRST, good.entries[:1])):
            with pytest.raises(LedgerPostingInvalid):
                await core.ledger.import_history(session, [good, wrong])
        assert await core.ledger.import_history(session, []) == 0
