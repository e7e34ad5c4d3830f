"""Interest earned by accounts, one row per account and period."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base

_OPEN = text("closed_at IS NULL")


class InterestPeriod(Base):
    """What one account earned from `starts_on` to `through`, both included; the period ends on `ends_on`.

    `accrued_fen` is booked as payable. `remainder` is the part of a fen beyond it, in units of
    `interest.accrual.UNITS_PER_FEN`; it goes over into the next period. `yuan_days` sums the whole yuan of each
    day's closing balance; with `rate_ppm`, the last rate applied, the row can be checked against the ledger.
    """

    __tablename__ = "interest_period"
    __table_args__ = (
        CheckConstraint("accrued_fen >= 0 AND remainder >= 0 AND yuan_days >= 0", name="amounts"),
        CheckConstraint("closed_at IS NULL OR through = ends_on", name="closed"),
        Index(
            "uq_interest_period_open",
            "account_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_interest_period_due", "ends_on", "through", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    ends_on: Mapped[date] = mapped_column(primary_key=True)
    starts_on: Mapped[date]
    through: Mapped[date]
    yuan_days: Mapped[int] = mapped_column(BigInteger)
    rate_ppm: Mapped[int] = mapped_column(Integer)
    accrued_fen: Mapped[int] = mapped_column(BigInteger)
    opening_remainder: Mapped[int] = mapped_column(BigInteger)
    remainder: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[datetime | None]
    transaction_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_transaction.id"))
