"""Statements: monthly ones as they were issued, which nobody can change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage
from banking_core.storage.append_only import install_append_only

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "monthly_statement",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("number", sa.String(length=18), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("opening_fen", sa.BigInteger(), nullable=False),
        sa.Column("in_fen", sa.BigInteger(), nullable=False),
        sa.Column("out_fen", sa.BigInteger(), nullable=False),
        sa.Column("closing_fen", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("first_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("last_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("entries_hash", sa.String(length=64), nullable=False),
        sa.Column("issued_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "opening_fen + in_fen - out_fen = closing_fen", name=op.f("ck_monthly_statement_sum")
        ),
        sa.CheckConstraint(
            "in_fen >= 0 AND out_fen >= 0 AND entry_count >= 0", name=op.f("ck_monthly_statement_amounts")
        ),
        sa.CheckConstraint(
            "(entry_count = 0) = (first_entry_id IS NULL)", name=op.f("ck_monthly_statement_range")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_monthly_statement_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monthly_statement")),
        sa.UniqueConstraint("account_id", "month", name=op.f("uq_monthly_statement_account_id_month")),
        sa.UniqueConstraint("number", name=op.f("uq_monthly_statement_number")),
    )
    install_append_only(op.get_bind(), "monthly_statement")


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("monthly_statement")
