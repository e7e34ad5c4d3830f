"""Orders: an end that the conversation has still to be told of survives a crash"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("bank_order", sa.Column("untold", sa.Boolean(), server_default=sa.false(), nullable=False))
    where = {"sqlite_where": sa.text("untold = 1"), "postgresql_where": sa.text("untold")}
    op.create_index("ix_bank_order_untold", "bank_order", ["id"], **where)


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_index("ix_bank_order_untold", "bank_order")
    op.drop_column("bank_order", "untold")
