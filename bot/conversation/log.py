"""The message log: appended inside the caller's transaction, read by sequence number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversation.errors import ConversationNotFound
from bot.conversation.models import Conversation, Message
from bot.dialogue.reply import Reply

BOT_NAME = "小掌柜"
SYSTEM_NAME = "系统"
HISTORY_PAGE_MAX = 200
FAILED = "failed"  # action of a message whose turn could not be handled


async def locked(session: AsyncSession, conversation_id: str) -> Conversation:
    """The conversation, its row locked for this transaction. Raises ConversationNotFound."""
    found = await session.get(Conversation, conversation_id, with_for_update=True)
    if found is None:
        raise ConversationNotFound(conversation_id)
    return found


async def find_duplicate(
    session: AsyncSession, conversation_id: str, channel_message_id: str
) -> Message | None:
    """The message already logged under this channel id, if any."""
    rows = await session.execute(
        select(Message).where(
            Message.conversation_id == conversation_id, Message.channel_message_id == channel_message_id
        )
    )
    return rows.scalar_one_or_none()


async def last_turn_failed(session: AsyncSession, conversation_id: str) -> bool:
    """True when the customer's newest message could not be handled."""
    action = await session.scalar(
        select(Message.action)
        .where(Message.conversation_id == conversation_id, Message.sender == "customer")
        .order_by(Message.seq.desc())
        .limit(1)
    )
    return action == FAILED


async def replies_to(session: AsyncSession, conversation_id: str, seq: int) -> list[Message]:
    """What was answered to the inbound message `seq`, in order."""
    rows = await session.execute(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.in_reply_to == seq)
        .order_by(Message.seq)
    )
    return list(rows.scalars())


async def history(session: AsyncSession, conversation_id: str, after_seq: int, limit: int) -> list[Message]:
    """At most `limit` messages after `after_seq`; with after_seq 0 the newest ones. Ascending."""
    limit = max(1, min(limit, HISTORY_PAGE_MAX))
    query = select(Message).where(Message.conversation_id == conversation_id)
    if after_seq > 0:
        rows = await session.execute(query.where(Message.seq > after_seq).order_by(Message.seq).limit(limit))
        return list(rows.scalars())
    rows = await session.execute(query.order_by(Message.seq.desc()).limit(limit))
    return list(reversed(list(rows.scalars())))


def append(
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    *,
    sender: str,
    sender_name: str,
    text: str,
    channel_message_id: str | None = None,
    in_reply_to: int | None = None,
    card: dict[str, Any] | None = None,
    choices: list[dict[str, str]] | None = None,
    intent: str | None = None,
    action: str | None = None,
) -> Message:
    """Adds one message with the next sequence number of the (locked) conversation."""
    message = Message(
        conversation_id=conversation.id,
        seq=conversation.next_seq,
        channel_message_id=channel_message_id,
        in_reply_to=in_reply_to,
        sender=sender,
        sender_name=sender_name,
        text=text,
        card=card,
        choices=choices or [],
        intent=intent,
        action=action,
        created_at=now,
    )
    conversation.next_seq += 1
    conversation.updated_at = now
    session.add(message)
    return message


def append_reply(
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    reply: Reply,
    *,
    in_reply_to: int | None = None,
    channel_message_id: str | None = None,
) -> Message:
    """Adds one reply of the assistant."""
    data = reply.to_json()
    return append(
        session,
        conversation,
        now,
        sender="bot",
        sender_name=BOT_NAME,
        text=reply.text,
        card=data["card"],
        choices=list(data["choices"]),
        in_reply_to=in_reply_to,
        channel_message_id=channel_message_id,
    )
