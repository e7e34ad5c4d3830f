"""Durable transfers per second through the ledger, beside pgbench's TPC-B-like test on the same server.

Everything a booking costs in earnest is in it: hash chains, triggers, floors, keys, foreign keys, one flush to disk
per commit. The rounds alternate (ledger, pgbench, ledger, pgbench), so that a busy machine disturbs both alike, and
the books are verified at the end. What is measured happens in databases made for it and dropped afterwards.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from banking_core.clock import SystemClock
from banking_core.ledger import Batcher, EntryDraft, Ledger
from banking_core.storage import Database
from bot.evaluation.local_postgres import binary, is_installed, local_postgres
from bot.running.errors import StartError
from migrations.runner import upgrade

ROUNDS = 2
WARM_UP_S = 1.0
BALANCE_FEN = 10**9
FUNDED_AT_ONCE = 90
PGBENCH_CLIENTS_MAX = 80  # a server as installed allows 100 connections
PGBENCH_SCALE_MAX = 50
SERVER_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")


class BenchError(StartError):
    """The measurement cannot be made; the text says why."""


def pgbench_scale(accounts: int) -> int:
    """The scale with as many branches as we have accounts: every pgbench transaction updates one branch.

    Above `PGBENCH_SCALE_MAX` branches hardly anybody waits for another, and the tables would outgrow the cache.
    """
    return min(accounts, PGBENCH_SCALE_MAX)


@dataclass(frozen=True)
class Task:
    """What to measure; `scale` is pgbench's, left out as many branches as there are accounts."""

    accounts: int
    workers: int
    seconds: float
    scale: int | None = None


async def measure_ledger(url: str | None, task: Task, say: Callable[[str], None]) -> dict[str, object]:
    """The figures `zhanggui bench ledger` prints. Raises BenchError, ServerError."""
    with _place(url, say) as place:
        if place.get_backend_name() == "sqlite":
            return await _measure(place, None, task, say)
        return await _measure_postgres(place, task, say)


@contextmanager
def _place(url: str | None, say: Callable[[str], None]) -> Iterator[URL]:
    """Where to measure: the server or disk of the URL, else a server of our own, else SQLite."""
    if url is not None and make_url(url).get_backend_name() == "postgresql":
        yield make_url(url)
    elif url is None and is_installed():
        say("启动一个临时的 PostgreSQL …")
        with local_postgres() as server:
            yield make_url(server.url())
    else:
        near = make_url(url).database if url is not None else None
        folder = Path(near).absolute().parent if near else None
        with tempfile.TemporaryDirectory(prefix="zhanggui-", dir=folder) as made:
            yield make_url(f"sqlite+aiosqlite:///{Path(made) / 'ledger.db'}")


async def _measure_postgres(server: URL, task: Task, say: Callable[[str], None]) -> dict[str, object]:
    names = [f"zhanggui_bench_{uuid.uuid4().hex[:12]}_{part}" for part in ("ledger", "pgbench")]
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            server_settings = {
                name: str(await connection.scalar(text(f"SHOW {name}"))) for name in SERVER_SETTINGS
            }
            for name in names:
                await connection.execute(text(f'CREATE DATABASE "{name}"'))
        ledger_url, pgbench_url = (server.set(database=name) for name in names)
        report = await _measure(ledger_url, pgbench_url, task, say)
        return {**report, **server_settings}
    finally:
        async with engine.connect() as connection:
            for name in names:
                await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        await engine.dispose()


async def _measure(
    url: URL, pgbench_url: URL | None, task: Task, say: Callable[[str], None]
) -> dict[str, object]:
    address = url.render_as_string(hide_password=False)
    await upgrade(address)
    database = Database(address)
    ledger = Ledger(SystemClock())
    try:
        ids = await _open_accounts(database, ledger, task.accounts)
        pgbench = await _Pgbench.prepare(pgbench_url, task, say)
        load = _Load(database, ids, task.workers)
        await load.run(WARM_UP_S)
        load.forget()
        rates: list[float] = []
        for number in range(ROUNDS):
            say(f"第 {number + 1} 轮，共 {ROUNDS} 轮 …")
            await load.run(task.seconds / ROUNDS)
            if pgbench is not None:
                rates.append(await pgbench.run(max(1, round(task.seconds / ROUNDS))))
        say("核对账本 …")
        async with database.snapshot() as session:
            verified = (await ledger.verify(session)).ok
    finally:
        await database.close()
    pgbench_tps = statistics.fmean(rates) if rates else None
    return {
        "engine": url.get_backend_name(),
        "accounts": task.accounts,
        "workers": task.workers,
        "transfers_per_s": round(load.per_s),
        "p95_ms": round(load.p95_ms, 1),
        "transfers_per_commit": round(load.per_commit, 1),
        "pgbench_tps": None if pgbench_tps is None else round(pgbench_tps),
        "pgbench_scale": None if pgbench is None else pgbench.scale,
        "pgbench_clients": None if pgbench is None else pgbench.clients,
        "ratio": None if not pgbench_tps else round(load.per_s / pgbench_tps, 2),
        "verified": verified,
    }


async def _open_accounts(database: Database, ledger: Ledger, count: int) -> list[int]:
    ids: list[int] = []
    async with database.transaction() as session:
        world = await ledger.open_for(session, code="bench:world", name="外部", purpose="general")
        for number in range(count):
            account = await ledger.open_for(session, code=f"bench:{number}", name="测试", purpose="deposit")
            ids.append(account.id)
        for start in range(0, count, FUNDED_AT_ONCE):
            part = ids[start : start + FUNDED_AT_ONCE]
            lines = [EntryDraft(account_id, BALANCE_FEN) for account_id in part]
            lines.append(EntryDraft(world.id, -BALANCE_FEN * len(part)))
            await ledger.post(session, key=f"fund:{start}", kind="deposit", entries=lines, memo="")
    return ids


class _Load:
    """Workers that transfer at random between accounts, each waiting for its commit before it goes on."""

    def __init__(self, database: Database, ids: list[int], workers: int) -> None:
        self._database = database
        self._ids = ids
        self._workers = workers
        self._number = 0
        self.forget()

    def forget(self) -> None:
        """Starts counting anew."""
        self._latencies_s: list[float] = []
        self._spent_s = 0.0
        self._batch_count = 0

    async def run(self, seconds: float) -> None:
        """Works for `seconds`."""
        started_at_s = perf_counter()
        async with Batcher(self._database, SystemClock()) as batcher:
            await asyncio.gather(*(self._work(batcher, started_at_s + seconds) for _ in range(self._workers)))
            self._batch_count += batcher.batch_count
        self._spent_s += perf_counter() - started_at_s

    async def _work(self, batcher: Batcher, until_s: float) -> None:
        chance = random.Random(self._number)
        while (started_at_s := perf_counter()) < until_s:
            self._number += 1
            source, target = chance.sample(self._ids, 2)
            amount_fen = chance.randint(1, 1000)
            await batcher.post(
                key=f"bench:{self._number}",
                kind="transfer",
                entries=(
                    EntryDraft(source, -amount_fen, "收款人", "transfer", "转账"),
                    EntryDraft(target, amount_fen, "付款人", "transfer", "转账"),
                ),
                memo="",
            )
            self._latencies_s.append(perf_counter() - started_at_s)

    @property
    def per_s(self) -> float:
        """Committed transfers per second."""
        return len(self._latencies_s) / self._spent_s

    @property
    def per_commit(self) -> float:
        """Transfers per database commit."""
        return len(self._latencies_s) / max(1, self._batch_count)

    @property
    def p95_ms(self) -> float:
        """What 95 % of the transfers took at most, from asking to hearing that it is committed."""
        return sorted(self._latencies_s)[int(len(self._latencies_s) * 0.95)] * 1000


class _Pgbench:
    """pgbench's built-in TPC-B-like test on one database."""

    def __init__(self, program: str, url: URL, scale: int, clients: int) -> None:
        self._program = program
        self._url = url
        self.scale = scale
        self.clients = clients

    @classmethod
    async def prepare(cls, url: URL | None, task: Task, say: Callable[[str], None]) -> _Pgbench | None:
        """Fills the tables; None without PostgreSQL or without pgbench."""
        program = binary("pgbench")
        if url is None or program is None:
            return None
        scale = task.scale or pgbench_scale(task.accounts)
        say(f"准备 pgbench（-s {scale}）…")
        made = cls(program, url, scale, min(task.workers, PGBENCH_CLIENTS_MAX))
        await made._call("-i", "-q", "-s", str(scale))
        return made

    async def run(self, seconds: int) -> float:
        """Transactions per second."""
        jobs = min(self.clients, os.cpu_count() or 1)
        output = await self._call("-n", "-c", str(self.clients), "-j", str(jobs), "-T", str(seconds))
        found = re.search(r"tps = ([0-9.]+)", output)
        if found is None:
            raise BenchError(f"pgbench printed no rate: {output[-200:]}")
        return float(found[1])

    async def _call(self, *arguments: str) -> str:
        url = self._url
        address: dict[str, Any] = {
            "PGHOST": url.host or "127.0.0.1",
            "PGPORT": str(url.port or 5432),
            "PGUSER": url.username or "",
            "PGPASSWORD": url.password or "",
            "PGDATABASE": url.database or "",
        }
        process = await asyncio.create_subprocess_exec(
            self._program,
            *arguments,
            env={**os.environ, **address},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode != 0:
            raise BenchError(f"pgbench failed: {errors.decode(errors='replace').strip()[-300:]}")
        return output.decode(errors="replace")
