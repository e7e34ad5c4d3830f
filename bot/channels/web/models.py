"""The table of browsers."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base


class WebVisit(Base):
    """What a page keeps with the bank's session behind its cookie: its conversation, the log-in under way."""

    __tablename__ = "web_visits"

    session_id: Mapped[str] = mapped_column(
        ForeignKey("bank_session.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[str] = mapped_column(String(64))
    attempt_id: Mapped[str | None] = mapped_column(String(32))
