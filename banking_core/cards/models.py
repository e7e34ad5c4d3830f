"""Tables of the card area."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import INDEX_CHARS, Sealed, SealedRow

CardKind = Literal["debit", "credit"]
CardStatus = Literal["active", "lost", "inactive", "frozen"]

KIND_NAMES: dict[str, str] = {"debit": "借记卡", "credit": "信用卡"}
STATUS_NAMES: dict[str, str] = {"active": "正常", "lost": "已挂失", "inactive": "未激活", "frozen": "已冻结"}


class Card(SealedRow, Base):
    """One plastic or virtual card; its number is the number of the account it pays from."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint("kind IN ('debit', 'credit')", name="kind"),
        CheckConstraint("status IN ('active', 'lost', 'inactive', 'frozen')", name="status"),
        Index("ix_card_account_status", "account_id", "status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    number_sealed: Mapped[str] = mapped_column(Text)
    number_index: Mapped[str | None] = mapped_column(String(INDEX_CHARS), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(8), default="active")
    issued_on: Mapped[date]
    expires_on: Mapped[date]
    lost_at: Mapped[datetime | None]
    status_before_loss: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime]

    number = Sealed[str]("number_sealed", index="number_index")

    @property
    def tail(self) -> str:
        """The last four digits, which is all a surface shows."""
        return self.number[-4:]

    @property
    def kind_name(self) -> str:
        """借记卡 or 信用卡."""
        return KIND_NAMES[self.kind]

    @property
    def status_name(self) -> str:
        """What the customer calls the card's state."""
        return STATUS_NAMES[self.status]
