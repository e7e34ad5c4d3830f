"""Telephone calls under way, so that those of a dead process are hung up"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "live_call",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seen_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_live_call_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_live_call")),
    )
    op.create_index(op.f("ix_live_call_seen_at"), "live_call", ["seen_at"])


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("live_call")
