"""Pictures that were uploaded to WeChat"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "wechat_medium",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("media_id", sa.String(length=128), nullable=False),
        sa.Column("good_until", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["wechat_contact.id"],
            name=op.f("fk_wechat_medium_contact_id_wechat_contact"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_wechat_medium")),
    )
    op.create_index("ix_wechat_medium_contact_id", "wechat_medium", ["contact_id"])
    op.create_index("ix_wechat_medium_good_until", "wechat_medium", ["good_until"])


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("wechat_medium")
