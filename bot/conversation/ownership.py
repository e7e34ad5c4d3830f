"""Who owns a conversation. Every change and every word said checks the owner in the transaction that writes.

bot ──request_human──> queue ──claim──> agent ──close──> closed
 ^                       │ ^              │ │               │
 │                       │ └───requeue────┘ └─pass_on──> another agent
 └────────give_up────────┘<──hand_back────┘   <──reopen─────┘

What an agent had put before the customer (`proposal`) goes with the agent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.customers.models import Customer
from banking_core.money_text import mask_name
from bot.conversation.errors import AlreadyClaimed, ConversationClosed, NotOwner, NotQueued
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import BLOT
from bot.conversation.views import QueueItem, ServedItem
from bot.dialogue.commands import Command

QUEUE_SHOWN_MAX = 200
LOOKED_BACK = 8  # messages of the customer among which what it is about is looked for
SHOWN_CHARS = 60
CUSTOMER, TALKERS = ("customer",), ("customer", "agent")


def queue_up(conversation: Conversation, reason: str, priority: int, now: datetime) -> None:
    """bot -> queue; the lowest priority is served first. Raises ConversationClosed or NotOwner."""
    if conversation.owner == "closed":
        raise ConversationClosed(conversation.id)
    if conversation.owner != "bot":
        raise NotOwner(conversation.id)
    conversation.owner = "queue"
    conversation.handoff_reason = reason
    conversation.priority = priority
    conversation.queued_at = now


def claim(conversation: Conversation, agent_id: str, agent_name: str) -> None:
    """queue -> agent. Raises AlreadyClaimed when a colleague was faster, NotQueued when it waits no more."""
    if conversation.owner == "agent" and conversation.agent_id != agent_id:
        raise AlreadyClaimed(conversation.id)
    if conversation.owner != "queue":
        raise NotQueued(conversation.id)
    _give_to_agent(conversation, agent_id, agent_name)


def pass_on(conversation: Conversation, agent_id: str, agent_name: str) -> None:
    """agent -> another agent. The caller has made sure who has it now."""
    assert conversation.owner == "agent", "only what an agent has is passed on"
    _give_to_agent(conversation, agent_id, agent_name)


def take_over(conversation: Conversation, agent_id: str, agent_name: str) -> None:
    """queue or another agent -> this one. Raises NotQueued when no human has it or is waited for."""
    if conversation.owner not in ("queue", "agent"):
        raise NotQueued(conversation.id)
    _give_to_agent(conversation, agent_id, agent_name)


def _give_to_agent(conversation: Conversation, agent_id: str, agent_name: str) -> None:
    conversation.owner = "agent"
    conversation.agent_id = agent_id
    conversation.agent_name = agent_name
    conversation.wanted_team = conversation.proposal = None


def assert_agent(conversation: Conversation, agent_id: str) -> None:
    """Raises NotOwner unless this agent owns the conversation now."""
    if conversation.owner != "agent" or conversation.agent_id != agent_id:
        raise NotOwner(conversation.id)


def requeue(conversation: Conversation, reason: str, now: datetime, team: str | None = None) -> None:
    """agent -> queue, perhaps for one team; whoever waited first is still first."""
    conversation.owner = "queue"
    conversation.agent_id = conversation.agent_name = conversation.proposal = None
    conversation.wanted_team = team
    conversation.handoff_reason = reason
    conversation.queued_at = conversation.queued_at or now


def give_to_bot(conversation: Conversation) -> None:
    """Back to the assistant, from any owner."""
    conversation.owner = "bot"
    conversation.agent_id = conversation.agent_name = conversation.proposal = None
    conversation.handoff_reason = conversation.wanted_team = None
    conversation.queued_at = conversation.closed_at = None


def close(conversation: Conversation, now: datetime) -> None:
    """The service is over."""
    conversation.owner = "closed"
    conversation.closed_at = now
    conversation.queued_at = conversation.wanted_team = conversation.proposal = None


async def position(session: AsyncSession, conversation: Conversation) -> int | None:
    """1 for the next customer to be served; None when not in the queue."""
    if conversation.owner != "queue" or conversation.queued_at is None:
        return None
    ahead = await session.scalar(
        select(func.count())
        .select_from(Conversation)
        .where(
            Conversation.owner == "queue",
            or_(
                Conversation.priority < conversation.priority,
                and_(
                    Conversation.priority == conversation.priority,
                    Conversation.queued_at < conversation.queued_at,
                ),
            ),
        )
    )
    return int(ahead or 0) + 1


async def held_count(session: AsyncSession, agent_id: str) -> int:
    """How many conversations this agent owns."""
    count = await session.scalar(
        select(func.count())
        .select_from(Conversation)
        .where(Conversation.owner == "agent", Conversation.agent_id == agent_id)
    )
    return int(count or 0)


async def loads(session: AsyncSession) -> dict[str, int]:
    """How many conversations each agent owns who owns any."""
    rows = await session.execute(
        select(Conversation.agent_id, func.count())
        .where(Conversation.owner == "agent", Conversation.agent_id.is_not(None))
        .group_by(Conversation.agent_id)
    )
    return {str(agent_id): int(count) for agent_id, count in rows.all()}


async def queue(session: AsyncSession, now: datetime) -> list[QueueItem]:
    """Everybody waiting: the most urgent first, of those the longest."""
    rows = await session.execute(
        select(Conversation, Customer)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .where(Conversation.owner == "queue")
        .order_by(Conversation.priority, Conversation.queued_at, Conversation.id)
        .limit(QUEUE_SHOWN_MAX)
    )
    waiting = rows.all()
    said = await _last_said(session, [conversation.id for conversation, _ in waiting], CUSTOMER, LOOKED_BACK)
    items = []
    for conversation, customer in waiting:
        queued_at = conversation.queued_at or now
        items.append(
            QueueItem(
                conversation_id=conversation.id,
                reason=conversation.handoff_reason or "asked",
                queued_at=queued_at,
                waited_s=int((now - queued_at).total_seconds()),
                customer_name_masked=mask_name(customer.name) if customer else None,
                last_text=_telling(said[conversation.id])[:SHOWN_CHARS],
                level=customer.level if customer else "",
                team=conversation.wanted_team or "",
            )
        )
    return items


async def served(session: AsyncSession) -> list[ServedItem]:
    """Everybody whom an agent has now, by agent."""
    rows = await session.execute(
        select(Conversation, Customer)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .where(Conversation.owner == "agent")
        .order_by(Conversation.agent_name, Conversation.updated_at)
        .limit(QUEUE_SHOWN_MAX)
    )
    held = rows.all()
    said = await _last_said(session, [conversation.id for conversation, _ in held], TALKERS, 1)
    items = []
    for conversation, customer in held:
        last = next(iter(said[conversation.id]), None)
        items.append(
            ServedItem(
                conversation_id=conversation.id,
                agent_id=conversation.agent_id or "",
                agent_name=conversation.agent_name or "",
                customer_name_masked=mask_name(customer.name) if customer else None,
                level=customer.level if customer else "",
                last_text=last.text[:SHOWN_CHARS] if last is not None else "",
                last_sender=last.sender if last is not None else "",
                updated_at=conversation.updated_at,
            )
        )
    return items


async def _last_said(
    session: AsyncSession, conversation_ids: Sequence[str], senders: Sequence[str], count: int
) -> defaultdict[str, list[Message]]:
    """The newest `count` messages of these senders in each conversation, the newest first, in one query."""
    newest = func.row_number().over(partition_by=Message.conversation_id, order_by=Message.seq.desc())
    numbered = (
        select(Message.id, newest.label("place"))
        .where(Message.conversation_id.in_(conversation_ids), Message.sender.in_(senders))
        .subquery()
    )
    rows = await session.scalars(
        select(Message)
        .join(numbered, numbered.c.id == Message.id)
        .where(numbered.c.place <= count)
        .order_by(Message.seq.desc())
    )
    said: defaultdict[str, list[Message]] = defaultdict(list)
    for message in rows:
        said[message.conversation_id].append(message)
    return said


def _telling(said: Sequence[Message]) -> str:
    """The last words that tell what it is about: rather than the wish for a human or a code that is blotted out."""
    words = (m.text for m in said if m.intent != Command.HUMAN.value and m.text != BLOT)
    return next(words, said[0].text if said else "")
