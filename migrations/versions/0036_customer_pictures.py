"""Pictures that customers send, for the human who has the conversation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "customer_picture",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_customer_picture_conversation_id_conversation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_picture")),
    )
    op.create_index("ix_customer_picture_conversation_id", "customer_picture", ["conversation_id"])
    op.create_index("ix_customer_picture_created_at", "customer_picture", ["created_at"])


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("customer_picture")
