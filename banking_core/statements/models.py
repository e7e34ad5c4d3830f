"""Monthly statements as they were issued."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.ledger.models import BigId
from banking_core.storage import Base, make_append_only


class MonthlyStatement(Base):
    """One account in one month; the database refuses to change or delete it.

    `month` is its first day. Incoming and outgoing sums are positive fen. `first_entry_id` and `last_entry_id`
    bound the ledger entries it covers (None without any), `entries_hash` is the digest of all of them.
    """

    __tablename__ = "monthly_statement"
    __table_args__ = (
        UniqueConstraint("account_id", "month"),
        CheckConstraint("opening_fen + in_fen - out_fen = closing_fen", name="sum"),
        CheckConstraint("in_fen >= 0 AND out_fen >= 0 AND entry_count >= 0", name="amounts"),
        CheckConstraint("(entry_count = 0) = (first_entry_id IS NULL)", name="range"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(String(18), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    month: Mapped[date]
    opening_fen: Mapped[int] = mapped_column(BigInteger)
    in_fen: Mapped[int] = mapped_column(BigInteger)
    out_fen: Mapped[int] = mapped_column(BigInteger)
    closing_fen: Mapped[int] = mapped_column(BigInteger)
    entry_count: Mapped[int] = mapped_column(Integer)
    first_entry_id: Mapped[int | None] = mapped_column(BigInteger)
    last_entry_id: Mapped[int | None] = mapped_column(BigInteger)
    entries_hash: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime]


make_append_only(MonthlyStatement)
