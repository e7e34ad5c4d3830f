"""Reads a conversation's log as a story of who had it, and finds whoever spoke out of turn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from bot.assembly import Product
from bot.conversation.log import FAILED
from bot.conversation.models import AgentService, Conversation, Message

TO_QUEUE = "正在为您转接人工"
OUT_OF_QUEUE = "好的，不排队了"
SERVES = "为您服务"
AGENT_GONE = "同事暂时离开了"
TO_TEAM = "正在为您转给"
BACK = "同事已经把您交回给我了"
OVER = "本次人工服务已结束"


@dataclass
class Story:
    """What a log tells: who has the conversation at its end, and what was wrong on the way."""

    owner: str = "bot"
    problems: list[str] = field(default_factory=list)

    def hear(self, message: Message) -> None:
        """Follows one message; `owner` is 'bot', 'queue', 'closed' or an agent's name."""
        text, key = message.text, message.channel_message_id or ""
        if message.sender == "system":
            self._notice(text)
        elif message.sender == "customer":
            self.owner = "bot" if self.owner == "closed" else self.owner
        elif message.sender == "agent":
            self._expect(message, self.owner == message.sender_name and key.startswith("agent:"))
        elif text.startswith(BACK):
            self._expect(message, self.owner not in ("bot", "queue", "closed"))
            self.owner = "bot"
        elif text.startswith(OUT_OF_QUEUE):
            self._expect(message, self.owner == "queue")
            self.owner = "bot"
        else:
            self._expect(message, self.owner == "bot")
            self.owner = "queue" if TO_QUEUE in text else self.owner

    def _notice(self, text: str) -> None:
        if SERVES in text:
            self.owner = text.partition(SERVES)[0]
        elif text.startswith((AGENT_GONE, TO_TEAM)):
            self.owner = "queue"
        elif text.startswith(OVER):
            self.owner = "closed"

    def _expect(self, message: Message, in_turn: bool) -> None:
        if not in_turn:
            self.problems.append(f"{message.seq}: {message.sender_name} spoke while {self.owner} had it")


async def problems(product: Product, conversation_id: str) -> list[str]:
    """Everything wrong with a conversation: voices out of turn, gaps, doubles, services that overlap."""
    async with product.database.snapshot() as session:
        conversation = await session.get(Conversation, conversation_id)
        assert conversation is not None
        messages = list(
            await session.scalars(
                select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq)
            )
        )
        services = list(
            await session.scalars(select(AgentService).where(AgentService.conversation_id == conversation_id))
        )
    story = Story()
    for message in messages:
        story.hear(message)
    found = list(story.problems)
    if [message.seq for message in messages] != list(range(1, conversation.next_seq)):
        found.append("the log has gaps")
    keys = Counter(message.channel_message_id for message in messages if message.channel_message_id)
    found += [f"{key} was said {times} times" for key, times in keys.items() if times > 1]
    now = conversation.agent_name if conversation.owner == "agent" else conversation.owner
    if story.owner != now:
        found.append(f"the log says {story.owner} has it, the row says {now}")
    under_way = [service.agent_id for service in services if service.ended_at is None]
    if under_way != ([conversation.agent_id] if conversation.owner == "agent" else []):
        found.append(f"services under way: {under_way}, owner {now}")
    found += [f"a turn failed: {message.text}" for message in messages if message.action == FAILED]
    return found
