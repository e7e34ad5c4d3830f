from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from banking_core.core import Core
from banking_core.storage import Database
from tests.banking_core.engines import only_on
from tests.banking_core.people import make_person

STATEMENTS = [
    "UPDATE ledger_entry SET amount_fen = amount_fen + 1",
    "UPDATE ledger_entry SET summary = 'x'",
    "DELETE FROM ledger_entry",
    "UPDATE ledger_transaction SET memo = 'x'",
    "DELETE FROM ledger_transaction",
]


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_the_database_refuses_to_change_what_is_booked(
    database: Database, core: Core, statement: str
) -> None:
    async with database.transaction() as session:
        await make_person(session, core, "张伟", "13800000004", 100)
    with pytest.raises(DBAPIError, match="immutable"):
        async with database.transaction() as session:
            await session.execute(text(statement))
    async with database.snapshot() as session:
        assert (await core.ledger.verify(session)).ok


@only_on("sqlite", "PostgreSQL has no REPLACE")
async def test_sqlite_refuses_to_replace_what_is_booked(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        await make_person(session, core, "张伟", "13800000004", 100)
    replace = "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry LIMIT 1"
    with pytest.raises(DBAPIError, match="immutable"):
        async with database.transaction() as session:
            await session.execute(text(replace))


@only_on("postgresql", "SQLite has no TRUNCATE")
async def test_postgresql_refuses_to_empty_the_ledger(database: Database, core: Core) -> None:
    with pytest.raises(DBAPIError, match="immutable"):
        async with database.transaction() as session:
            await session.execute(text("TRUNCATE ledger_entry"))


async def test_the_database_itself_refuses_a_balance_below_its_floor(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004", 100)
    with pytest.raises(DBAPIError, match=r"floor|available"):
        async with database.transaction() as session:
            await session.execute(
                text("UPDATE ledger_account SET balance_fen = -1 WHERE id = :id"),
                {"id": person.account.ledger_account_id},
            )
