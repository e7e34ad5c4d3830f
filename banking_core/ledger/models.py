"""Tables of the double-entry ledger.

Sign convention: every amount is signed fen, credit positive. Money that belongs to a customer is the bank's
liability, so a positive amount raises a customer's balance; the bank's own assets show as negative balances.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself


class LedgerAccount(Base):
    """One account of the ledger. `balance_fen` is provable from its entries and never below `floor_fen`."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        CheckConstraint("floor_fen IS NULL OR balance_fen >= floor_fen", name="floor"),
        CheckConstraint("kind IN ('customer', 'internal')", name="kind"),
        CheckConstraint("normal_side IN ('debit', 'credit')", name="normal_side"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    normal_side: Mapped[str] = mapped_column(String(8))
    floor_fen: Mapped[int | None] = mapped_column(BigInteger)
    balance_fen: Mapped[int] = mapped_column(BigInteger, default=0)


class LedgerTransaction(Base):
    """A booked transaction: immutable, and linked by hash to the one before it in its chain."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (UniqueConstraint("chain", "sequence"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    memo: Mapped[str] = mapped_column(String(200))
    booked_at: Mapped[datetime]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_transaction.id"), unique=True)
    chain: Mapped[int] = mapped_column(Integer)
    sequence: Mapped[int] = mapped_column(BigInteger)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class LedgerEntry(Base):
    """One immutable line of a transaction; the lines of a transaction sum to zero."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_statement", "ledger_account_id", "booked_at", "id"),
        CheckConstraint("amount_fen <> 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transaction.id"), index=True)
    ledger_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    balance_after_fen: Mapped[int] = mapped_column(BigInteger)
    counterparty_name: Mapped[str] = mapped_column(String(64), default="")
    category: Mapped[str] = mapped_column(String(32), default="other")
    summary: Mapped[str] = mapped_column(String(100), default="")
    booked_at: Mapped[datetime]


class LedgerChain(Base):
    """The head of one hash chain; locked last while a transaction is appended to it."""

    __tablename__ = "ledger_chain"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    last_hash: Mapped[str] = mapped_column(String(64))
