"""Tables of the double-entry ledger.

Sign convention: every amount is signed minor units of the account's currency (fen), credit positive. Money that
belongs to a customer is the bank's liability, so a positive amount raises a customer's balance; the bank's own
assets show as negative balances.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.ledger.chain_heads import ChainHead
from banking_core.storage import Base

AVAILABLE_CHECK = "held_fen >= 0 AND (floor_fen IS NULL OR balance_fen - held_fen >= floor_fen)"
BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself


class LedgerAccount(Base):
    """One account of the ledger, in one currency.

    `balance_fen` is provable from its entries, `held_fen` from its pending holds; the balance less what is held
    is never below `floor_fen` (None: the account may be overdrawn without limit). `purpose` says what it is for:
    one of `types.PURPOSES`.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        CheckConstraint("floor_fen IS NULL OR balance_fen >= floor_fen", name="floor"),
        CheckConstraint(AVAILABLE_CHECK, name="available"),
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
    held_fen: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    purpose: Mapped[str] = mapped_column(String(16), default="general", server_default="general")


class LedgerTransaction(Base):
    """A booked transaction: immutable, and linked by hash to the one before it in its chain.

    `hold_id` names the hold it posted, at most one per hold; `rate` is the exact rate ('p/q', target minor units
    per source minor unit) of an exchange.
    """

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        UniqueConstraint("chain", "sequence"),
        Index(
            "uq_ledger_transaction_hold_id",
            "hold_id",
            unique=True,
            sqlite_where=text("hold_id IS NOT NULL"),
            postgresql_where=text("hold_id IS NOT NULL"),
        ),
    )

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
    hold_id: Mapped[int | None] = mapped_column(BigInteger)
    rate: Mapped[str | None] = mapped_column(String(100))


class LedgerEntry(Base):
    """One immutable line of a transaction; the lines of a transaction sum to zero in each currency."""

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


class LedgerChain(ChainHead):
    """The head of one hash chain; locked last while a transaction is appended to it."""

    __tablename__ = "ledger_chain"


class LedgerHold(Base):
    """Money set aside on an account until it is posted, voided or expired; only the outcome ever changes, once."""

    __tablename__ = "ledger_hold"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("status IN ('pending', 'posted', 'voided', 'expired')", name="status"),
        CheckConstraint("(status = 'pending') = (resolved_at IS NULL)", name="resolved"),
        CheckConstraint(
            "(status = 'posted' AND posted_fen BETWEEN 1 AND amount_fen) "
            "OR (status <> 'posted' AND posted_fen = 0)",
            name="posted",
        ),
        Index(
            "ix_ledger_hold_due",
            "expires_at",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    ledger_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    memo: Mapped[str] = mapped_column(String(200))
    placed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16), default="pending")
    posted_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    resolved_at: Mapped[datetime | None]


class LedgerHoldEvent(Base):
    """One immutable step of a hold, linked by hash like a transaction: the audit trail of holds."""

    __tablename__ = "ledger_hold_event"
    __table_args__ = (
        UniqueConstraint("chain", "sequence"),
        UniqueConstraint("hold_id", "event"),
        CheckConstraint("event IN ('placed', 'posted', 'voided', 'expired')", name="event"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    hold_id: Mapped[int] = mapped_column(ForeignKey("ledger_hold.id"))
    event: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_transaction.id"))
    happened_at: Mapped[datetime]
    chain: Mapped[int] = mapped_column(Integer)
    sequence: Mapped[int] = mapped_column(BigInteger)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
