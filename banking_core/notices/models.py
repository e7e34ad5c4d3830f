"""Notices to customers, which are also the outbox of those that go out as text messages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import Sealed, SealedRow

_WAITING = text("urgent AND sent_at IS NULL AND given_up_at IS NULL")


class Notice(SealedRow, Base):
    """One thing a customer is told. `key` names what it is about, so that it is told once.

    `text` is one or two Chinese sentences, personal data masked. An `urgent` one is also sent as a text message.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name="outcome"),
        Index("ix_notice_customer", "customer_id", "created_at"),
        Index("ix_notice_waiting", "next_try_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[str] = mapped_column(String(32))
    text_sealed: Mapped[str] = mapped_column(Text)
    text = Sealed[str]("text_sealed")
    urgent: Mapped[bool]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
