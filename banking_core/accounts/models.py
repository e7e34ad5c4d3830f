"""Customer accounts; each stands on one ledger account."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import INDEX_CHARS, Sealed, SealedRow


class Account(SealedRow, Base):
    """An account a customer sees. `number` has 16 to 19 digits and a valid Luhn check digit."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind IN ('current', 'deposit', 'credit')", name="kind"),
        CheckConstraint("status IN ('active', 'frozen', 'closed')", name="status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    ledger_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"), unique=True)
    number_sealed: Mapped[str] = mapped_column(Text)
    number_index: Mapped[str | None] = mapped_column(String(INDEX_CHARS), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(32))
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    status: Mapped[str] = mapped_column(String(16), default="active")
    is_default: Mapped[bool] = mapped_column(default=False)
    opened_on: Mapped[date]

    number = Sealed[str]("number_sealed", index="number_index")

    @property
    def tail(self) -> str:
        """The last four digits, the only ones shown."""
        return self.number[-4:]
