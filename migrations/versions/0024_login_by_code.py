"""Identity: a log-in by code on the telephone, which may be under way for a number that is unknown to the bank"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.execute("DELETE FROM login_attempt")  # they live for minutes
    with op.batch_alter_table("login_attempt") as batch:
        batch.alter_column("customer_id", existing_type=sa.String(length=32), nullable=True)


def downgrade() -> None:
    """Takes this revision back."""
    op.execute("DELETE FROM login_attempt")
    with op.batch_alter_table("login_attempt") as batch:
        batch.alter_column("customer_id", existing_type=sa.String(length=32), nullable=False)
