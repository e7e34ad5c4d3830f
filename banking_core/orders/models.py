"""The orders table: everything that moves money or changes security passes through it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, validates

from banking_core.ledger.models import BigId
from banking_core.orders.states import STATUSES, assert_allowed
from banking_core.storage import Base, make_append_only, new_id
from banking_core.vault import INDEX_CHARS, Sealed, SealedRow


class Order(SealedRow, Base):
    """One order. `body` is its normalised body; `facts` and `receipt_facts` are lists of [label, value] in Chinese,
    ready to be read out. `vouched_by` made sure that the customer wants an order that was held for a human.

    `status` moves as `orders.states` says; anything else is refused here. `proofs` are the factors that were
    proved, `not_before` is when a waiting order may go on, `mandate_id` names the standing order it is a run of.
    `payee_index` is the blind index of whom it pays, `payee_hours` how long the customer had known them.
    `untold` is set with an end that came about without the customer, and cleared once the conversation was told;
    after a telling that failed the next one is due at `next_tell_at`.
    """

    __tablename__ = "bank_order"
    __table_args__ = (
        CheckConstraint(
            f"status IN ({', '.join(repr(status) for status in STATUSES)})",
            name="status",
        ),
        CheckConstraint("step_up IN ('none', 'otp', 'otp_voice')", name="step_up"),
        CheckConstraint("amount_fen >= 0 AND fee_fen >= 0", name="amounts"),
        Index("ix_bank_order_limits", "customer_id", "limit_group", "authorised_at"),
        Index("ix_bank_order_settlement", "status", "next_settle_at"),
        Index("ix_bank_order_open", "status", "expires_at"),
        Index("ix_bank_order_latest", "customer_id", "created_at"),
        Index("ix_bank_order_payee", "customer_id", "payee_index"),
        Index(
            "ix_bank_order_untold",
            "next_tell_at",
            "id",
            sqlite_where=text("untold = 1"),
            postgresql_where=text("untold"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(18), unique=True)
    receipt_number: Mapped[str | None] = mapped_column(String(18), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    status: Mapped[str] = mapped_column(String(16))
    body_sealed: Mapped[str] = mapped_column(Text)
    body = Sealed[dict[str, Any]]("body_sealed")
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    facts_sealed: Mapped[str] = mapped_column(Text)
    facts = Sealed[list[Any]]("facts_sealed")
    receipt_facts_sealed: Mapped[str] = mapped_column(Text)
    receipt_facts = Sealed[list[Any]]("receipt_facts_sealed")
    step_up: Mapped[str] = mapped_column(String(16))
    source_account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    limit_group: Mapped[str | None] = mapped_column(String(32))
    payee_index: Mapped[str | None] = mapped_column(String(INDEX_CHARS))
    payee_hours: Mapped[int | None] = mapped_column(Integer)
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
    risk_verdict: Mapped[str | None] = mapped_column(String(8))
    risk_text: Mapped[str | None] = mapped_column(String(200))
    risk_reasons: Mapped[list[Any] | None]
    vouched_by: Mapped[str | None] = mapped_column(String(64))
    proofs: Mapped[list[Any] | None]
    not_before: Mapped[datetime | None]
    arrives_at: Mapped[datetime | None]
    mandate_id: Mapped[str | None] = mapped_column(String(32))
    untold: Mapped[bool] = mapped_column(default=False, server_default=false())
    tell_attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_tell_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    authorised_at: Mapped[datetime | None]
    executed_at: Mapped[datetime | None]

    @property
    def needs_human(self) -> bool:
        """A person must look at it, and nobody has yet."""
        return self.risk_verdict == "human" and self.vouched_by is None

    @validates("number", "receipt_number")
    def _never_changes(self, name: str, new: str) -> str:
        assert getattr(self, name) in (None, new), f"{name} of an order never changes"
        return new

    @validates("status")
    def _moves_as_allowed(self, _key: str, new: str) -> str:
        assert_allowed(self.status, new)
        return new


class OrderEvent(Base):
    """One transition of an order; the database refuses to change or delete it.

    `actor_kind` is customer, agent, bank (jobs and timers) or provider; `actor_id` says which one.
    """

    __tablename__ = "order_event"
    __table_args__ = (
        CheckConstraint("actor_kind IN ('customer', 'agent', 'bank', 'provider')", name="actor_kind"),
        UniqueConstraint("order_id", "sequence"),
        Index("ix_order_event_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("bank_order.id"))
    sequence: Mapped[int] = mapped_column(Integer)
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(200))


make_append_only(OrderEvent)
