"""The bank test: money is neither made nor lost while workers and the database are killed in the middle of it.

A few seconds on each engine; a full minute, with what happened in it printed, by

    ZHANGGUI_LONG_TESTS=1 pytest -s tests/banking_core/ledger/test_bank_under_fire.py
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from time import monotonic

from sqlalchemy import func, select

from banking_core.clock import SystemClock
from banking_core.ledger import Ledger, LedgerAccount, LedgerEntry, LedgerTransaction
from banking_core.storage import Base, Database
from bot.evaluation.local_postgres import is_installed, local_postgres
from tests.banking_core.ledger.books import open_books
from tests.banking_core.ledger.fire import Ask, Paper, Place, read_paper, stop_file, work
from tests.postgres import unavailable

WORKERS = 16
LONG = os.environ.get("ZHANGGUI_LONG_TESTS") == "1"
FOR_S = 60 if LONG else 4
HARD_STOP_EVERY_S = 6 if LONG else 1.5
KILL_EVERY_S = 0.8
PAUSE_S = 0.02
PATIENCE_S = 60
OPENING_FEN = (500,) * 8  # little, so that floors are met all the time
SEED = 20261102


class Crew:
    """The worker processes; a dead one is replaced."""

    def __init__(self, url: str, folder: Path, accounts: tuple[int, ...]) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.banking_core.ledger.fire"])
        self._url, self._folder, self._accounts = url, folder, accounts
        self._generations = [0] * WORKERS
        self._processes: list[ForkServerProcess] = [self._start(number) for number in range(WORKERS)]
        self.killed = 0

    def _start(self, number: int) -> ForkServerProcess:
        place = Place(self._url, self._folder, number, self._generations[number], self._accounts)
        process = self._context.Process(target=work, args=(place,), daemon=True)
        process.start()
        return process

    async def at_work(self) -> None:
        """Waits until half of them have heard of a booking."""
        until_s = monotonic() + PATIENCE_S
        while True:
            heard = [read_paper(self._folder, f"worker-{number}").booked for number in range(WORKERS)]
            if sum(map(bool, heard)) >= WORKERS // 2:
                return
            assert monotonic() < until_s, "nobody books"
            await asyncio.sleep(PAUSE_S)

    def kill(self, *numbers: int) -> None:
        """kill -9, all of them before the first is replaced."""
        for number in numbers:
            self._processes[number].kill()
        for number in numbers:
            self._processes[number].join(PATIENCE_S)
            assert self._processes[number].exitcode == -9, "it had died by itself"
            self._generations[number] += 1
            self.killed += 1
        for number in numbers:
            self._processes[number] = self._start(number)

    def kill_all(self) -> None:
        """What a hard stop of the whole machine is for SQLite, which lives in its users."""
        self.kill(*range(WORKERS))

    def finish(self) -> None:
        """Every worker gets an answer to what it asked for, and goes."""
        stop_file(self._folder).touch()
        for process in self._processes:
            process.join(PATIENCE_S)
        assert [process.exitcode for process in self._processes] == [0] * WORKERS

    def close(self) -> None:
        """Leaves nobody behind, also after a failure."""
        for process in self._processes:
            process.kill()
            process.join(PATIENCE_S)


async def look(database: Database, accounts: tuple[int, ...]) -> None:
    """One snapshot: the total is what was paid in, nothing is below its floor, balances are what was booked."""
    async with database.snapshot() as session:
        if not database.is_sqlite:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        balances = {
            account.id: account.balance_fen for account in await session.scalars(select(LedgerAccount))
        }
        entry = LedgerEntry
        rows = await session.execute(
            select(entry.ledger_account_id, func.sum(entry.amount_fen)).group_by(entry.ledger_account_id)
        )
        booked = {account_id: int(total) for account_id, total in rows}
    assert sum(balances[account] for account in accounts) == sum(OPENING_FEN)
    assert min(balances[account] for account in accounts) >= 0
    assert balances == booked


async def check_books(database: Database, paper: Paper) -> None:
    """Every acknowledged transfer is there once, as acknowledged; whatever else is there was asked for, and whole."""
    async with database.snapshot() as session:
        report = await Ledger(SystemClock()).verify(session)
        assert report.ok, report.problems
        statement = (
            select(
                LedgerTransaction.key,
                LedgerTransaction.id,
                LedgerEntry.ledger_account_id,
                LedgerEntry.amount_fen,
            )
            .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
            .where(LedgerTransaction.kind == "transfer", LedgerTransaction.key.like("fire:%"))
            .order_by(LedgerEntry.id)
        )
        rows = (await session.execute(statement)).all()
    ids: dict[str, int] = {}
    found: dict[str, list[tuple[int, int]]] = {}
    for key, transaction_id, account_id, amount_fen in rows:
        assert ids.setdefault(key, transaction_id) == transaction_id, f"{key} is booked twice"
        found.setdefault(key, []).append((account_id, amount_fen))
    assert {key: ids.get(key) for key in paper.booked} == paper.booked
    assert not paper.refused & found.keys()
    assert {key: _lines(paper.asked[key]) for key in found} == found


def _lines(ask: Ask) -> list[tuple[int, int]]:
    return [(ask.source, -ask.amount_fen), (ask.target, ask.amount_fen)]


async def under_fire(url: str, folder: Path, stop_hard: Callable[[Crew], None]) -> None:
    """Sixteen workers, snapshots, kills and hard stops until the time is over; then the books are checked."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.transaction() as session:
        _, opened = await open_books(session, Ledger(SystemClock()), *OPENING_FEN)
    accounts = tuple(opened)
    chance = random.Random(SEED)
    crew = Crew(url, folder, accounts)
    stops = looks = kills = 0
    try:
        await crew.at_work()
        started_at_s = monotonic()
        while (passed_s := monotonic() - started_at_s) < FOR_S:
            await look(database, accounts)
            looks += 1
            if passed_s > KILL_EVERY_S * (kills + 1):
                crew.kill(chance.randrange(WORKERS))
                kills += 1
            if passed_s > HARD_STOP_EVERY_S * (stops + 1):
                stop_hard(crew)
                stops += 1
            await asyncio.sleep(PAUSE_S)  # the cores belong to the workers
        crew.finish()
    finally:
        crew.close()
    await look(database, accounts)
    paper = read_paper(folder)
    await check_books(database, paper)
    await database.close()
    print(
        f"\n{database.url.get_backend_name()}: {FOR_S} s, {looks} snapshots, {stops} hard stops, "
        f"{crew.killed} workers killed, {len(paper.booked)} booked, {len(paper.refused)} refused, "
        f"{len(paper.open)} never answered"
    )
    assert looks > 0 and stops > 0 and crew.killed > 0
    assert paper.booked and paper.refused, "nothing was put to the test"


async def test_on_sqlite_the_money_stays_whole_while_its_users_are_killed(tmp_path: Path) -> None:
    await under_fire(f"sqlite+aiosqlite:///{tmp_path / 'bank.db'}", tmp_path, Crew.kill_all)


async def test_on_postgresql_the_money_stays_whole_while_workers_and_server_are_killed(
    tmp_path: Path,
) -> None:
    if not is_installed():
        unavailable("no initdb and pg_ctl on this machine")
    with local_postgres() as server:

        def stop_hard(_crew: Crew) -> None:
            server.stop("immediate")
            server.start()

        await under_fire(server.url(), tmp_path, stop_hard)
