"""The customers of the bank."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.customers.id_numbers import birth_date_of
from banking_core.money_text import mask_name, mask_phone
from banking_core.storage import Base, new_id
from banking_core.vault import INDEX_CHARS, Sealed, SealedRow, shown


class Customer(SealedRow, Base):
    """A person who banks here. `level` decides limits; `segment` is what the bank thinks they need."""

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("level IN ('standard', 'gold', 'vip')", name="level"),
        CheckConstraint("status IN ('active', 'closed')", name="status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    phone_sealed: Mapped[str] = mapped_column(Text)
    phone_index: Mapped[str | None] = mapped_column(String(INDEX_CHARS), unique=True)
    name_sealed: Mapped[str] = mapped_column(Text)
    id_number_sealed: Mapped[str] = mapped_column(Text)
    id_number_index: Mapped[str | None] = mapped_column(String(INDEX_CHARS), index=True)
    level: Mapped[str] = mapped_column(String(16), default="standard")
    segment: Mapped[str] = mapped_column(String(32), default="")
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime]

    phone = Sealed[str]("phone_sealed", index="phone_index")
    name = Sealed[str]("name_sealed")
    id_number = Sealed[str]("id_number_sealed", index="id_number_index")

    @property
    def birth_date(self) -> date:
        """As the identity number says."""
        return birth_date_of(self.id_number)

    def __repr__(self) -> str:
        name, phone = shown(self, "name", mask_name), shown(self, "phone", mask_phone)
        return f"Customer(id={self.id!r}, name={name!r}, phone={phone!r})"
