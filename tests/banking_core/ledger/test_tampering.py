"""Somebody who has the database's password edits the books; `verify` finds it and names the row."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from banking_core.core import Core
from banking_core.ledger import Head, LedgerPostingInvalid, VerifyReport
from banking_core.ledger.heads import dump_heads, load_heads
from banking_core.storage import Database
from tests.banking_core.ledger.books import disarm, hold, lines, move, open_books

TABLES = (
    "ledger_account",
    "ledger_chain",
    "ledger_transaction",
    "ledger_entry",
    "ledger_hold",
    "ledger_hold_event",
)
LAST = "(SELECT max(id) FROM ledger_transaction)"
COLUMNS = "body_hash, kind, memo, booked_at, reverses_id, chain"


async def busy(database: Database, core: Core) -> VerifyReport:
    """Bookings, one pending hold (1), one posted (2) and one voided (3)."""
    async with database.transaction() as session:
        world, (a, b) = await open_books(session, core.ledger, 10_000, 10_000)
        for number in range(12):
            await move(session, core.ledger, f"k{number}", (a, b)[number % 2], (b, a)[number % 2], number + 1)
        placed = [await hold(session, core, f"h{number}", a, 100 + number) for number in range(3)]
        await core.ledger.post_hold(
            session, placed[1].id, key="p", kind="transfer", entries=lines(a, world, 50), memo=""
        )
        await core.ledger.void_hold(session, placed[2].id)
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok, report.problems
    return report


async def tampered(
    database: Database, core: Core, *edits: str, heads: tuple[Head, ...] = ()
) -> list[tuple[str, str]]:
    async with database.transaction() as session:
        await disarm(session, *TABLES)
        for edit in edits:
            await session.execute(text(edit))
    async with database.snapshot() as session:
        report = await core.ledger.verify(session, heads)
    assert not report.ok
    return [(problem.code, problem.row) for problem in report.problems]


EDITS = {
    "an amount": ("UPDATE ledger_entry SET amount_fen = 999 WHERE id = 7", "ledger_transaction 4"),
    "both amounts of a transaction": (
        "UPDATE ledger_entry SET amount_fen = amount_fen * 2 WHERE transaction_id = 4",
        "ledger_transaction 4",
    ),
    "who the money went to": (
        "UPDATE ledger_entry SET ledger_account_id = 1 WHERE id = 7",
        "ledger_transaction 4",
    ),
    "a balance": (
        "UPDATE ledger_account SET balance_fen = balance_fen + 1 WHERE code = 'cny:0'",
        "ledger_account",
    ),
    "an account's currency": (
        "UPDATE ledger_account SET currency = 'USD' WHERE code = 'cny:0'",
        "ledger_transaction 1",
    ),
    "what is held": (
        "UPDATE ledger_account SET held_fen = held_fen - 1 WHERE code = 'cny:0'",
        "ledger_account",
    ),
    "the amount of a hold": ("UPDATE ledger_hold SET amount_fen = 99 WHERE id = 1", "ledger_hold 1"),
    "the outcome of a hold": (
        "UPDATE ledger_hold SET status = 'expired' WHERE id = 3",
        "ledger_hold 3",
    ),
    "the time of a hold": (
        "UPDATE ledger_hold SET memo = 'x' WHERE id = 1",
        "ledger_hold_event 1",
    ),
    "a step of a hold": (
        "UPDATE ledger_hold_event SET amount_fen = 51 WHERE event = 'posted'",
        "ledger_hold_event",
    ),
    "a hold without its steps": (
        "INSERT INTO ledger_hold (key, body_hash, ledger_account_id, amount_fen, memo, placed_at, expires_at, "
        "status, posted_fen) SELECT 'mine', body_hash, ledger_account_id, 5, memo, placed_at, expires_at, "
        "'pending', 0 FROM ledger_hold WHERE id = 1",
        "ledger_hold",
    ),
    "a line more": (
        "INSERT INTO ledger_entry (transaction_id, ledger_account_id, amount_fen, balance_after_fen, "
        "counterparty_name, category, summary, booked_at) SELECT transaction_id, ledger_account_id, 5, "
        "balance_after_fen + 5, '', 'other', '', booked_at FROM ledger_entry WHERE id = 8",
        "ledger_transaction 4",
    ),
}


@pytest.mark.parametrize("what", EDITS)
async def test_an_edit_behind_the_banks_back_is_found(database: Database, core: Core, what: str) -> None:
    edit, row = EDITS[what]
    await busy(database, core)
    problems = await tampered(database, core, edit)
    assert any(found.startswith(row) for _, found in problems), problems


async def test_a_transaction_slipped_in_is_found(database: Database, core: Core) -> None:
    await busy(database, core)
    problems = await tampered(
        database,
        core,
        f"INSERT INTO ledger_transaction (key, sequence, previous_hash, hash, {COLUMNS}) "
        f"SELECT 'mine', sequence + 1, hash, hash, {COLUMNS} FROM ledger_transaction WHERE id = {LAST}",
    )
    assert ("hash_mismatch", "ledger_transaction 16") in problems


async def test_two_transactions_that_changed_places_are_found(database: Database, core: Core) -> None:
    await busy(database, core)
    swap = [
        f"UPDATE ledger_transaction SET sequence = {to}, key = {key} WHERE id = {id_}"
        for id_, to, key in ((4, 9001, "'t1'"), (5, 9002, "'t2'"))
    ]
    problems = await tampered(database, core, *swap)
    assert {("chain_broken", "ledger_transaction 4"), ("chain_broken", "ledger_transaction 5")} <= set(
        problems
    )


async def test_lines_that_changed_places_are_found(database: Database, core: Core) -> None:
    await busy(database, core)
    problems = await tampered(
        database,
        core,
        "UPDATE ledger_entry SET id = 9001 WHERE id = 7",
        "UPDATE ledger_entry SET id = 7 WHERE id = 8",
        "UPDATE ledger_entry SET id = 8 WHERE id = 9001",
    )
    assert ("hash_mismatch", "ledger_transaction 4") in problems


async def test_a_whole_transaction_taken_out_of_the_middle_is_found(database: Database, core: Core) -> None:
    report = await busy(database, core)
    problems = await tampered(
        database,
        core,
        "DELETE FROM ledger_entry WHERE transaction_id = 4",
        "DELETE FROM ledger_transaction WHERE id = 4",
        heads=report.heads,
    )
    codes = {code for code, _ in problems}
    assert codes & {"chain_broken", "chain_head"}, problems
    assert {"running_balance", "balance_mismatch"} <= codes


LAST_TRANSFER = "(SELECT id FROM ledger_transaction WHERE key = 'k11')"
CUT_TAIL = (
    f"UPDATE ledger_account SET balance_fen = balance_fen - COALESCE((SELECT sum(amount_fen) FROM ledger_entry "
    f"WHERE transaction_id = {LAST_TRANSFER} AND ledger_account_id = ledger_account.id), 0)",
    f"DELETE FROM ledger_entry WHERE transaction_id = {LAST_TRANSFER}",
)
CUT_LAST = "DELETE FROM ledger_transaction WHERE key = 'k11'"


async def transfers_only(database: Database, core: Core) -> VerifyReport:
    async with database.transaction() as session:
        _, (a, b) = await open_books(session, core.ledger, 10_000, 10_000)
        for number in range(12):
            await move(session, core.ledger, f"k{number}", a, b, number + 1)
    async with database.snapshot() as session:
        return await core.ledger.verify(session)


async def test_a_deleted_last_transaction_shows_in_the_chains_head(database: Database, core: Core) -> None:
    await transfers_only(database, core)
    problems = await tampered(database, core, *CUT_TAIL, CUT_LAST)
    assert [code for code, _ in problems] == ["chain_head"]


async def test_a_tail_cut_off_with_its_head_shows_against_heads_written_down(
    database: Database, core: Core
) -> None:
    report = await transfers_only(database, core)
    written = load_heads(dump_heads(report.heads))
    head_of = "FROM ledger_transaction t WHERE t.chain = ledger_chain.id ORDER BY t.sequence DESC LIMIT 1"
    chain = f"(SELECT chain FROM ledger_transaction WHERE id = {LAST_TRANSFER})"
    async with database.transaction() as session:
        await disarm(session, *TABLES)
        cut_chain = await session.scalar(text(f"SELECT {chain}"))
    edits = (
        *CUT_TAIL,
        CUT_LAST,
        f"UPDATE ledger_chain SET last_sequence = COALESCE((SELECT t.sequence {head_of}), 0), "
        f"last_hash = COALESCE((SELECT t.hash {head_of}), '{'0' * 64}') WHERE id = {cut_chain}",
    )
    problems = await tampered(database, core, *edits, heads=written)
    assert problems == [("head_missing", f"ledger_chain {cut_chain}")]
    async with database.snapshot() as session:
        assert (await core.ledger.verify(session)).ok, "without the written heads nobody could tell"


async def test_a_ledger_that_grew_still_contains_its_old_heads(database: Database, core: Core) -> None:
    report = await transfers_only(database, core)
    async with database.transaction() as session:
        for number in range(40):
            await move(session, core.ledger, f"more{number}", 2, 3, 1)
    async with database.snapshot() as session:
        assert (await core.ledger.verify(session, report.heads)).ok


def test_a_file_of_heads_that_was_changed_is_refused() -> None:
    text_ = dump_heads((Head(0, 5, "a" * 64),))
    assert load_heads(text_) == (Head(0, 5, "a" * 64),)
    for wrong in ("", "{}", "[1]", text_.replace("5", "6"), text_.replace("heads-1", "heads-2")):
        with pytest.raises(LedgerPostingInvalid):
            load_heads(wrong)


REFUSED = [
    "UPDATE ledger_hold_event SET amount_fen = 1",
    "DELETE FROM ledger_hold_event",
    "DELETE FROM ledger_hold",
    "UPDATE ledger_hold SET amount_fen = 1",
    "UPDATE ledger_hold SET status = 'pending', resolved_at = NULL, posted_fen = 0 WHERE id = 2",
    "UPDATE ledger_hold SET status = 'voided', resolved_at = expires_at, memo = 'x' WHERE id = 1",
    "DELETE FROM ledger_account",
    "UPDATE ledger_account SET currency = 'USD'",
    "UPDATE ledger_account SET purpose = 'fee'",
    "DELETE FROM ledger_chain",
    "UPDATE ledger_chain SET last_sequence = last_sequence - 1",
    "UPDATE ledger_chain SET last_hash = 'x'",
]


async def test_the_database_refuses_what_would_rewrite_history(database: Database, core: Core) -> None:
    await busy(database, core)
    truncates = [] if database.is_sqlite else [f"TRUNCATE {table} CASCADE" for table in TABLES]
    for statement in (*REFUSED, *truncates):
        with pytest.raises(DBAPIError, match="immutable"):
            async with database.transaction() as session:
                await session.execute(text(statement))
    async with database.snapshot() as session:
        assert (await core.ledger.verify(session)).ok
