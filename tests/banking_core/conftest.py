"""A bank on a fresh database, with a clock that stands still.

Tests use SQLite unless marked with `tests.banking_core.people.on_both_engines`, which repeats them on
PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from banking_core.bank import Bank, build_bank
from banking_core.clock import ManualClock
from banking_core.core import Core, build_core
from banking_core.settings import BankSettings
from banking_core.storage import Base, Database
from banking_core.vault import Vault
from tests import keys
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]

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
        url: str = request.getfixturevalue("postgres_url")
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
async def database(settings: BankSettings, vault: Vault) -> AsyncIterator[Database]:
    """Every table of the bank, empty."""
    database = Database(settings.database_url, vault=vault)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
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
