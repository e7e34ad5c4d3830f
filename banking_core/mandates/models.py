"""Mandates and what became of each due day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.ledger.models import BigId
from banking_core.mandates.schedule import Schedule
from banking_core.storage import Base, new_id
from banking_core.vault import Sealed, SealedRow

STATUSES = ("active", "paused", "ended", "cancelled")
OUTCOMES = ("executed", "submitted", "waiting", "failed", "cancelled", "retry", "missed", "skipped")
OPEN_OUTCOMES = ("submitted", "waiting")


class Mandate(SealedRow, Base):
    """An order to be made on days agreed once. `order_id` is the order by which the customer agreed.

    `kind` and `body` are those of the orders it makes, `facts` what was read back of one. `due_on` is the due day
    that comes next, `next_run_at` when it is tried (holiday rule and tries before it included), `attempt` how
    often it was tried in vain. `runs_done` counts due days that are over, `failed_runs` those in a row without
    success.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'paused', 'ended', 'cancelled')", name="status"),
        CheckConstraint("frequency IN ('once', 'weekly', 'monthly')", name="frequency"),
        CheckConstraint("(frequency = 'once') = (day IS NULL)", name="day"),
        CheckConstraint("status <> 'active' OR (due_on IS NOT NULL AND next_run_at IS NOT NULL)", name="due"),
        Index("ix_mandate_due", "status", "next_run_at"),
        Index("ix_mandate_customer", "customer_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(18), unique=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    order_id: Mapped[str] = mapped_column(ForeignKey("bank_order.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    body_sealed: Mapped[str] = mapped_column(Text)
    body = Sealed[dict[str, Any]]("body_sealed")
    facts_sealed: Mapped[str] = mapped_column(Text)
    facts = Sealed[list[Any]]("facts_sealed")
    title: Mapped[str] = mapped_column(String(32))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    frequency: Mapped[str] = mapped_column(String(8))
    day: Mapped[int | None] = mapped_column(Integer)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    runs_max: Mapped[int | None] = mapped_column(Integer)
    holiday_rule: Mapped[str] = mapped_column(String(24))
    status: Mapped[str] = mapped_column(String(16))
    due_on: Mapped[date | None]
    next_run_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    runs_done: Mapped[int] = mapped_column(Integer, default=0)
    failed_runs: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    @property
    def schedule(self) -> Schedule:
        """Its due days."""
        return Schedule(self.frequency, self.starts_on, self.day, self.ends_on)  # type: ignore[arg-type]


class MandateRun(Base):
    """One try of one due day; `attempt` counts from 0.

    `outcome`: executed, submitted and waiting (its order goes on), failed, cancelled, retry (tried again the next
    day), missed (the bank was down too long), skipped (paused meanwhile). `code` says why in machine words.
    """

    __tablename__ = "mandate_run"
    __table_args__ = (
        UniqueConstraint("mandate_id", "due_on", "attempt"),
        CheckConstraint(f"outcome IN ({', '.join(map(repr, OUTCOMES))})", name="outcome"),
        Index("ix_mandate_run_open", "outcome", "order_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    mandate_id: Mapped[str] = mapped_column(ForeignKey("mandate.id"))
    due_on: Mapped[date]
    attempt: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64), default="")
    order_id: Mapped[str | None] = mapped_column(ForeignKey("bank_order.id"), unique=True)
    at: Mapped[datetime]
