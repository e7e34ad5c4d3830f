"""Running Alembic from code, on the async drivers the app itself uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from banking_core.storage import Database
from banking_core.vault import Vault
from migrations.model_modules import load_metadata

DIRECTORY = Path(__file__).parent
Result = TypeVar("Result")
TRIES_MAX = 10
WAIT_S = 0.1
UPGRADE_LOCK = 0x5A47  # any number nobody else uses: two starting processes must not migrate at once


def _config(connection: Connection | None = None, vault: Vault | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(DIRECTORY).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["vault"] = vault
    return config


def head_revision() -> str:
    """The newest revision in this folder."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is a first revision"
    return head


async def upgrade(database_url: str, revision: str = "head", *, vault: Vault | None = None) -> None:
    """Brings the database to a revision, in one transaction; nothing happens when it is there already.

    `vault` seals the personal data of rows that are there; a database without such rows needs none.
    """
    await _run(database_url, lambda connection: command.upgrade(_config(connection, vault), revision))


async def downgrade(database_url: str, revision: str, *, vault: Vault | None = None) -> None:
    """Takes the database back to a revision ('base' removes everything); `vault` opens what was sealed."""
    await _run(database_url, lambda connection: command.downgrade(_config(connection, vault), revision))


async def current_revision(database_url: str) -> str | None:
    """The revision the database is at; None when it was never migrated."""
    return await _run(
        database_url, lambda connection: MigrationContext.configure(connection).get_current_revision()
    )


async def differences(database_url: str) -> list[Any]:
    """What differs between the models and the database, as Alembic describes it; empty when they agree."""
    return await _run(
        database_url,
        lambda connection: list(
            compare_metadata(
                MigrationContext.configure(connection, opts={"compare_type": True}), load_metadata()
            )
        ),
    )


async def make_revision(database_url: str, message: str, *, revision_id: str | None = None) -> None:
    """Writes a revision file from the differences between the models and a migrated database."""
    await _run(
        database_url,
        lambda connection: command.revision(
            _config(connection), message=message, autogenerate=True, rev_id=revision_id
        ),
    )


async def _run(database_url: str, work: Callable[[Connection], Result]) -> Result:
    database = Database(database_url)
    try:
        for attempt in range(1, TRIES_MAX):
            try:
                return await _run_once(database, work)
            except OperationalError as error:
                # Processes that open a new SQLite file for the first time together are refused, not queued.
                # All work is one transaction, so repeating it is safe.
                if "locked" not in str(error):
                    raise
                await asyncio.sleep(attempt * WAIT_S)
        return await _run_once(database, work)
    finally:
        await database.close()


async def _run_once(database: Database, work: Callable[[Connection], Result]) -> Result:
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            # A table that others refer to is changed by copying it, which needs the references unwatched meanwhile;
            # they are checked before the commit. What is freed is overwritten: it may have been personal data.
            for pragma in ("foreign_keys=OFF", "secure_delete=ON"):
                await connection.execute(text(f"PRAGMA {pragma}"))
            await connection.execute(text("BEGIN IMMEDIATE"))
        else:
            lock = text("SELECT pg_advisory_xact_lock(:lock)")
            await connection.execute(lock, {"lock": UPGRADE_LOCK})
        result = await connection.run_sync(work)
        if database.is_sqlite:
            dangling = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
            assert not dangling, f"the migration left {len(dangling)} dangling references"
        await connection.commit()
        return result
