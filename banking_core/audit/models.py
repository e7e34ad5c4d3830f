"""The audit trail's tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.ledger.chain_heads import ChainHead
from banking_core.ledger.models import BigId
from banking_core.storage import Base, make_append_only, make_forward_only

ACTOR_KINDS = ("customer", "agent", "system", "operator")


class AuditRecord(Base):
    """One act, or one look at personal data; the database refuses to change or delete it.

    `actor_kind` and `actor_id` say who: a customer or agent by id, a job of the bank by name, an operator by the name
    of their account on the machine. `customer_id` is on whose behalf, or whose data; it has no foreign key, because
    the trail outlives whatever it tells of. `address` is masked for a customer; `before` and `after` hold masked
    values. A refused act has `allowed` false.
    """

    __tablename__ = "audit_record"
    __table_args__ = (
        UniqueConstraint("chain", "sequence"),
        CheckConstraint(
            f"actor_kind IN ({', '.join(repr(kind) for kind in ACTOR_KINDS)})", name="actor_kind"
        ),
        Index("ix_audit_record_customer", "customer_id", "id"),
        Index("ix_audit_record_actor", "actor_id", "id"),
        Index("ix_audit_record_object", "object_kind", "object_id", "id"),
        Index("ix_audit_record_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(48))
    allowed: Mapped[bool]
    object_kind: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    channel: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(64))
    correlation_id: Mapped[str] = mapped_column(String(32))
    chain: Mapped[int] = mapped_column(Integer)
    sequence: Mapped[int] = mapped_column(BigInteger)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditChain(ChainHead):
    """Where a chain has come to; it only moves forward."""

    __tablename__ = "audit_chain"


make_append_only(AuditRecord)
make_forward_only(AuditChain)
