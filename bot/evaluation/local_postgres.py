"""A PostgreSQL server of our own on loopback, durable as installed, from the machine's binaries.

For measuring and for tests that stop a server hard; nobody's data lives in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.running.errors import StartError
from bot.running.premises import free_port

INSTALLED = Path("/usr/lib/postgresql")  # where Debian puts what is not on the PATH
TIMEOUT_S = 60
USER = "zhanggui"


class ServerError(StartError):
    """A server program is missing or failed; the text says which and why."""


def binary(name: str) -> str | None:
    """The path of a PostgreSQL program, the newest version first."""
    folders = sorted(INSTALLED.glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    for folder in reversed(folders):
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name)


def is_installed() -> bool:
    """True when a server can be started here."""
    runnable = os.geteuid() != 0 or shutil.which("runuser") is not None
    return runnable and binary("initdb") is not None and binary("pg_ctl") is not None


@dataclass(frozen=True)
class LocalPostgres:
    """One server; `start` and `stop` may be called again and again."""

    folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database on it."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts and waits until it answers; after a hard stop it recovers first."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        self._control("-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """'immediate' is what a crash looks like: no clean-up, recovery from the log at the next start."""
        self._control("-w", "-m", mode, "stop")

    def _control(self, *arguments: str) -> None:
        _run("pg_ctl", "-D", str(self.folder / "data"), *arguments)


@contextmanager
def local_postgres() -> Iterator[LocalPostgres]:
    """A fresh running server, removed at the end. Raises ServerError."""
    folder = Path(tempfile.mkdtemp(prefix="zhanggui-pg-"))
    server = LocalPostgres(folder, free_port())
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        _run("initdb", "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C")
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(name: str, *arguments: str) -> None:
    program = binary(name)
    if program is None:
        raise ServerError(f"{name} is not installed")
    command = [program, *arguments]
    if os.geteuid() == 0:  # the server refuses to run as root
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd="/", check=False)
    if done.returncode != 0:
        raise ServerError(f"{name} failed: {done.stderr.strip()[-500:]}")
