"""Tables of the desk: agents, their sessions and presence, call-back tickets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.money_text import mask_phone
from banking_core.storage import Base, new_id
from banking_core.vault import Sealed, SealedRow, shown

CONVERSATION_ID_CHARS_MAX = 64


TICKET_KINDS = ("callback", "bank")
OUTCOMES = ("closed", "handed_back", "left", "hung_up", "unattended")
ROLES = ("agent", "senior", "supervisor", "auditor")
LOAD_MAX = 50  # customers served at once


class DeskAgent(Base):
    """A support agent. `max_load` is how many customers they may serve at once, `team` where they sit, "" for none.

    `role` decides what they may do, see `desk.roles`. `skills`, `languages` and `certifications` are codes of the
    bank's rules: who has the skill or the language is preferred, who lacks the certification is not admitted.
    """

    __tablename__ = "desk_agents"
    __table_args__ = (
        CheckConstraint(f"max_load BETWEEN 1 AND {LOAD_MAX}", name="max_load"),
        CheckConstraint(f"role IN ({', '.join(map(repr, ROLES))})", name="role"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    display_name: Mapped[str] = mapped_column(String(32))
    password_hash: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    max_load: Mapped[int] = mapped_column(Integer, default=5)
    role: Mapped[str] = mapped_column(String(12), default="agent", server_default="agent")
    team: Mapped[str] = mapped_column(String(32), default="", server_default="")
    skills: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    languages: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["zh"], server_default='["zh"]')
    certifications: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    created_at: Mapped[datetime]


class CannedReply(Base):
    """A reply kept ready under a shortcut, by one agent for themself, or for a team or all: then `owner_id` is "".

    `position` is its place among those of its owner or team; one with `retired_at` is out of use.
    """

    __tablename__ = "desk_canned_replies"
    __table_args__ = (UniqueConstraint("owner_id", "team", "shortcut"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(String(32))
    team: Mapped[str] = mapped_column(String(32), default="", server_default="")
    shortcut: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(String(500))
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    retired_at: Mapped[datetime | None]
    changed_by: Mapped[str] = mapped_column(ForeignKey("desk_agents.id"))
    changed_at: Mapped[datetime]


class AgentSession(Base):
    """One log-in of an agent. Only the SHA-256 of the cookie's token is kept.

    `used_at` is the agent's last input, `locked_at` when they locked it themselves; see `desk.logins`.
    """

    __tablename__ = "desk_agent_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    agent_id: Mapped[str] = mapped_column(ForeignKey("desk_agents.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime]
    locked_at: Mapped[datetime | None]


class AgentLoginGuard(Base):
    """Wrong tries per user name, kept for unknown names too, so that both look the same from outside."""

    __tablename__ = "desk_login_guards"

    username: Mapped[str] = mapped_column(String(32), primary_key=True)
    wrong_count: Mapped[int] = mapped_column(Integer, default=0)
    lock_count: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None]


class Presence(Base):
    """What an agent says they do, and when their page was last heard of; on duty takes both."""

    __tablename__ = "desk_presence"
    __table_args__ = (CheckConstraint("state IN ('on_duty', 'break', 'off')", name="state"),)

    agent_id: Mapped[str] = mapped_column(ForeignKey("desk_agents.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="off")
    break_reason: Mapped[str] = mapped_column(String(16), default="", server_default="")
    changed_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(index=True)


class Case(Base):
    """One request for a human, from joining the queue to its end, with the clocks that run meanwhile.

    `reason`, `level`, `matter` and `language` say what it is about (see `bot.conversation.staffing.Asking`),
    `certification` what its agent must hold, "" for nothing. `asked_at` is since when the customer waits for a reply
    after the first one; `owed_replies` counts those waits, `late_replies` those that were too long. `offered_to` may
    take it alone until `offered_until`; `passed_by` let their offer go by.
    """

    __tablename__ = "desk_cases"
    __table_args__ = (
        CheckConstraint(f"outcome IN ({', '.join(map(repr, OUTCOMES))})", name="outcome"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
        Index("ix_desk_cases_open", "ended_at", "conversation_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(String(CONVERSATION_ID_CHARS_MAX), index=True)
    customer_id: Mapped[str | None] = mapped_column(String(64), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(16))
    matter: Mapped[str] = mapped_column(String(48))
    language: Mapped[str] = mapped_column(String(8))
    certification: Mapped[str] = mapped_column(String(32))
    priority: Mapped[int] = mapped_column(Integer)
    queued_at: Mapped[datetime] = mapped_column(index=True)
    claimed_at: Mapped[datetime | None]
    agent_id: Mapped[str | None] = mapped_column(String(32), index=True)
    first_reply_due_at: Mapped[datetime]
    first_reply_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    next_reply_due_at: Mapped[datetime | None]
    replies: Mapped[int] = mapped_column(Integer, default=0)
    owed_replies: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    late_replies: Mapped[int] = mapped_column(Integer, default=0)
    resolution_due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(12))
    offered_to: Mapped[str | None] = mapped_column(String(32))
    offered_until: Mapped[datetime | None]
    passed_by: Mapped[list[str]] = mapped_column(JSON, default=list)

    def reply_is_late(self, now: datetime) -> bool:
        """Whether a reply after the first one is owed, and should have come."""
        return self.next_reply_due_at is not None and now > self.next_reply_due_at


class Ticket(SealedRow, Base):
    """A call-back that was promised. `answer` is what the agent noted when finishing it.

    `kind` is 'callback' when the customer wants to be called, at whatever number they gave, and 'bank' when the
    bank wants to know who they are, at the number it knows. `urgent` ones come first. `taken_by` works on it.
    """

    __tablename__ = "desk_tickets"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'done')", name="status"),
        CheckConstraint(f"kind IN ({', '.join(map(repr, TICKET_KINDS))})", name="kind"),
        Index("ix_desk_tickets_status", "status", "promised_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    conversation_id: Mapped[str] = mapped_column(String(CONVERSATION_ID_CHARS_MAX), index=True)
    customer_id: Mapped[str | None] = mapped_column(String(64), index=True)
    phone_sealed: Mapped[str] = mapped_column(Text)
    phone = Sealed[str]("phone_sealed")
    content_sealed: Mapped[str] = mapped_column(Text)
    content = Sealed[str]("content_sealed")
    status: Mapped[str] = mapped_column(String(8), default="open")
    kind: Mapped[str] = mapped_column(String(8), default="callback", server_default="callback")
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    taken_by: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    promised_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    finished_by: Mapped[str | None] = mapped_column(ForeignKey("desk_agents.id"))
    answer_sealed: Mapped[str | None] = mapped_column(Text)
    answer = Sealed[str | None]("answer_sealed")

    def __repr__(self) -> str:
        return f"Ticket(number={self.number!r}, phone={shown(self, 'phone', mask_phone)!r})"
