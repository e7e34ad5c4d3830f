"""What the hub hands out: plain values, ready for JSON, with nothing of the database in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from banking_core.identity import NOWHERE, Origin
from banking_core.voiceprints import VoiceSample
from bot.conversation.models import Conversation, Message
from bot.dialogue.by_ear import ByEar

TEXT_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message from a customer. `secret` marks what was typed into a password or code field.

    `voice` is what the line made of digits that were said aloud, `by_ear` what else a spoken text may have been.
    """

    conversation_id: str
    channel_message_id: str
    text: str
    secret: bool = False
    origin: Origin = NOWHERE
    voice: VoiceSample | None = None
    by_ear: ByEar | None = None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as every surface shows it."""

    seq: int
    id: str
    sender: str
    sender_name: str
    text: str
    card: dict[str, Any] | None
    choices: list[dict[str, str]]
    client_id: str | None
    created_at: str

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the field names of this class."""
        return {name: getattr(self, name) for name in self.__slots__}


def message_view(message: Message) -> MessageView:
    """The view of a stored message."""
    return MessageView(
        seq=message.seq,
        id=message.id,
        sender=message.sender,
        sender_name=message.sender_name,
        text=message.text,
        card=message.card,
        choices=list(message.choices or []),
        client_id=message.channel_message_id,
        created_at=message.created_at.isoformat(),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a conversation stands: who answers, what is expected next ('text', or the kind of a challenge), and
    whether something is under way that the next words may belong to.
    """

    owner: str = "bot"
    expects: str = "text"
    customer_id: str | None = None
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """What came of an inbound message; `seq` is its own place in the log.

    `standing` is of the transaction that wrote the replies: who shows them needs no second look.
    """

    duplicate: bool
    seq: int
    replies: list[MessageView]
    intent: str = ""
    confidence: float = 0.0
    action: str = ""
    standing: Standing = Standing()
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConversationStatus:
    """Who answers now, and what kind of input is expected ('text' | 'otp' | 'password')."""

    id: str
    owner: str
    agent_name: str | None
    queue_position: int | None
    customer_id: str | None
    customer_name_masked: str | None
    expects: str
    expects_until: datetime | None
    can_rate: bool
    under_way: bool = False

    @property
    def standing(self) -> Standing:
        """The part of it that every turn knows, too."""
        return Standing(self.owner, self.expects, self.customer_id, self.under_way)


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One waiting customer, as every agent may see it before claiming; `team` is whom a transfer named, "" for all."""

    conversation_id: str
    reason: str
    queued_at: datetime
    waited_s: int
    customer_name_masked: str | None
    last_text: str
    level: str
    team: str = ""


@dataclass(frozen=True, slots=True)
class ServedItem:
    """One customer whom an agent has now, as whoever leads the desk sees it."""

    conversation_id: str
    agent_id: str
    agent_name: str
    customer_name_masked: str | None
    level: str
    last_text: str
    last_sender: str
    updated_at: datetime


def standing_of(conversation: Conversation) -> Standing:
    """Of a stored conversation."""
    state = conversation.state or {}
    under_way = bool(state.get("stack") or state.get("pending"))
    return Standing(conversation.owner, expects_of(conversation)[0], conversation.customer_id, under_way)


def expects_of(conversation: Conversation) -> tuple[str, datetime | None]:
    """The kind of input a pending challenge expects, and until when it is valid."""
    challenge = conversation.challenge
    if conversation.owner != "bot" or not challenge or not challenge.get("live"):
        return "text", None
    until = challenge.get("expires_at")
    return str(challenge["kind"]), datetime.fromisoformat(until) if until else None
