"""Complaints and the log of what was done about each"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)
STATUSES = "status IN ('filed', 'working', 'answered', 'closed')"
KINDS = "kind IN ('filed', 'taken', 'assigned', 'classified', 'noted', 'answered', 'judged', 'reopened')"


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "complaint",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=96), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("assignee_id", sa.String(length=32), nullable=True),
        sa.Column("assignee_name", sa.String(length=32), nullable=True),
        sa.Column("first_assignee_id", sa.String(length=32), nullable=True),
        sa.Column("filed_at", TIME, nullable=False),
        sa.Column("ack_due_at", TIME, nullable=False),
        sa.Column("acked_at", TIME, nullable=True),
        sa.Column("answer_due_at", TIME, nullable=False),
        sa.Column("answer_sealed", sa.Text(), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.CheckConstraint(STATUSES, name=op.f("ck_complaint_status")),
        sa.CheckConstraint("round BETWEEN 1 AND 2", name=op.f("ck_complaint_round")),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name=op.f("ck_complaint_score")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_complaint_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("key", name=op.f("uq_complaint_key")),
        sa.UniqueConstraint("number", name=op.f("uq_complaint_number")),
    )
    for column in ("assignee_id", "customer_id", "filed_at"):
        op.create_index(op.f(f"ix_complaint_{column}"), "complaint", [column])
    op.create_index("ix_complaint_status", "complaint", ["status", "answer_due_at"])
    op.create_table(
        "complaint_entry",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("complaint_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("by_name", sa.String(length=32), nullable=False),
        sa.Column("text_sealed", sa.Text(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_complaint_entry_kind")),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_entry_complaint_id_complaint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_entry")),
    )
    op.create_index("ix_complaint_entry_complaint", "complaint_entry", ["complaint_id", "number"])


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("complaint_entry")
    op.drop_table("complaint")
