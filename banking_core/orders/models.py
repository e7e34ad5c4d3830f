"""The orders table: everything that moves money or changes security passes through it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id


class Order(Base):
    """One order. `facts` and `receipt_facts` are lists of [label, value] in Chinese, ready to be read out.

    status: drafted -> confirmed -> authorised -> executed | submitted -> executed | failed; or expired,
    cancelled.
    """

    __tablename__ = "bank_order"
    __table_args__ = (
        CheckConstraint(
            "status IN ('drafted', 'confirmed', 'authorised', 'submitted', 'executed', 'failed',"
            " 'expired', 'cancelled')",
            name="status",
        ),
        CheckConstraint("step_up IN ('none', 'otp')", name="step_up"),
        CheckConstraint("amount_fen >= 0 AND fee_fen >= 0", name="amounts"),
        Index("ix_bank_order_limits", "customer_id", "limit_group", "authorised_at"),
        Index("ix_bank_order_settlement", "status", "next_settle_at"),
        Index("ix_bank_order_latest", "customer_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(18), unique=True)
    receipt_number: Mapped[str | None] = mapped_column(String(18), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    status: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    facts: Mapped[list[Any]]
    receipt_facts: Mapped[list[Any]]
    step_up: Mapped[str] = mapped_column(String(8))
    source_account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    limit_group: Mapped[str | None] = mapped_column(String(32))
    limit_per_day_fen: Mapped[int | None] = mapped_column(BigInteger)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    ledger_transaction_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_transaction.id"))
    provider_reference: Mapped[str | None] = mapped_column(String(64))
    settle_attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_settle_at: Mapped[datetime | None]
    failure_code: Mapped[str | None] = mapped_column(String(64))
    failure_text: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    authorised_at: Mapped[datetime | None]
    executed_at: Mapped[datetime | None]
