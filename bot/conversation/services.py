"""The stretches in which agents had a conversation: opened and ended with the change of owner, in its transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversation.models import AgentService, Conversation


def begin(
    session: AsyncSession, conversation: Conversation, now: datetime, reason: str | None = None
) -> AgentService:
    """The agent who owns the (locked) conversation now begins; `reason` is by default why the customer waited."""
    assert conversation.agent_id and conversation.agent_name, "only an agent begins a service"
    conversation.can_rate = False  # the one before is no longer the last
    service = AgentService(
        conversation_id=conversation.id,
        agent_id=conversation.agent_id,
        agent_name=conversation.agent_name,
        reason=reason or conversation.handoff_reason or "asked",
        queued_at=conversation.queued_at,
        began_at=now,
    )
    session.add(service)
    return service


async def end(
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    how: str,
    *,
    passed_to: str | None = None,
    wrap_up: str | None = None,
) -> None:
    """The service under way ends; `how` is one of `models.SERVICE_ENDS`. Nothing under way is fine."""
    for service in await session.scalars(
        select(AgentService).where(
            AgentService.conversation_id == conversation.id, AgentService.ended_at.is_(None)
        )
    ):
        service.ended_at, service.ended_how = now, how
        service.passed_to, service.wrap_up = passed_to, wrap_up


async def latest(session: AsyncSession, conversation_id: str) -> AgentService | None:
    """The newest service of a conversation, under way or ended."""
    return await session.scalar(
        select(AgentService)
        .where(AgentService.conversation_id == conversation_id)
        .order_by(AgentService.began_at.desc(), AgentService.ended_at.is_(None).desc())
        .limit(1)
    )
