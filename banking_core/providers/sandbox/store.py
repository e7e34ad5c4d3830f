"""The sandbox parties' own database, and the rule that one key has one effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Integer, String, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from banking_core.clock import Clock
from banking_core.providers.errors import ProviderKeyConflict
from banking_core.providers.protocols import ProviderResult
from banking_core.storage import Database, UtcDateTime

BigId = BigInteger().with_variant(Integer, "sqlite")
START_TRIES_MAX = 5
START_WAIT_S = 0.1
RACE_SIGNS = ("locked", "already exists", "duplicate key")


class SandboxBase(DeclarativeBase):
    """Tables of the sandbox parties; not part of the bank's migrations."""

    type_annotation_map: ClassVar[Any] = {datetime: UtcDateTime, dict[str, Any]: JSON}


class SandboxCall(SandboxBase):
    """A request that had an effect, with the answer every repetition gets."""

    __tablename__ = "sandbox_calls"

    provider: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class SandboxSms(SandboxBase):
    """A text message that would have been sent."""

    __tablename__ = "sandbox_sms"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    phone: Mapped[str] = mapped_column(String(20), index=True)
    text: Mapped[str] = mapped_column(String(500))
    sent_at: Mapped[datetime]


class SandboxBill(SandboxBase):
    """A bill issued by a utility company."""

    __tablename__ = "sandbox_bills"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    biller: Mapped[str] = mapped_column(String(16))
    provider_name: Mapped[str] = mapped_column(String(64))
    account_no: Mapped[str] = mapped_column(String(32), index=True)
    period: Mapped[date]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date]
    status: Mapped[str] = mapped_column(String(8))


class SandboxTopup(SandboxBase):
    """Credit given to a phone number."""

    __tablename__ = "sandbox_topups"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    phone: Mapped[str] = mapped_column(String(20), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class SandboxPayment(SandboxBase):
    """A payment received by another bank."""

    __tablename__ = "sandbox_payments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    payee_name: Mapped[str] = mapped_column(String(64))
    payee_account_number: Mapped[str] = mapped_column(String(32), index=True)
    payee_bank_code: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class SandboxResident(SandboxBase):
    """A resident, as two fingerprints: of the identity number, and of name and number together."""

    __tablename__ = "sandbox_residents"

    number: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(64))


Effect = Callable[[AsyncSession], Awaitable[ProviderResult]]


class SandboxStore:
    """One database shared by the sandbox parties."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self.clock = clock
        self._database: Database | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Opens the database and makes its tables; safe to call again, by several processes at once."""
        async with self._starting:
            if self._database is not None:
                return
            database = Database(self._url)
            for attempt in range(START_TRIES_MAX):
                try:
                    async with database.transaction() as session:
                        await (await session.connection()).run_sync(SandboxBase.metadata.create_all)
                    break
                except (DBAPIError, OSError) as error:
                    somebody_else_makes_it = any(sign in str(error) for sign in RACE_SIGNS)
                    if not somebody_else_makes_it or attempt == START_TRIES_MAX - 1:
                        await database.close()
                        raise
                    await asyncio.sleep((attempt + 1) * START_WAIT_S)
            self._database = database

    async def close(self) -> None:
        """Closes the database."""
        if self._database is not None:
            await self._database.close()
            self._database = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A writing transaction; opens the store when nobody has."""
        await self.start()
        assert self._database is not None
        async with self._database.transaction() as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A reading session."""
        await self.start()
        assert self._database is not None
        async with self._database.snapshot() as session:
            yield session

    async def once(self, provider: str, key: str, request: dict[str, Any], effect: Effect) -> ProviderResult:
        """Runs `effect` the first time a key is seen; afterwards gives the first answer again.

        The key is claimed before the effect, in one transaction with it. Raises ProviderKeyConflict.
        """
        async with self.transaction() as session:
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            claim = (
                insert(SandboxCall)
                .values(provider=provider, key=key, request=request, answer={}, at=self.clock.now())
                .on_conflict_do_nothing()
                .returning(SandboxCall.key)
            )
            claimed = (await session.execute(claim)).first() is not None
            statement = select(SandboxCall).where(SandboxCall.provider == provider, SandboxCall.key == key)
            call = (await session.scalars(statement)).one()
            if not claimed:
                if call.request != request:
                    raise ProviderKeyConflict(f"{provider} key was sent with another request")
                return ProviderResult(**call.answer)
            result = await effect(session)
            call.answer = asdict(result)
            return result
