"""A throw-away PostgreSQL server for tests, from the machine's own binaries.

Import both fixtures where they are needed (`from tests.postgres import postgres_cluster, postgres_url`): the
second gives the URL of an empty database. Without a server binary the tests are skipped; under CI=true a
missing PostgreSQL is a failure.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from banking_core.storage import Base, Database
from tests.needs import missing

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
START_TIMEOUT_S = 60


@dataclass(frozen=True)
class Cluster:
    """A running server on loopback."""

    port: int
    user: str

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{self.user}@127.0.0.1:{self.port}/{database}"


def _binary(name: str) -> str | None:
    for folder in reversed(BINARIES):
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name)


def unavailable(reason: str) -> NoReturn:
    """Skips the test; fails it in CI, where PostgreSQL must be."""
    missing(f"PostgreSQL is not available: {reason}")


def _as_server_user(command: list[str]) -> list[str]:
    """initdb and the server refuse to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


def _run(command: list[str]) -> None:
    done = subprocess.run(
        _as_server_user(command),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        cwd="/",
        check=False,
    )
    if done.returncode != 0:
        unavailable(f"{Path(command[0]).name} failed: {done.stderr.strip()[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One server for the whole test run; durability is off, nobody keeps this data."""
    initdb, pg_ctl = _binary("initdb"), _binary("pg_ctl")
    if initdb is None or pg_ctl is None:
        unavailable("no initdb and pg_ctl on this machine")
    folder = Path(tempfile.mkdtemp(prefix="zhanggui-pg-"))
    data = folder / "data"
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        _run([initdb, "-D", str(data), "-U", "zhanggui", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off -c full_page_writes=off"
        _run([pg_ctl, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"])
        try:
            yield Cluster(port=port, user="zhanggui")
        finally:
            _run([pg_ctl, "-D", str(data), "-w", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of this test's own."""
    with _own_database(postgres_cluster, "template1") as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> Iterator[str]:
    """A database with every table the product knows so far, made once, to be copied."""
    with _own_database(postgres_cluster, "template1") as url:
        asyncio.run(make_template(url))
        yield url.rpartition("/")[2]


@pytest.fixture
def postgres_tables_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """The URL of a database of this test's own that has the tables already."""
    with _own_database(postgres_cluster, postgres_template) as url:
        yield url


_IN_TEMPLATES: set[str] = set()  # what the templates of this run hold, as far as it is the same for all


async def make_template(url: str) -> None:
    """Makes every table known now, to be copied."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await database.close()
    known = set(Base.metadata.tables)
    _IN_TEMPLATES.intersection_update(known) if _IN_TEMPLATES else _IN_TEMPLATES.update(known)


async def make_tables(database: Database) -> None:
    """Makes in a copy of a template the tables that were declared since."""
    if missing := [table for name, table in Base.metadata.tables.items() if name not in _IN_TEMPLATES]:
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all, tables=missing)


@contextmanager
def _own_database(cluster: Cluster, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    connection = ["-h", "127.0.0.1", "-p", str(cluster.port), "-U", cluster.user]
    createdb, dropdb = _binary("createdb"), _binary("dropdb")
    assert createdb is not None and dropdb is not None
    _run([createdb, *connection, "-T", template, name])
    yield cluster.url(name)
    _run([dropdb, *connection, "--force", name])
