"""The payee book."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.money_text import mask_name, mask_number
from banking_core.storage import Base, new_id
from banking_core.vault import INDEX_CHARS, Sealed, SealedRow, shown


class Payee(SealedRow, Base):
    """Somebody a customer pays. `bank_code` None means an account at this bank.

    Deleted ones keep their row.
    """

    __tablename__ = "payee"
    __table_args__ = (Index("ix_payee_customer", "customer_id", "account_number_index"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    name_sealed: Mapped[str] = mapped_column(Text)
    nickname_sealed: Mapped[str] = mapped_column(Text)
    account_number_sealed: Mapped[str] = mapped_column(Text)
    account_number_index: Mapped[str | None] = mapped_column(String(INDEX_CHARS))
    bank_code: Mapped[str | None] = mapped_column(String(16))
    bank_name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    name = Sealed[str]("name_sealed")
    nickname = Sealed[str]("nickname_sealed")
    account_number = Sealed[str]("account_number_sealed", index="account_number_index")

    @property
    def tail(self) -> str:
        """The last four digits of the account number."""
        return self.account_number[-4:]

    def __repr__(self) -> str:
        name, number = shown(self, "name", mask_name), shown(self, "account_number", mask_number)
        return f"Payee(id={self.id!r}, name={name!r}, {number})"
