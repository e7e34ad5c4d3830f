"""Interest: what accounts earned, by period."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "interest_period",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("yuan_days", sa.BigInteger(), nullable=False),
        sa.Column("rate_ppm", sa.Integer(), nullable=False),
        sa.Column("accrued_fen", sa.BigInteger(), nullable=False),
        sa.Column("opening_remainder", sa.BigInteger(), nullable=False),
        sa.Column("remainder", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("transaction_id", BIG_ID, nullable=True),
        sa.CheckConstraint(
            "accrued_fen >= 0 AND remainder >= 0 AND yuan_days >= 0", name=op.f("ck_interest_period_amounts")
        ),
        sa.CheckConstraint("closed_at IS NULL OR through = ends_on", name=op.f("ck_interest_period_closed")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_interest_period_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_interest_period_transaction_id_ledger_transaction"),
        ),
        sa.PrimaryKeyConstraint("account_id", "ends_on", name=op.f("pk_interest_period")),
    )
    op.create_index(
        "uq_interest_period_open",
        "interest_period",
        ["account_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(
        "ix_interest_period_due",
        "interest_period",
        ["ends_on", "through"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("interest_period")
