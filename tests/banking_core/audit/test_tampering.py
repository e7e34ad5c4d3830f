"""The database refuses to change the trail; whoever gets past that is found out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from banking_core.audit import Who, note
from banking_core.audit.verify import AuditReport, verify
from banking_core.clock import ManualClock
from banking_core.ledger import Head
from banking_core.storage import Database
from tests.banking_core.engines import only_on

CUSTOMER = "c1"
Tamper = Callable[[Database], Awaitable[None]]


@pytest.fixture
async def trail(database: Database, clock: ManualClock) -> Database:
    """Ten records in one chain, ids 1 to 10."""
    for number in range(10):
        async with database.transaction() as session:
            by = Who("agent", "a1", address="203.0.113.7")
            note(session, f"n{number}", at=clock.now(), customer_id=CUSTOMER, after={"n": number}, by=by)
        clock.advance(seconds=1)
    return database


async def checked(database: Database, heads: Sequence[Head] = ()) -> AuditReport:
    async with database.snapshot() as session:
        return await verify(session, heads)


def codes(report: AuditReport) -> list[str]:
    return [f"{problem.code} {problem.row}" for problem in report.problems]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET actor_id = 'nobody'",
        "DELETE FROM audit_record WHERE id = 10",
        "DELETE FROM audit_chain",
        "UPDATE audit_chain SET last_sequence = 9",
        "UPDATE audit_chain SET last_hash = 'x'",
    ],
)
async def test_the_database_itself_refuses(trail: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with trail.transaction() as session:
            await session.execute(text(statement))
    report = await checked(trail)
    assert report.ok and report.record_count == 10


@only_on("sqlite", "PostgreSQL has no REPLACE")
async def test_it_cannot_be_replaced_either(trail: Database) -> None:
    copy = "INSERT OR REPLACE INTO audit_record SELECT * FROM audit_record WHERE id = 3"
    with pytest.raises(DBAPIError, match="append-only"):
        async with trail.transaction() as session:
            await session.execute(text(copy))


@only_on("postgresql", "SQLite has no TRUNCATE")
@pytest.mark.parametrize("table", ["audit_record", "audit_chain"])
async def test_truncate_is_refused(trail: Database, table: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with trail.transaction() as session:
            await session.execute(text(f"TRUNCATE {table}"))


async def behind_its_back(database: Database, *statements: str) -> None:
    """As somebody with the database's password would."""
    async with database.engine.begin() as connection:
        if database.is_sqlite:
            rows = await connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
            )
            for name in rows.scalars().all():
                await connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in ("audit_record", "audit_chain"):
                await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            await connection.execute(text(statement))


CHANGES = {
    "actor_id": "'a2'",
    "actor_kind": "'customer'",
    "customer_id": "NULL",
    "action": "'nothing'",
    "allowed": "NOT allowed",
    "object_id": "'other'",
    "object_kind": "'other'",
    "after": "'{\"n\": 7}'",
    "before": "'{}'",
    "address": "'198.51.100.1'",
    "channel": "'web'",
    "device": "'phone'",
    "correlation_id": "'00000000'",
    "at": "'2026-11-02 00:00:00.000000'",
}


@pytest.mark.parametrize("column", CHANGES)
async def test_a_changed_column_is_found(trail: Database, column: str) -> None:
    value = CHANGES[column]
    if column == "at" and not trail.is_sqlite:
        value = "at - interval '1 day'"
    await behind_its_back(trail, f"UPDATE audit_record SET {column} = {value} WHERE id = 5")
    assert codes(await checked(trail)) == ["hash_mismatch audit_record 5"]


async def test_a_missing_record_is_found(trail: Database) -> None:
    await behind_its_back(trail, "DELETE FROM audit_record WHERE id = 5")
    assert codes(await checked(trail)) == ["chain_broken audit_record 6"]


async def test_a_missing_end_is_found(trail: Database) -> None:
    await behind_its_back(trail, "DELETE FROM audit_record WHERE id > 8")
    report = await checked(trail)
    assert [code.split()[0] for code in codes(report)] == ["chain_head"]


async def test_records_that_changed_places_are_found(trail: Database) -> None:
    await behind_its_back(
        trail,
        "UPDATE audit_record SET sequence = 100 WHERE id = 5",
        "UPDATE audit_record SET sequence = 5 WHERE id = 6",
        "UPDATE audit_record SET sequence = 6 WHERE id = 5",
    )
    found = codes(await checked(trail))
    assert "chain_broken audit_record 6" in found and "hash_mismatch audit_record 5" in found


async def test_an_end_cut_off_with_its_head_shows_against_heads_kept_elsewhere(trail: Database) -> None:
    heads = (await checked(trail)).heads
    assert (await checked(trail, heads)).ok
    await behind_its_back(
        trail,
        "DELETE FROM audit_record WHERE id > 8",
        "UPDATE audit_chain SET last_sequence = 8, last_hash = (SELECT hash FROM audit_record WHERE id = 8)",
    )
    assert (await checked(trail)).ok, "nothing inside the database tells"
    assert [code.split()[0] for code in codes(await checked(trail, heads))] == ["head_missing"]


async def test_a_whole_chain_taken_away_is_found(trail: Database) -> None:
    heads = (await checked(trail)).heads
    await behind_its_back(trail, "DELETE FROM audit_record")
    assert [code.split()[0] for code in codes(await checked(trail))] == ["chain_head"]
    await behind_its_back(trail, "DELETE FROM audit_chain")
    assert (await checked(trail)).ok
    assert [code.split()[0] for code in codes(await checked(trail, heads))] == ["head_missing"]
