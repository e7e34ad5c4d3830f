"""Table of branches and cash machines."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import CheckConstraint, Double, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base

BranchKind = Literal["branch", "atm"]
KIND_NAMES: dict[str, str] = {"branch": "网点", "atm": "自助银行"}


class Branch(Base):
    """A branch or a cash machine. Hours are 'HH:MM-HH:MM', '24h' or 'closed', Asia/Shanghai; degrees are GCJ-02."""

    __tablename__ = "branch"
    __table_args__ = (
        CheckConstraint("kind IN ('branch', 'atm')", name="kind"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
        Index("ix_branch_city_kind", "city", "kind"),
    )

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(8))
    city: Mapped[str] = mapped_column(String(20))
    district: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(120))
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    weekday_hours: Mapped[str] = mapped_column(String(16))
    weekend_hours: Mapped[str] = mapped_column(String(16))
    services: Mapped[list[Any]]
    landmarks: Mapped[list[Any]]
