"""Voiceprints: from when a new one counts for orders, and until when one may take the place of another"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Applies this revision."""
    with op.batch_alter_table("voiceprint") as table:
        table.add_column(sa.Column("counts_from", TIME, nullable=True))
        table.add_column(sa.Column("replaces", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("voiceprint") as table:
        table.alter_column("replaces", server_default=None)
    with op.batch_alter_table("voice_consent") as table:
        table.add_column(sa.Column("record_until", TIME, nullable=True))


def downgrade() -> None:
    """Takes this revision back."""
    with op.batch_alter_table("voice_consent") as table:
        table.drop_column("record_until")
    with op.batch_alter_table("voiceprint") as table:
        table.drop_column("replaces")
        table.drop_column("counts_from")
