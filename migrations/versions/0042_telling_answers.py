"""Answers to complaints that could not be told are told again later and later"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("complaint", sa.Column("tell_attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("complaint", sa.Column("next_tell_at", storage.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_column("complaint", "next_tell_at")
    op.drop_column("complaint", "tell_attempts")
