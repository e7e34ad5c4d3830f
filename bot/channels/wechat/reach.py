"""How many customer-service messages WeChat still lets through to whom; for the desk to show."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from bot.channels.wechat.contacts import quota_left
from bot.channels.wechat.models import WechatContact


class WechatReach:
    """Reads the quota of the follower who has a conversation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def left(self, session: AsyncSession, conversation_id: str) -> int | None:
        """Messages that may be sent now; None for a conversation that is not in WeChat."""
        contact = await session.scalar(
            select(WechatContact).where(WechatContact.conversation_id == conversation_id)
        )
        return None if contact is None else quota_left(contact, self._clock.now())
