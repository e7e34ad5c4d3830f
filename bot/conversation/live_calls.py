"""Telephone calls under way. A call dies with the process that has its sound; nobody else would hang up for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.storage import Database
from bot.conversation.models import LiveCall

RENEW_S = 10
LOST_AFTER_S = 45  # some signs of life may come late


class LiveCalls:
    """The calls of this process, and how to tell those of a dead one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._mine: set[str] = set()

    def begun(self, session: AsyncSession, conversation_id: str) -> None:
        """This process has the call, from the commit on."""
        session.add(LiveCall(conversation_id=conversation_id, seen_at=self._clock.now()))
        self._mine.add(conversation_id)

    async def ended(self, session: AsyncSession, conversation_id: str) -> None:
        """It is over, whoever had it."""
        self._mine.discard(conversation_id)
        await session.execute(delete(LiveCall).where(LiveCall.conversation_id == conversation_id))

    async def renew(self) -> None:
        """A sign of life of every call of this process."""
        if not self._mine:
            return
        async with self._database.transaction() as session:
            await session.execute(
                update(LiveCall)
                .where(LiveCall.conversation_id.in_(self._mine))
                .values(seen_at=self._clock.now())
                .execution_options(synchronize_session=False)
            )

    async def lost(self) -> Sequence[str]:
        """The conversations of calls whose process has fallen silent."""
        async with self._database.snapshot() as session:
            statement = select(LiveCall.conversation_id).where(LiveCall.seen_at < self._oldest)
            return (await session.scalars(statement)).all()

    async def taken_out(self, session: AsyncSession, conversation_id: str) -> bool:
        """Ends a lost call; False when another process did so before, or it turned out to be alive."""
        result = await session.execute(
            delete(LiveCall).where(
                LiveCall.conversation_id == conversation_id, LiveCall.seen_at < self._oldest
            )
        )
        assert isinstance(result, CursorResult)
        return result.rowcount == 1

    @property
    def _oldest(self) -> datetime:
        return self._clock.now() - timedelta(seconds=LOST_AFTER_S)
