"""What customers think of the agents who served them: asked once, when it is over, and open for a while.

Asked at the close; after a hand-back when what the assistant went on with has come to its end, so that nobody is
interrupted. Until then and while something is under way a digit is an answer to the assistant, never a rating.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversation import log, services
from bot.conversation.models import AgentService, Conversation, Message
from bot.conversation.views import standing_of
from bot.dialogue.skill import HEARD

RATE_IN_CHAT = "本次人工服务已结束，请给同事打个分。再发消息就由小掌柜接待您。"
RATE_BY_KEY = "本次人工服务已结束。"  # the line asks for the rating itself
RATE_AFTERWARDS = "刚才接待您的同事帮到您了吗？有空请打个分。"
QUESTIONS = frozenset({RATE_IN_CHAT, RATE_AFTERWARDS})
RATED_ENDS = ("closed", "handed_back")


class Ratings:
    """Every method works inside the caller's transaction, on a locked conversation."""

    def __init__(self, hours: int) -> None:
        """`hours`: so long after the question a rating is taken."""
        self._open_for = timedelta(hours=hours)

    async def closed(self, session: AsyncSession, conversation: Conversation, now: datetime) -> Message:
        """The service was closed: asked at once."""
        await self._ask(session, conversation, now)
        text = RATE_BY_KEY if conversation.channel in HEARD else RATE_IN_CHAT
        return _notice(session, conversation, now, text)

    async def ask_when_over(
        self, session: AsyncSession, conversation: Conversation, now: datetime, last: Message | None
    ) -> Message | None:
        """The question about a service that was handed back, once nothing is under way any more; None when not now.

        `last` is what was said before it: what could be tapped there can be tapped still.
        """
        if not conversation.can_rate or conversation.owner != "bot" or conversation.channel in HEARD:
            return None
        if standing_of(conversation).under_way:
            return None
        service = await services.latest(session, conversation.id)
        if service is None or service.ended_how != "handed_back" or service.rating_asked_at is not None:
            return None
        await self._ask(session, conversation, now)
        message = _notice(session, conversation, now, RATE_AFTERWARDS)
        if last is not None:
            message.choices, message.in_reply_to = list(last.choices or []), last.in_reply_to
        return message

    async def rateable(
        self, session: AsyncSession, conversation: Conversation, now: datetime
    ) -> AgentService | None:
        """The service that the customer may rate now."""
        if not conversation.can_rate or conversation.owner not in ("bot", "closed"):
            return None
        if conversation.owner == "bot" and standing_of(conversation).under_way:
            return None
        service = await services.latest(session, conversation.id)
        if service is None or service.ended_how not in RATED_ENDS or service.rating_asked_at is None:
            return None
        return service if now < service.rating_asked_at + self._open_for else None

    async def rate(
        self, session: AsyncSession, conversation: Conversation, now: datetime, score: int, comment: str
    ) -> bool:
        """Keeps the rating, once; False when there is nothing to rate."""
        service = await self.rateable(session, conversation, now)
        if service is None:
            return False
        conversation.rating, conversation.rating_comment = score, comment
        conversation.can_rate = False
        service.score, service.comment, service.rated_at = score, comment or None, now
        return True

    @staticmethod
    async def _ask(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
        service = await services.latest(session, conversation.id)
        conversation.can_rate = service is not None
        if service is not None:
            service.rating_asked_at = now


def _notice(session: AsyncSession, conversation: Conversation, now: datetime, text: str) -> Message:
    return log.append(session, conversation, now, sender="system", sender_name=log.SYSTEM_NAME, text=text)
