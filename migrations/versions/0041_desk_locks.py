"""Desk: when an agent last did something, and whether they have locked their log-in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    for name in ("used_at", "locked_at"):
        op.add_column(
            "desk_agent_sessions", sa.Column(name, storage.UtcDateTime(timezone=True), nullable=True)
        )
    op.execute("UPDATE desk_agent_sessions SET used_at = created_at")
    with op.batch_alter_table("desk_agent_sessions") as table:
        table.alter_column("used_at", existing_type=storage.UtcDateTime(timezone=True), nullable=False)


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_column("desk_agent_sessions", "locked_at")
    op.drop_column("desk_agent_sessions", "used_at")
