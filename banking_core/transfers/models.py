"""The payee book."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.money_text import mask_name, mask_number
from banking_core.storage import Base, new_id


class Payee(Base):
    """Somebody a customer pays. `bank_code` None means an account at this bank.

    Deleted ones keep their row.
    """

    __tablename__ = "payee"
    __table_args__ = (Index("ix_payee_customer", "customer_id", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    name: Mapped[str] = mapped_column(String(64))
    nickname: Mapped[str] = mapped_column(String(32), default="")
    account_number: Mapped[str] = mapped_column(String(32))
    bank_code: Mapped[str | None] = mapped_column(String(16))
    bank_name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @property
    def tail(self) -> str:
        """The last four digits of the account number."""
        return self.account_number[-4:]

    def __repr__(self) -> str:
        return f"Payee(id={self.id!r}, name={mask_name(self.name or '')!r}, {mask_number(self.account_number or '')})"
