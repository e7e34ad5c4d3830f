"""When a customer was asked to rate the agent who served them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.add_column(
        "agent_service",
        sa.Column("rating_asked_at", storage.UtcDateTime(timezone=True), nullable=True),
    )
    op.execute("UPDATE agent_service SET rating_asked_at = ended_at WHERE ended_how = 'closed'")


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_column("agent_service", "rating_asked_at")
