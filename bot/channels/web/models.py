"""The table of browser sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id


class WebSession(Base):
    """One browser: its conversation, who logged in, and the log-in waiting for its code."""

    __tablename__ = "web_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    conversation_id: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime]
    authenticated_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    pending_customer_id: Mapped[str | None] = mapped_column(String(64))
    pending_challenge_id: Mapped[str | None] = mapped_column(String(64))
    pending_until: Mapped[datetime | None]
