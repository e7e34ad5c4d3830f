"""How many customer-service messages WeChat still lets through to whom; for the desk to show."""

from __future__ import annotations

from sqlalchemy import select

from banking_core.clock import Clock
from banking_core.storage import Database
from bot.channels.wechat.contacts import quota_left
from bot.channels.wechat.models import WechatContact


class WechatReach:
    """Reads the quota of the follower who has a conversation."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def left(self, conversation_id: str) -> int | None:
        """Messages that may be sent now; None for a conversation that is not in WeChat."""
        async with self._database.snapshot() as session:
            contact = await session.scalar(
                select(WechatContact).where(WechatContact.conversation_id == conversation_id)
            )
        return None if contact is None else quota_left(contact, self._clock.now())
