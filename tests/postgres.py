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
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from banking_core.storage import Base, Database
from tests.needs import missing

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
START_TIMEOUT_S = 60
MEMORY_DISK = Path("/dev/shm")  # a database made there costs half of one made on a disk
FOLDER_PREFIX = "zhanggui-tests-pg."  # then the process it belongs to
MEMORY_DISK_FREE_BYTES_MIN = 2 * 1024**3
QUICK = {  # nobody keeps this data
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
}


class Cluster:
    """A running server on loopback, and one connection to make databases by, which is quicker than `createdb`."""

    def __init__(self, port: int, user: str) -> None:
        self.port, self.user = port, user
        self._loop = asyncio.new_event_loop()
        self._admin = create_async_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        version = self._loop.run_until_complete(self._run("SHOW server_version_num"))
        self._strategy = " STRATEGY FILE_COPY" if int(str(version)) >= 150_000 else ""

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{self.user}@127.0.0.1:{self.port}/{database}"

    def empty(self) -> AbstractContextManager[str]:
        """The URL of a new database with nothing in it, dropped at the end, whoever is still connected."""
        return self.copy(self.url("template1"))

    @contextmanager
    def copy(self, template_url: str) -> Iterator[str]:
        """The URL of a copy of a database to which nobody is connected, dropped likewise."""
        name, template = f"test_{uuid.uuid4().hex}", make_url(template_url).database
        self._do(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{self._strategy}')
        yield self.url(name)
        self._do(f'DROP DATABASE "{name}" WITH (FORCE)')

    def close(self) -> None:
        self._loop.run_until_complete(self._admin.dispose())
        self._loop.close()

    def _do(self, statement: str) -> None:
        self._loop.run_until_complete(self._run(statement))

    async def _run(self, statement: str) -> object:
        async with self._admin.connect() as connection:
            result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None


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


def _roomy() -> Path | None:
    """Where the server's files lie: in memory, if there is enough of it."""
    if not MEMORY_DISK.is_dir() or not os.access(MEMORY_DISK, os.W_OK):
        return None
    return MEMORY_DISK if shutil.disk_usage(MEMORY_DISK).free >= MEMORY_DISK_FREE_BYTES_MIN else None


def _sweep(parent: Path, pg_ctl: str) -> None:
    """Ends the servers of test runs that were killed: nobody else would, and their files may lie in memory."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        owner = folder.name.removeprefix(FOLDER_PREFIX).partition(".")[0]
        if not psutil.pid_exists(int(owner)):
            stop = [pg_ctl, "-D", str(folder / "data"), "-w", "-m", "immediate", "stop"]
            subprocess.run(
                _as_server_user(stop), capture_output=True, timeout=START_TIMEOUT_S, cwd="/", check=False
            )
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One server for the whole test run; durability is off, nobody keeps this data."""
    initdb, pg_ctl = _binary("initdb"), _binary("pg_ctl")
    if initdb is None or pg_ctl is None:
        unavailable("no initdb and pg_ctl on this machine")
    parent = _roomy() or Path(tempfile.gettempdir())
    _sweep(parent, pg_ctl)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}.", dir=parent))
    data = folder / "data"
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        _run([initdb, "-D", str(data), "-U", "zhanggui", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
        port = _free_port()
        quick = " ".join(f"-c {name}={value}" for name, value in QUICK.items())
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} {quick}"
        _run([pg_ctl, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"])
        try:
            cluster = Cluster(port, "zhanggui")
            yield cluster
            cluster.close()
        finally:
            _run([pg_ctl, "-D", str(data), "-w", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of this test's own."""
    with postgres_cluster.empty() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of a database with every table the product knows so far, made once, to be copied."""
    with postgres_cluster.empty() as url:
        asyncio.run(make_template(url))
        yield url


@pytest.fixture
def postgres_tables_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """The URL of a database of this test's own that has the tables already."""
    with postgres_cluster.copy(postgres_template) as url:
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
