from __future__ import annotations

import pytest
from sqlalchemy import text

from banking_core.core import Core
from banking_core.ledger import EntryDraft, InternalAccount, VerifyReport
from banking_core.storage import Database
from tests.banking_core.ledger.books import disarm, unruled
from tests.banking_core.people import make_person


async def busy_ledger(database: Database, core: Core) -> int:
    """Forty transactions; returns the id of an account that took part in all of them."""
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004")
        outside = await core.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
        account = person.account.ledger_account_id
        for index in range(40):
            lines = [
                EntryDraft(outside, -index - 1, summary="支出"),
                EntryDraft(account, index + 1, summary="收入"),
            ]
            await core.ledger.post(session, key=f"k{index}", kind="test", entries=lines, memo="")
    return account


async def verify_after(database: Database, core: Core, table: str, *edits: str) -> VerifyReport:
    async with database.transaction() as session:
        await disarm(session, table)
        for edit in edits:
            await session.execute(text(edit))
    async with database.snapshot() as session:
        return await core.ledger.verify(session)


async def test_an_untouched_ledger_verifies(database: Database, core: Core) -> None:
    await busy_ledger(database, core)
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok
    assert (report.transaction_count, report.entry_count) == (40, 80)


@pytest.mark.parametrize(
    ("table", "edit", "code", "row"),
    [
        (
            "ledger_entry",
            "UPDATE ledger_entry SET amount_fen = 1000 WHERE id = 20",
            "running_balance",
            "entry 20",
        ),
        (
            "ledger_entry",
            "UPDATE ledger_entry SET amount_fen = 1000 WHERE id = 20",
            "not_balanced",
            "transaction 10",
        ),
        (
            "ledger_entry",
            "UPDATE ledger_entry SET summary = '工资' WHERE id = 20",
            "hash_mismatch",
            "transaction 10",
        ),
        ("ledger_entry", "DELETE FROM ledger_entry WHERE id = 20", "hash_mismatch", "transaction 10"),
        (
            "ledger_transaction",
            "UPDATE ledger_transaction SET memo = 'x' WHERE id = 7",
            "hash_mismatch",
            "action 7",
        ),
        (
            "ledger_transaction",
            "UPDATE ledger_transaction SET key = 'x' WHERE id = 7",
            "hash_mismatch",
            "action 7",
        ),
    ],
)
async def test_a_hand_edited_row_is_named(
    database: Database, core: Core, *, table: str, edit: str, code: str, row: str
) -> None:
    await busy_ledger(database, core)
    report = await verify_after(database, core, table, edit)
    assert not report.ok
    assert any(problem.code == code and problem.row.endswith(row) for problem in report.problems), (
        report.problems
    )


async def test_a_booking_time_changed_by_hand_is_found(database: Database, core: Core) -> None:
    await busy_ledger(database, core)
    edit = "UPDATE ledger_entry SET booked_at = '2020-01-01 00:00:00.000000' WHERE id = 20"
    report = await verify_after(database, core, "ledger_entry", edit)
    assert [(problem.code, problem.row) for problem in report.problems] == [
        ("hash_mismatch", "ledger_transaction 10")
    ]


async def test_a_row_edited_with_a_recomputed_hash_breaks_the_chain(database: Database, core: Core) -> None:
    await busy_ledger(database, core)
    edit = "UPDATE ledger_transaction SET hash = 'f' || substr(hash, 2) WHERE id = 1"
    report = await verify_after(database, core, "ledger_transaction", edit)
    assert {"hash_mismatch"} <= {problem.code for problem in report.problems}
    assert {"chain_broken", "chain_head"} & {problem.code for problem in report.problems}


async def test_a_tail_that_was_cut_off_is_found(database: Database, core: Core) -> None:
    account = await busy_ledger(database, core)
    async with database.transaction() as session:
        await disarm(session, "ledger_transaction")
    report = await verify_after(
        database,
        core,
        "ledger_entry",
        "DELETE FROM ledger_entry WHERE transaction_id = 40",
        "DELETE FROM ledger_transaction WHERE id = 40",
        f"UPDATE ledger_account SET balance_fen = balance_fen - 40 WHERE id = {account}",
        "UPDATE ledger_account SET balance_fen = balance_fen + 40 WHERE code = 'internal:outside_world'",
    )
    assert [problem.code for problem in report.problems] == ["chain_head"]


async def test_a_balance_changed_by_hand_is_named(database: Database, core: Core) -> None:
    account = await busy_ledger(database, core)
    edit = f"UPDATE ledger_account SET balance_fen = balance_fen + 5 WHERE id = {account}"
    report = await verify_after(database, core, "ledger_account", edit)
    assert [(problem.code, problem.row) for problem in report.problems] == [
        ("balance_mismatch", f"ledger_account {account}"),
        ("trial_balance", "currency CNY"),
    ]


async def test_entries_without_their_transaction_are_named(database: Database, core: Core) -> None:
    await busy_ledger(database, core)
    await unruled(database, "ledger_transaction", "DELETE FROM ledger_transaction WHERE id = 40")
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    orphans = {problem.row for problem in report.problems if problem.code == "orphan"}
    assert orphans == {"ledger_entry 79", "ledger_entry 80"}


async def test_a_balance_below_its_floor_is_named(database: Database, core: Core) -> None:
    account = await busy_ledger(database, core)
    edit = f"UPDATE ledger_account SET floor_fen = balance_fen + 1 WHERE id = {account}"
    await unruled(database, "ledger_account", edit)
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert [(problem.code, problem.row) for problem in report.problems] == [
        ("below_floor", f"ledger_account {account}")
    ]


async def test_a_ledger_that_is_wholly_wrong_gives_a_bounded_report(
    database: Database, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy_ledger(database, core)
    monkeypatch.setattr("banking_core.ledger.findings.PROBLEMS_MAX", 5)
    report = await verify_after(database, core, "ledger_entry", "UPDATE ledger_entry SET summary = 'x'")
    assert len(report.problems) == 5
