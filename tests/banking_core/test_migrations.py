from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from banking_core.clock import ManualClock
from banking_core.core import build_core
from banking_core.orders.states import STATUSES
from banking_core.settings import BankSettings
from banking_core.storage import Database
from migrations import current_revision, differences, head_revision, upgrade
from migrations.model_modules import MODEL_MODULES
from migrations.runner import downgrade
from tests.banking_core.people import make_person
from tests.keys import vault

ROOT = Path(__file__).parents[2]
ROOMS = ("banking_core", "actions", "bot", "desk")


def test_every_module_that_declares_tables_is_listed() -> None:
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("models.py")
        if ".venv" not in path.parts
    }
    assert found == set(MODEL_MODULES)


async def test_an_upgraded_database_has_what_the_models_say(database_url: str) -> None:
    assert await current_revision(database_url) is None
    await upgrade(database_url)
    assert await current_revision(database_url) == head_revision()
    assert await differences(database_url) == []
    await upgrade(database_url)
    assert await current_revision(database_url) == head_revision()


async def test_processes_that_upgrade_at_once_do_not_disturb_each_other(database_url: str) -> None:
    await asyncio.gather(*(upgrade(database_url) for _ in range(3)))
    assert await differences(database_url) == []


async def test_everything_can_be_taken_back(database_url: str) -> None:
    await upgrade(database_url)
    await downgrade(database_url, "base")
    database = Database(database_url)
    async with database.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await database.close()
    assert tables == ["alembic_version"]
    await upgrade(database_url)
    assert await differences(database_url) == []


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction"])
async def test_a_migrated_ledger_is_immutable(settings: BankSettings, clock: ManualClock, table: str) -> None:
    await upgrade(settings.database_url)
    database = Database(settings.database_url, vault=vault())
    core = build_core(settings, clock)
    async with database.transaction() as session:
        await make_person(session, core, "张伟", "13800000004", 100)
    for statement in (f"UPDATE {table} SET booked_at = booked_at", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="immutable"):
            async with database.transaction() as session:
                await session.execute(text(statement))
    await core.close()
    await database.close()


async def test_a_migrated_order_table_knows_every_status(settings: BankSettings, clock: ManualClock) -> None:
    """Rules (CHECK) are invisible to the comparison with the models, so they are tried."""
    await upgrade(settings.database_url)
    database = Database(settings.database_url, vault=vault())
    core = build_core(settings, clock)
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004", 100)
        order = await core.orders.draft(
            session,
            customer_id=person.id,
            kind="payee_add",
            body={"name": "王小明", "account_number": "6222020200112233445", "bank_code": "ICBC"},
            idempotency_key="k",
            channel="web",
        )
    for status in STATUSES:
        async with database.transaction() as session:
            await session.execute(text("UPDATE bank_order SET status = :status"), {"status": status})
    for column, value in (("status", "lost"), ("step_up", "charm"), ("amount_fen", -1)):
        with pytest.raises(DBAPIError):
            async with database.transaction() as session:
                await session.execute(text(f"UPDATE bank_order SET {column} = :value"), {"value": value})
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await session.execute(text("DELETE FROM order_event"))
    assert order.status == "drafted"
    await core.close()
    await database.close()
