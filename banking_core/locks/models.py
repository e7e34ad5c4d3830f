"""Table of the safety locks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id

LockScope = Literal["all", "transfers", "large"]
SCOPE_NAMES: dict[str, str] = {"all": "全部交易", "transfers": "转账", "large": "大额交易"}


class SecurityLock(Base):
    """One lock, from the moment it was set until it was released; released ones stay as history."""

    __tablename__ = "security_lock"
    __table_args__ = (
        CheckConstraint("scope IN ('all', 'transfers', 'large')", name="scope"),
        Index(
            "uq_security_lock_active",
            "customer_id",
            "scope",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    scope: Mapped[str] = mapped_column(String(16))
    locked_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

    @property
    def active(self) -> bool:
        """Whether the lock is still on."""
        return self.released_at is None

    @property
    def scope_name(self) -> str:
        """What the lock stops, in the customer's words."""
        return SCOPE_NAMES[self.scope]
