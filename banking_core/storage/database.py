"""Engine and transactions.

On SQLite every writing transaction begins with BEGIN IMMEDIATE and waits its turn behind one lock in the process,
so that a reader never has to upgrade and nobody spins on a busy database. On PostgreSQL transactions run at
READ COMMITTED with explicit row locks taken by the services.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from banking_core.storage import timing

BUSY_TIMEOUT_MS = 10_000
AfterCommit = Callable[[], Awaitable[None]]


class Database:
    """One database. `transaction()` writes and commits, `snapshot()` only reads."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_size": pool_size, "pool_pre_ping": True}
        self.engine: AsyncEngine = create_async_engine(self.url, hide_parameters=True, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
        timing.watch(self.engine.sync_engine)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._writer = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed at the end, or wholly rolled back by an exception.

        Callbacks given to `after_commit(session, ...)` run after the commit, in order, outside the transaction.
        """
        if self._writer is None:
            async with self._sessions() as session, session.begin():
                yield session
        else:
            async with self._writer, self._sessions() as session:
                await session.execute(text("BEGIN IMMEDIATE"))
                try:
                    yield session
                except BaseException:
                    await session.rollback()
                    raise
                started_at_s = perf_counter()
                await session.commit()
                timing.note(perf_counter() - started_at_s)
        callbacks: list[AfterCommit] = session.info.pop("after_commit", [])
        for callback in callbacks:
            await callback()

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


def after_commit(session: AsyncSession, callback: AfterCommit) -> None:
    """Runs `callback` once the session's transaction has been committed; never if it is rolled back."""
    session.info.setdefault("after_commit", []).append(callback)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
