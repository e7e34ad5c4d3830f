"""WeChat: what was acknowledged is kept until it is handled"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("wechat_received", sa.Column("message_sealed", sa.Text(), nullable=True))


def downgrade() -> None:
    """Takes this revision back."""
    with op.batch_alter_table("wechat_received") as batch:
        batch.drop_column("message_sealed")
