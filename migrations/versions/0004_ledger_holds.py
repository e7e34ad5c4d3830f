"""Ledger: holds with their audit trail, exchange rates, purposes of accounts, guards on accounts and chains."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage
from banking_core.ledger.triggers import drop_guards, install_guards, install_triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PARTIAL = sa.text("hold_id IS NOT NULL")
PENDING = sa.text("status = 'pending'")
AVAILABLE = "held_fen >= 0 AND (floor_fen IS NULL OR balance_fen - held_fen >= floor_fen)"
PURPOSES = {
    "internal:central_bank": "settlement",
    "internal:clearing_suspense": "suspense",
    "internal:biller_suspense": "suspense",
    "internal:topup_suspense": "suspense",
    "internal:biller_settlement": "settlement",
    "internal:topup_settlement": "settlement",
    "internal:fee_income": "fee",
    "internal:interest_expense": "interest",
}


def upgrade() -> None:
    """Applies this revision."""
    _extend_accounts()
    op.add_column("ledger_transaction", sa.Column("hold_id", sa.BigInteger(), nullable=True))
    op.add_column("ledger_transaction", sa.Column("rate", sa.String(length=100), nullable=True))
    op.create_index(
        "uq_ledger_transaction_hold_id",
        "ledger_transaction",
        ["hold_id"],
        unique=True,
        sqlite_where=PARTIAL,
        postgresql_where=PARTIAL,
    )
    _create_holds()
    _create_events()
    bind = op.get_bind()
    install_triggers(bind, ("ledger_hold_event",))
    install_guards(bind, ("ledger_account", "ledger_chain", "ledger_hold"))


def downgrade() -> None:
    """Takes this revision back."""
    bind = op.get_bind()
    drop_guards(bind, ("ledger_account", "ledger_chain"))
    op.drop_table("ledger_hold_event")
    op.drop_table("ledger_hold")
    op.drop_index("uq_ledger_transaction_hold_id", table_name="ledger_transaction")
    op.drop_column("ledger_transaction", "rate")
    op.drop_column("ledger_transaction", "hold_id")
    if bind.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_ledger_account_available"), "ledger_account", type_="check")
    op.drop_column("ledger_account", "purpose")
    op.drop_column("ledger_account", "held_fen")


def _extend_accounts() -> None:
    """SQLite cannot add a constraint to a table that others refer to, but it can add a column that carries one."""
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE ledger_account ADD COLUMN held_fen BIGINT DEFAULT 0 NOT NULL "
            f"CONSTRAINT ck_ledger_account_available CHECK ({AVAILABLE})"
        )
    else:
        op.add_column(
            "ledger_account",
            sa.Column("held_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        )
        op.create_check_constraint(op.f("ck_ledger_account_available"), "ledger_account", AVAILABLE)
    op.add_column(
        "ledger_account",
        sa.Column("purpose", sa.String(length=16), server_default="general", nullable=False),
    )
    account = sa.table(
        "ledger_account", sa.column("code"), sa.column("kind"), sa.column("floor_fen"), sa.column("purpose")
    )
    bind.execute(account.update().where(account.c.kind == "customer").values(purpose="deposit"))
    bind.execute(
        account.update()
        .where(account.c.kind == "customer", account.c.floor_fen < 0)
        .values(purpose="credit_card")
    )
    for code, purpose in PURPOSES.items():
        bind.execute(account.update().where(account.c.code == code).values(purpose=purpose))


def _create_holds() -> None:
    op.create_table(
        "ledger_hold",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("ledger_account_id", BIG_ID, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=False),
        sa.Column("placed_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("posted_fen", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_ledger_hold_amount")),
        sa.CheckConstraint(
            "status IN ('pending', 'posted', 'voided', 'expired')", name=op.f("ck_ledger_hold_status")
        ),
        sa.CheckConstraint(
            "(status = 'pending') = (resolved_at IS NULL)", name=op.f("ck_ledger_hold_resolved")
        ),
        sa.CheckConstraint(
            "(status = 'posted' AND posted_fen BETWEEN 1 AND amount_fen) "
            "OR (status <> 'posted' AND posted_fen = 0)",
            name=op.f("ck_ledger_hold_posted"),
        ),
        sa.ForeignKeyConstraint(
            ["ledger_account_id"],
            ["ledger_account.id"],
            name=op.f("fk_ledger_hold_ledger_account_id_ledger_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_hold")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_hold_key")),
    )
    op.create_index(op.f("ix_ledger_hold_ledger_account_id"), "ledger_hold", ["ledger_account_id"])
    op.create_index(
        "ix_ledger_hold_due",
        "ledger_hold",
        ["expires_at", "id"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )


def _create_events() -> None:
    op.create_table(
        "ledger_hold_event",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("hold_id", BIG_ID, nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", BIG_ID, nullable=True),
        sa.Column("happened_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "event IN ('placed', 'posted', 'voided', 'expired')", name=op.f("ck_ledger_hold_event_event")
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["ledger_hold.id"], name=op.f("fk_ledger_hold_event_hold_id_ledger_hold")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_ledger_hold_event_transaction_id_ledger_transaction"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_hold_event")),
        sa.UniqueConstraint("chain", "sequence", name=op.f("uq_ledger_hold_event_chain_sequence")),
        sa.UniqueConstraint("hold_id", "event", name=op.f("uq_ledger_hold_event_hold_id_event")),
    )
