"""Orders: limits are rules now; an order remembers whom it paid, and for how long they had been known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core.vault import INDEX_CHARS

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("bank_order", sa.Column("payee_index", sa.String(length=INDEX_CHARS), nullable=True))
    op.add_column("bank_order", sa.Column("payee_hours", sa.Integer(), nullable=True))
    op.create_index("ix_bank_order_payee", "bank_order", ["customer_id", "payee_index"])
    op.drop_column("bank_order", "limit_per_day_fen")
    op.drop_column("bank_order", "limit_per_month_fen")


def downgrade() -> None:
    """Takes this revision back."""
    op.add_column("bank_order", sa.Column("limit_per_day_fen", sa.BigInteger(), nullable=True))
    op.add_column("bank_order", sa.Column("limit_per_month_fen", sa.BigInteger(), nullable=True))
    op.drop_index("ix_bank_order_payee", table_name="bank_order")
    op.drop_column("bank_order", "payee_hours")
    op.drop_column("bank_order", "payee_index")
