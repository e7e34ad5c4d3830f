"""Tables of living payments: which household accounts a customer pays for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.providers.protocols import Biller
from banking_core.storage import Base, new_id
from banking_core.vault import INDEX_CHARS, Sealed, SealedRow

BillerKind = Biller
BILLER_NAMES: dict[str, str] = {
    "water": "水费",
    "electricity": "电费",
    "gas": "燃气费",
    "property": "物业费",
    "cable_tv": "有线电视费",
}


class BillSubscription(SealedRow, Base):
    """A household account (户号) at a biller that the customer pays for."""

    __tablename__ = "bill_subscription"
    __table_args__ = (
        CheckConstraint("biller IN ('water', 'electricity', 'gas', 'property', 'cable_tv')", name="biller"),
        UniqueConstraint("customer_id", "biller", "account_no_index"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    biller: Mapped[str] = mapped_column(String(16))
    provider_name: Mapped[str] = mapped_column(String(60))
    account_no_sealed: Mapped[str] = mapped_column(Text)
    account_no_index: Mapped[str | None] = mapped_column(String(INDEX_CHARS))
    address_sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]

    account_no = Sealed[str]("account_no_sealed", index="account_no_index")
    address = Sealed[str]("address_sealed")  # already masked, e.g. 浦东新区**路**号6栋

    @property
    def biller_name(self) -> str:
        """水费, 电费 ..."""
        return BILLER_NAMES[self.biller]


class BillPayment(Base):
    """A payment of one bill; unless it failed, no second one of the same bill can exist."""

    __tablename__ = "bill_payment"
    __table_args__ = (
        CheckConstraint("status IN ('submitted', 'settled', 'failed')", name="status"),
        Index(
            "uq_bill_payment_bill_id",
            "bill_id",
            unique=True,
            sqlite_where=text("status <> 'failed'"),
            postgresql_where=text("status <> 'failed'"),
        ),
    )

    order_number: Mapped[str] = mapped_column(String(18), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    bill_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16), default="submitted")
    created_at: Mapped[datetime]
