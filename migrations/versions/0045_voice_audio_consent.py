"""For how many days a customer has agreed to recordings being kept"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision. Whoever agreed until now was told that no recording is kept."""
    with op.batch_alter_table("voice_consent") as table:
        table.add_column(sa.Column("audio_days", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Takes this revision back."""
    with op.batch_alter_table("voice_consent") as table:
        table.drop_column("audio_days")
