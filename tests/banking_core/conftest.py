"""A bank on a fresh database, with a clock that stands still.

Tests use SQLite unless marked with `tests.banking_core.people.on_both_engines`, which repeats them on
PostgreSQL.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from banking_core.bank import Bank, build_bank
from banking_core.clock import ManualClock
from banking_core.core import Core, build_core
from banking_core.settings import BankSettings
from banking_core.storage import Database
from banking_core.vault import Vault
from tests import keys
from tests.postgres import (
    make_tables,
    make_template,
    postgres_cluster,
    postgres_tables_url,
    postgres_template,
    postgres_url,
)

__all__ = ["postgres_cluster", "postgres_tables_url", "postgres_template", "postgres_url"]

START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)  # a Monday, ten in the morning at the bank


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def engine_name() -> str:
    """Overridden by `on_both_engines`."""
    return "sqlite"


@pytest.fixture
def database_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if engine_name == "postgresql":
        tables = "database" in request.fixturenames
        url: str = request.getfixturevalue("postgres_tables_url" if tables else "postgres_url")
        return url
    return f"sqlite+aiosqlite:///{tmp_path / 'bank.db'}"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> BankSettings:
    return BankSettings(
        database_url=database_url,
        sandbox_database_url=f"sqlite+aiosqlite:///{tmp_path / 'sandbox.db'}",
        otp_key=b"a server key used by tests only!",
    )


@pytest.fixture
def vault() -> Vault:
    """What seals personal data."""
    return keys.vault()


@pytest.fixture
async def database(
    settings: BankSettings, vault: Vault, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    """Every table of the bank, empty."""
    database = Database(settings.database_url, vault=vault)
    if database.is_sqlite and database.url.database is not None:
        template = tmp_path_factory.getbasetemp() / "bank.db"
        if not template.exists():
            await make_template(f"sqlite+aiosqlite:///{template}")
        shutil.copy(template, database.url.database)
    await make_tables(database)
    yield database
    await database.close()


@pytest.fixture
async def core(settings: BankSettings, clock: ManualClock, database: Database) -> AsyncIterator[Core]:
    """The core without the business areas, started."""
    core = build_core(settings, clock)
    await core.start(database)
    yield core
    await core.close()


@pytest.fixture
async def bank(settings: BankSettings, clock: ManualClock, database: Database) -> AsyncIterator[Bank]:
    """The whole bank, started."""
    bank = build_bank(settings, clock)
    await bank.start(database)
    yield bank
    await bank.close()
