"""A one-time code's purpose names the order it is for, which PostgreSQL refused as too long"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    _resize(from_length=32, to_length=64)


def downgrade() -> None:
    """Takes this revision back; codes for orders live for a minute, so those there are go."""
    op.execute("DELETE FROM otp_challenge WHERE length(purpose) > 32")
    _resize(from_length=64, to_length=32)


def _resize(*, from_length: int, to_length: int) -> None:
    with op.batch_alter_table("otp_challenge") as batch:
        batch.alter_column(
            "purpose",
            existing_type=sa.String(length=from_length),
            type_=sa.String(length=to_length),
            existing_nullable=False,
        )
