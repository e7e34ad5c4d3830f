"""The table of restrictions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id

RestrictionKind = Literal["view_only", "low_limits", "frozen", "voice_suspected"]
# These hold until a person has made sure who the customer is.
BARRING: tuple[RestrictionKind, ...] = ("view_only", "frozen", "voice_suspected")
KINDS: tuple[RestrictionKind, ...] = get_args(RestrictionKind)


class Restriction(Base):
    """One restriction of a customer, in force from `since` until lifted, or `until` where it has an end.

    view_only: may look, moves no money; low_limits: small amounts only; frozen: not even a log-in; voice_suspected:
    what is asked for by telephone goes to a human.
    `reason` is a word for the operator, `lifted_by` who took it off and on what grounds.
    """

    __tablename__ = "restriction"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="kind"),
        Index("ix_restriction_customer", "customer_id", "lifted_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(200))
