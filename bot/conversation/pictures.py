"""Pictures that customers send: kept for the human who has or will have the conversation; we read none of them."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.inserts import insert_if_absent
from banking_core.storage import Database
from banking_core.vault import vault_of
from bot.conversation.models import CustomerPicture

PICTURE: Final = "[图片]"  # what the log says in its place
BYTES_MAX: Final = 4 * 1024 * 1024
A_DAY_MAX: Final = 10  # of one conversation
KEPT: Final = timedelta(days=30)
_KINDS: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


class Pictures:
    """Keeps and shows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def keep(self, conversation_id: str, key: str, content: bytes) -> bool:
        """Keeps a JPEG or PNG under its message's key, once; False when it is none, too big, or one too many today."""
        kind = next((kind for magic, kind in _KINDS if content.startswith(magic)), None)
        if kind is None or len(content) > BYTES_MAX:
            return False
        now = self._clock.now()
        today = select(func.count(CustomerPicture.id)).where(
            CustomerPicture.conversation_id == conversation_id,
            CustomerPicture.created_at > now - timedelta(days=1),
            CustomerPicture.id != key,
        )
        async with self._database.transaction() as session:
            if (await session.scalar(today) or 0) >= A_DAY_MAX:
                return False
            values = {"id": key, "conversation_id": conversation_id, "kind": kind, "created_at": now}
            # Sealed here, because a photograph is longer than what `sealed_values` takes for a text.
            sealed = CustomerPicture.content.stored(
                vault_of(session), base64.b64encode(content).decode(), key
            )
            await insert_if_absent(session, CustomerPicture, values | sealed, unique="id")
        return True

    async def picture(
        self, session: AsyncSession, conversation_id: str, key: str
    ) -> tuple[bytes, str] | None:
        """The picture of a message of this conversation, with its content type."""
        found = await session.get(CustomerPicture, key)
        if found is None or found.conversation_id != conversation_id:
            return None
        return base64.b64decode(found.content), found.kind

    async def forget(self) -> int:
        """Deletes what was kept long enough; returns how many."""
        statement = delete(CustomerPicture).where(CustomerPicture.created_at <= self._clock.now() - KEPT)
        async with self._database.transaction() as session:
            return len((await session.execute(statement.returning(CustomerPicture.id))).all())
