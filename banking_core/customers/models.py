"""The customers of the bank."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.money_text import mask_name, mask_phone
from banking_core.storage import Base, new_id


class Customer(Base):
    """A person who banks here. `level` decides limits; `segment` is what the bank thinks they need."""

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("level IN ('standard', 'gold', 'vip')", name="level"),
        CheckConstraint("status IN ('active', 'closed')", name="status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    phone: Mapped[str] = mapped_column(String(11), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    id_number: Mapped[str] = mapped_column(String(18))
    birth_date: Mapped[date]
    level: Mapped[str] = mapped_column(String(16), default="standard")
    segment: Mapped[str] = mapped_column(String(32), default="")
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"Customer(id={self.id!r}, name={mask_name(self.name or '')!r}, phone={mask_phone(self.phone or '')!r})"
