"""Receiving codes: what a QR picture names instead of a card number"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

FIXED = sa.text("amount_fen IS NULL AND ended_at IS NULL")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "receive_code",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(length=16), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_receive_code_amount")),
        sa.CheckConstraint(
            "(amount_fen IS NULL) = (expires_at IS NULL)", name=op.f("ck_receive_code_expiry")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name=op.f("ck_receive_code_ended")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_receive_code_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_receive_code_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receive_code")),
        sa.UniqueConstraint("token", name=op.f("uq_receive_code_token")),
    )
    op.create_index("ix_receive_code_customer", "receive_code", ["customer_id", "created_at"])
    op.create_index(
        "uq_receive_code_fixed",
        "receive_code",
        ["account_id"],
        unique=True,
        sqlite_where=FIXED,
        postgresql_where=FIXED,
    )


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("receive_code")
