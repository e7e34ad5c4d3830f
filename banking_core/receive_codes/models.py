"""Receiving codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id

_FIXED = text("amount_fen IS NULL AND ended_at IS NULL")


class ReceiveCode(Base):
    """What a QR picture names. Without an amount it is the account's fixed code, of which there is one at a time.

    `ended_why` is `revoked` (the customer took it back) or `replaced` (by a newer one).
    """

    __tablename__ = "receive_code"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(amount_fen IS NULL) = (expires_at IS NULL)", name="expiry"),
        CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended"),
        Index(
            "uq_receive_code_fixed", "account_id", unique=True, sqlite_where=_FIXED, postgresql_where=_FIXED
        ),
        Index("ix_receive_code_customer", "customer_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(16))
