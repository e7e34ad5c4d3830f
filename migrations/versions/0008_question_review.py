"""Questions without an answer: a quick way to find them, and what the operator has dealt with"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_index("ix_message_action", "message", ["action", "created_at"])
    op.create_table(
        "question_review",
        sa.Column("fingerprint", sa.String(length=12), nullable=False),
        sa.Column("settled_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_question_review")),
    )


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("question_review")
    op.drop_index("ix_message_action", table_name="message")
