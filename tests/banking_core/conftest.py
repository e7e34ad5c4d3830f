"""A bank on a fresh database, with a clock that stands still.

Whatever uses a database runs on SQLite and on PostgreSQL, unless `tests.banking_core.engines.only_on` says why not.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url

from banking_core.bank import Bank, build_bank
from banking_core.clock import ManualClock
from banking_core.core import Core, build_core
from banking_core.settings import BankSettings
from banking_core.storage import Database
from banking_core.vault import Vault
from tests import keys
from tests.banking_core.engines import ENGINES, CopyOf, Engine
from tests.postgres import (
    Cluster,
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


@pytest.fixture(scope="module", params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> Engine:
    """Of a module, so that what its tests share can be on one engine after the other."""
    engine: Engine = request.param
    return engine


@pytest.fixture
def database_url(engine_name: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database of this test's own; whether it has tables is decided by the fixture `database`."""
    if engine_name == "postgresql":
        tables = "database" in request.fixturenames
        url: str = request.getfixturevalue("postgres_tables_url" if tables else "postgres_url")
        return url
    return f"sqlite+aiosqlite:///{tmp_path / 'bank.db'}"


@pytest.fixture(scope="module")
def shared_database_url(
    engine_name: Engine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of one empty database for the tests of a module."""
    if engine_name == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        with cluster.empty() as url:
            yield url
    else:
        yield f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('shared') / 'bank.db'}"


@pytest.fixture
def copy_of(engine_name: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[CopyOf]:
    """Copies a database that nobody is connected to, by its URL; gives the copy's."""
    with ExitStack() as made:

        def copy(url: str) -> str:
            if engine_name == "postgresql":
                cluster: Cluster = request.getfixturevalue("postgres_cluster")
                return made.enter_context(cluster.copy(url))
            path = shutil.copy(str(make_url(url).database), tmp_path / f"{uuid.uuid4().hex}.db")
            return f"sqlite+aiosqlite:///{path}"

        yield copy


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
