"""Tables of the hub."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import Sealed, SealedRow

SERVICE_ENDS = ("closed", "handed_back", "transferred", "taken_over", "requeued")
NOTE_KINDS = ("note", "whisper", "transfer", "summary")


class Conversation(SealedRow, Base):
    """One conversation. `owner` decides who may answer; it changes only inside a transaction that locks the row.

    Of those who wait the lowest `priority` comes first. `can_rate`: the last service of an agent is over and was not
    rated. `wanted_team` names the team it waits for after
    a transfer. `proposal` is the slot value an agent has put before the customer, see `bot.conversation.helping`.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        CheckConstraint("owner IN ('bot', 'queue', 'agent', 'closed')", name="owner"),
        CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name="rating"),
        Index("ix_conversation_owner_queued", "owner", "priority", "queued_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel: Mapped[str] = mapped_column(String(16))
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"), index=True)
    owner: Mapped[str] = mapped_column(String(8), default="bot")
    agent_id: Mapped[str | None] = mapped_column(String(32), index=True)
    agent_name: Mapped[str | None] = mapped_column(String(32))
    handoff_reason: Mapped[str | None] = mapped_column(String(64))
    queued_at: Mapped[datetime | None]
    priority: Mapped[int] = mapped_column(Integer, default=50, server_default="50")
    closed_at: Mapped[datetime | None]
    verified_how: Mapped[str | None] = mapped_column(String(64))
    verified_at: Mapped[datetime | None]
    state_sealed: Mapped[str | None] = mapped_column(Text)
    state = Sealed[dict[str, Any] | None]("state_sealed")
    challenge_sealed: Mapped[str | None] = mapped_column(Text)
    challenge = Sealed[dict[str, Any] | None]("challenge_sealed")
    next_seq: Mapped[int] = mapped_column(Integer, default=1)
    wanted_team: Mapped[str | None] = mapped_column(String(32))
    proposal_sealed: Mapped[str | None] = mapped_column(Text)
    proposal = Sealed[dict[str, Any] | None]("proposal_sealed")
    rating: Mapped[int | None]
    rating_comment_sealed: Mapped[str | None] = mapped_column(Text)
    rating_comment = Sealed[str | None]("rating_comment_sealed")
    can_rate: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Message(SealedRow, Base):
    """One line of the log. Secrets and full card numbers never get here; the text is already redacted."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "channel_message_id"),
        CheckConstraint("sender IN ('customer', 'bot', 'agent', 'system')", name="sender"),
        Index("ix_message_reply", "conversation_id", "in_reply_to"),
        Index("ix_message_action", "action", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    seq: Mapped[int] = mapped_column(Integer)
    channel_message_id: Mapped[str | None] = mapped_column(String(96))
    in_reply_to: Mapped[int | None] = mapped_column(Integer)
    sender: Mapped[str] = mapped_column(String(8))
    sender_name: Mapped[str] = mapped_column(String(32))
    text_sealed: Mapped[str] = mapped_column(Text)
    text = Sealed[str]("text_sealed")
    card_sealed: Mapped[str | None] = mapped_column(Text)
    card = Sealed[dict[str, Any] | None]("card_sealed")
    choices_sealed: Mapped[str] = mapped_column(Text)
    choices = Sealed[list[Any]]("choices_sealed")
    intent: Mapped[str | None] = mapped_column(String(48))
    action: Mapped[str | None] = mapped_column(String(96))
    created_at: Mapped[datetime]


class AgentService(SealedRow, Base):
    """One stretch in which one agent had a conversation, from taking it to letting go, and what the customer thought.

    `reason` and `queued_at` are those of the wait before it, `wrap_up` is the code chosen at the close (see
    `desk.wrap_ups`), `passed_to` the colleague's id or the team's name after a transfer. `rating_asked_at` is when the
    customer was asked, see `bot.conversation.ratings`.
    """

    __tablename__ = "agent_service"
    __table_args__ = (
        CheckConstraint(f"ended_how IN ({', '.join(map(repr, SERVICE_ENDS))})", name="ended_how"),
        CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name="ended"),
        CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name="score"),
        Index("ix_agent_service_conversation", "conversation_id", "began_at"),
        Index("ix_agent_service_agent", "agent_id", "began_at"),
        Index("ix_agent_service_ended", "ended_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    agent_id: Mapped[str] = mapped_column(String(32))
    agent_name: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(64))
    queued_at: Mapped[datetime | None]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_how: Mapped[str | None] = mapped_column(String(12))
    passed_to: Mapped[str | None] = mapped_column(String(32))
    wrap_up: Mapped[str | None] = mapped_column(String(32))
    rating_asked_at: Mapped[datetime | None]
    score: Mapped[int | None]
    comment_sealed: Mapped[str | None] = mapped_column(Text)
    comment = Sealed[str | None]("comment_sealed")
    rated_at: Mapped[datetime | None]


class SideNote(SealedRow, Base):
    """What the staff tell each other about a conversation, shown after message `after_seq`.

    It lies apart from the log on purpose: channels read messages, and nothing here is one.
    """

    __tablename__ = "side_note"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(map(repr, NOTE_KINDS))})", name="kind"),
        Index("ix_side_note_conversation", "conversation_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    after_seq: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(8))
    author_id: Mapped[str] = mapped_column(String(32))
    author_name: Mapped[str] = mapped_column(String(32))
    text_sealed: Mapped[str] = mapped_column(Text)
    text = Sealed[str]("text_sealed")
    created_at: Mapped[datetime]


class CustomerPicture(SealedRow, Base):
    """A picture that a customer sent, for the human who has the conversation; `id` is the key of its message."""

    __tablename__ = "customer_picture"

    id: Mapped[str] = mapped_column(String(96), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    content_sealed: Mapped[str] = mapped_column(Text)
    content = Sealed[str]("content_sealed")  # base64
    created_at: Mapped[datetime] = mapped_column(index=True)


class LiveCall(Base):
    """A telephone call under way. The process that has its sound says so again and again, until it is dead."""

    __tablename__ = "live_call"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[datetime] = mapped_column(index=True)


class QuestionReview(Base):
    """An operator has dealt with a question that found no answer."""

    __tablename__ = "question_review"

    fingerprint: Mapped[str] = mapped_column(String(12), primary_key=True)
    settled_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(String(200))
