"""Engine and transactions.

On SQLite every writing transaction begins with BEGIN IMMEDIATE and waits its turn behind one lock in the process,
so that a reader never has to upgrade and nobody spins on a busy database. On PostgreSQL transactions run at
READ COMMITTED with explicit row locks taken by the services.

Services that take several locks do so in one order, so that one booking per transaction cannot deadlock. A unit of
work with several bookings can: `run` tries it again, a bounded number of times with growing, jittered pauses.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from banking_core.checked import checked, checked_function
from banking_core.errors import InvalidInput
from banking_core.storage import timing
from banking_core.storage.errors import DatabaseBusy, is_collision, is_disconnect

if TYPE_CHECKING:
    from banking_core.vault import Vault

BUSY_TIMEOUT_MS = 10_000
RUN_TRIES_MAX = 8
FROZEN_AFTER_S = 120
PAUSE_S_FIRST = 0.01
PAUSE_S_MAX = 1.0
Result = TypeVar("Result")
AfterCommit = Callable[[], Awaitable[None]]
BeforeCommit = Callable[[], Awaitable[None]]


@checked
class Database:
    """One database. `transaction()` writes and commits, `snapshot()` only reads."""

    def __init__(
        self,
        url: str,
        *,
        vault: Vault | None = None,
        pool_size: int = 10,
        frozen_after_s: int = FROZEN_AFTER_S,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`vault` opens and seals the columns that are kept sealed; its sessions carry it.

        A transaction in which nothing happens for `frozen_after_s` is ended by PostgreSQL: its process is frozen or
        its machine gone without a word, and others wait for its locks. `jitter` gives numbers from 0 to 1 and `sleep`
        waits seconds: the pauses of `run`, injected for tests.
        """
        self._jitter = jitter
        self._sleep = sleep
        self.url = make_url(url)
        self.vault = vault
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {}
        if not self.is_sqlite:
            given = {"idle_in_transaction_session_timeout": str(frozen_after_s * 1000)}
            options = {
                "pool_size": pool_size,
                "pool_pre_ping": True,
                "connect_args": {"server_settings": given},
            }
        self.engine: AsyncEngine = create_async_engine(self.url, hide_parameters=True, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
        timing.watch(self.engine.sync_engine)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, info={"vault": vault})
        self._writer = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed at the end, or wholly rolled back by an exception.

        Callbacks given to `after_commit(session, ...)` run after the commit, in order, outside the transaction.
        """
        async with self._writing() as session:
            yield session
        await _call_back(session)

    async def run(
        self,
        work: Callable[[AsyncSession], Awaitable[Result]],
        *,
        idempotent: bool = False,
        tries_max: int = RUN_TRIES_MAX,
    ) -> Result:
        """Does `work` in a transaction and commits; tries again when it collided with another transaction.

        `idempotent`: doing it twice is doing it once (each booking has its key), so it is also tried again when the
        connection was lost and nobody knows whether the commit got through. Raises DatabaseBusy after `tries_max`
        tries, and at once whatever else `work` raises.
        """
        if tries_max < 1:
            raise InvalidInput("at least one try", field="tries_max")
        for attempt in range(tries_max):
            try:
                async with self._writing() as session:
                    result = await work(session)
            except Exception as error:
                if not (is_collision(error) or (idempotent and is_disconnect(error))):
                    raise
                if attempt + 1 == tries_max:
                    raise DatabaseBusy(f"tried {tries_max} times: {type(error).__name__}") from error
            else:
                await _call_back(session)
                return result
            await self._sleep(min(PAUSE_S_FIRST * 2**attempt, PAUSE_S_MAX) * (0.5 + self._jitter()))
        raise AssertionError("the loop returns or raises")

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncSession]:
        if self._writer is None:
            async with self._sessions() as session, session.begin():
                yield session
                await _finish(session)
            return
        async with self._writer, self._sessions() as session:
            await session.execute(text("BEGIN IMMEDIATE"))
            try:
                yield session
                await _finish(session)
            except BaseException:
                await session.rollback()
                raise
            started_at_s = perf_counter()
            await session.commit()
            timing.note(perf_counter() - started_at_s)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; whatever it writes is rolled back."""
        async with self._sessions() as session:
            if self.is_sqlite:
                await session.execute(text("BEGIN"))
            try:
                yield session
            finally:
                session.expunge_all()  # what was read stays readable; a rollback would expire it
                await session.rollback()

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()


@checked_function
async def one_at_a_time(session: AsyncSession, number: int) -> None:
    """Waits until no other transaction with this number is under way, in whichever process; SQLite does so anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


@checked_function
def after_commit(session: AsyncSession, callback: AfterCommit) -> None:
    """Runs `callback` once the session's transaction has been committed; never if it is rolled back."""
    session.info.setdefault("after_commit", []).append(callback)


@checked_function
def before_commit(session: AsyncSession, callback: BeforeCommit) -> None:
    """Runs `callback` as the last thing of the session's transaction, after all other work and before the commit."""
    session.info.setdefault("before_commit", []).append(callback)


async def _finish(session: AsyncSession) -> None:
    while callbacks := session.info.pop("before_commit", []):
        for callback in callbacks:
            await callback()


async def _call_back(session: AsyncSession) -> None:
    callbacks: list[AfterCommit] = session.info.pop("after_commit", [])
    for callback in callbacks:
        await callback()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is destroyed, a voiceprint above all, is overwritten in the file
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
