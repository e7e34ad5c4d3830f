"""Tables of complaints."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import Sealed, SealedRow

STATUSES = ("filed", "working", "answered", "closed")
STATUS_TEXT = {"filed": "待受理", "working": "处理中", "answered": "已答复，等您评价", "closed": "已办结"}
ENTRIES = ("filed", "taken", "assigned", "classified", "noted", "answered", "judged", "reopened")
ENTRY_TEXT = {
    "filed": "提交",
    "taken": "受理",
    "assigned": "分派",
    "classified": "改分类",
    "noted": "调查",
    "answered": "答复",
    "judged": "评价",
    "reopened": "复核",
}
ROUNDS_MAX = 2


class Complaint(SealedRow, Base):
    """One complaint. `key` makes filing it twice filing it once; `assignee_id` is who looks into it in this round.

    `told_at` is when the conversation it came from got the answer of this round; after `tell_attempts` that failed the
    next is due at `next_tell_at`.
    """

    __tablename__ = "complaint"
    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(map(repr, STATUSES))})", name="status"),
        CheckConstraint("round BETWEEN 1 AND 2", name="round"),
        CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name="score"),
        Index("ix_complaint_status", "status", "answer_due_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    key: Mapped[str] = mapped_column(String(96), unique=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(16))
    category: Mapped[str] = mapped_column(String(32))
    content_sealed: Mapped[str] = mapped_column(Text)
    content = Sealed[str]("content_sealed")
    status: Mapped[str] = mapped_column(String(12))
    round: Mapped[int] = mapped_column(Integer)
    assignee_id: Mapped[str | None] = mapped_column(String(32), index=True)
    assignee_name: Mapped[str | None] = mapped_column(String(32))
    first_assignee_id: Mapped[str | None] = mapped_column(String(32))
    filed_at: Mapped[datetime] = mapped_column(index=True)
    ack_due_at: Mapped[datetime]
    acked_at: Mapped[datetime | None]
    answer_due_at: Mapped[datetime]
    answer_sealed: Mapped[str | None] = mapped_column(Text)
    answer = Sealed[str | None]("answer_sealed")
    answered_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    tell_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_tell_at: Mapped[datetime | None]
    score: Mapped[int | None]
    closed_at: Mapped[datetime | None]


class ComplaintEntry(SealedRow, Base):
    """One line of the investigation log. `by_name` is who did it: the customer, an agent or the bank."""

    __tablename__ = "complaint_entry"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(map(repr, ENTRIES))})", name="kind"),
        Index("ix_complaint_entry_complaint", "complaint_id", "number"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    complaint_id: Mapped[str] = mapped_column(ForeignKey("complaint.id"))
    number: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(12))
    by_name: Mapped[str] = mapped_column(String(32))
    text_sealed: Mapped[str] = mapped_column(Text)
    text = Sealed[str]("text_sealed")
