"""Mandates: scheduled and recurring orders, and what became of each due day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "mandate",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=18), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body_sealed", sa.Text(), nullable=False),
        sa.Column("facts_sealed", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=32), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("frequency", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("runs_max", sa.Integer(), nullable=True),
        sa.Column("holiday_rule", sa.String(length=24), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("next_run_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("runs_done", sa.Integer(), nullable=False),
        sa.Column("failed_runs", sa.Integer(), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('active', 'paused', 'ended', 'cancelled')", name=op.f("ck_mandate_status")
        ),
        sa.CheckConstraint("frequency IN ('once', 'weekly', 'monthly')", name=op.f("ck_mandate_frequency")),
        sa.CheckConstraint("(frequency = 'once') = (day IS NULL)", name=op.f("ck_mandate_day")),
        sa.CheckConstraint(
            "status <> 'active' OR (due_on IS NOT NULL AND next_run_at IS NOT NULL)",
            name=op.f("ck_mandate_due"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_mandate_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["bank_order.id"], name=op.f("fk_mandate_order_id_bank_order")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mandate_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("number", name=op.f("uq_mandate_number")),
        sa.UniqueConstraint("order_id", name=op.f("uq_mandate_order_id")),
    )
    op.create_index("ix_mandate_due", "mandate", ["status", "next_run_at"])
    op.create_index("ix_mandate_customer", "mandate", ["customer_id", "created_at"])
    op.create_table(
        "mandate_run",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("mandate_id", sa.String(length=32), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('executed', 'submitted', 'waiting', 'failed', 'cancelled', 'retry', 'missed',"
            " 'skipped')",
            name=op.f("ck_mandate_run_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["mandate.id"], name=op.f("fk_mandate_run_mandate_id_mandate")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["bank_order.id"], name=op.f("fk_mandate_run_order_id_bank_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_run")),
        sa.UniqueConstraint(
            "mandate_id", "due_on", "attempt", name=op.f("uq_mandate_run_mandate_id_due_on_attempt")
        ),
        sa.UniqueConstraint("order_id", name=op.f("uq_mandate_run_order_id")),
    )
    op.create_index("ix_mandate_run_open", "mandate_run", ["outcome", "order_id"])


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("mandate_run")
    op.drop_table("mandate")
