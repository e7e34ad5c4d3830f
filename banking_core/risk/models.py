"""What the risk area keeps: habits, decisions nobody can change, and who was seen with what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.ledger.models import BigId
from banking_core.storage import Base, make_append_only


class RiskProfile(Base):
    """One customer's `Profile` as JSON. `token` is new with every change, so a cached copy can be recognised."""

    __tablename__ = "risk_profile"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    token: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class RiskSighting(Base):
    """That a customer used a payee account, a device or a network, and when last; `key` is a fingerprint."""

    __tablename__ = "risk_sighting"
    __table_args__ = (
        CheckConstraint("kind IN ('payee', 'device', 'network')", name="kind"),
        Index("ix_risk_sighting_customer", "customer_id"),
    )

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    last_at: Mapped[datetime]


class RiskDecision(Base):
    """One judgement, written in the transaction that asked for it; the database refuses to change or delete it.

    `reasons` are for the operator, `rules` and `shadow` the ids of the rules that held. `features_hash` is the
    fingerprint of the feature values; the words of the customer are nowhere in it. `order_id` has no foreign key:
    an order is judged before its row is written.
    """

    __tablename__ = "risk_decision"
    __table_args__ = (
        CheckConstraint("subject IN ('order', 'login')", name="subject"),
        CheckConstraint("phase IN ('draft', 'execute', 'login')", name="phase"),
        CheckConstraint("verdict IN ('allow', 'step_up', 'delay', 'human', 'block')", name="verdict"),
        Index("ix_risk_decision_customer", "customer_id", "at"),
        Index("ix_risk_decision_order", "order_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(String(8))
    phase: Mapped[str] = mapped_column(String(8))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    order_id: Mapped[str | None] = mapped_column(String(32))
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    channel: Mapped[str] = mapped_column(String(32))
    verdict: Mapped[str] = mapped_column(String(8))
    factors: Mapped[list[Any]]
    until: Mapped[datetime | None]
    score: Mapped[float | None] = mapped_column(Float)
    rules_version: Mapped[int] = mapped_column(Integer)
    model_version: Mapped[str] = mapped_column(String(16))
    rules: Mapped[list[Any]]
    shadow: Mapped[list[Any]]
    reasons: Mapped[list[Any]]
    features_hash: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]


make_append_only(RiskDecision)
