"""Security log: outcomes of up to 32 characters; PostgreSQL refused the longest, SQLite takes any length"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    with op.batch_alter_table("security_event") as batch:
        batch.alter_column("outcome", type_=sa.String(length=32), existing_type=sa.String(length=16))


def downgrade() -> None:
    """Takes this revision back; what does not fit is cut off."""
    op.execute("UPDATE security_event SET outcome = substr(outcome, 1, 16)")
    with op.batch_alter_table("security_event") as batch:
        batch.alter_column("outcome", type_=sa.String(length=16), existing_type=sa.String(length=32))
