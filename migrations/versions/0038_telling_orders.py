"""Orders: an end that cannot be told now is tried again later, behind those never tried"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None
WHERE = {"sqlite_where": sa.text("untold = 1"), "postgresql_where": sa.text("untold")}


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("bank_order", sa.Column("tell_attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("bank_order", sa.Column("next_tell_at", storage.UtcDateTime(timezone=True), nullable=True))
    op.drop_index("ix_bank_order_untold", "bank_order")
    op.create_index("ix_bank_order_untold", "bank_order", ["next_tell_at", "id"], **WHERE)


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_index("ix_bank_order_untold", "bank_order")
    op.create_index("ix_bank_order_untold", "bank_order", ["id"], **WHERE)
    op.drop_column("bank_order", "next_tell_at")
    op.drop_column("bank_order", "tell_attempts")
