"""Notices: what customers are told, and the outbox of what is sent to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WAITING = sa.text("urgent AND sent_at IS NULL AND given_up_at IS NULL")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text_sealed", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("read_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name=op.f("ck_notice_outcome")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_notice_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index("ix_notice_customer", "notice", ["customer_id", "created_at"])
    op.create_index(
        "ix_notice_waiting", "notice", ["next_try_at"], sqlite_where=WAITING, postgresql_where=WAITING
    )


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("notice")
