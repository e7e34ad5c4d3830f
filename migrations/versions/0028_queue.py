"""Desk: urgency of those who wait, what agents can and are certified for, breaks, cases with their clocks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)
OUTCOMES = "outcome IN ('closed', 'handed_back', 'left', 'hung_up', 'unattended')"
WAITING = "ix_conversation_owner_queued"


def upgrade() -> None:
    """Applies this revision."""
    with op.batch_alter_table("conversation") as batch:
        batch.add_column(sa.Column("priority", sa.Integer(), server_default="50", nullable=False))
        batch.drop_index(WAITING)
        batch.create_index(WAITING, ["owner", "priority", "queued_at"])
    with op.batch_alter_table("desk_agents") as batch:
        batch.add_column(sa.Column("skills", sa.JSON(), server_default="[]", nullable=False))
        batch.add_column(sa.Column("languages", sa.JSON(), server_default='["zh"]', nullable=False))
        batch.add_column(sa.Column("certifications", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("desk_presence") as batch:
        batch.add_column(sa.Column("break_reason", sa.String(length=16), server_default="", nullable=False))
    _create_cases()


def _create_cases() -> None:
    op.create_table(
        "desk_cases",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("matter", sa.String(length=48), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("certification", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("queued_at", TIME, nullable=False),
        sa.Column("claimed_at", TIME, nullable=True),
        sa.Column("agent_id", sa.String(length=32), nullable=True),
        sa.Column("first_reply_due_at", TIME, nullable=False),
        sa.Column("first_reply_at", TIME, nullable=True),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("next_reply_due_at", TIME, nullable=True),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.Column("late_replies", sa.Integer(), nullable=False),
        sa.Column("resolution_due_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("offered_to", sa.String(length=32), nullable=True),
        sa.Column("offered_until", TIME, nullable=True),
        sa.Column("passed_by", sa.JSON(), nullable=False),
        sa.CheckConstraint(OUTCOMES, name=op.f("ck_desk_cases_outcome")),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_desk_cases_ended")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_cases")),
    )
    op.create_index("ix_desk_cases_open", "desk_cases", ["ended_at", "conversation_id"])
    for column in ("agent_id", "conversation_id", "customer_id", "queued_at"):
        op.create_index(op.f(f"ix_desk_cases_{column}"), "desk_cases", [column])


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("desk_cases")
    with op.batch_alter_table("desk_presence") as batch:
        batch.drop_column("break_reason")
    with op.batch_alter_table("desk_agents") as batch:
        for column in ("skills", "languages", "certifications"):
            batch.drop_column(column)
    with op.batch_alter_table("conversation") as batch:
        batch.drop_index(WAITING)
        batch.create_index(WAITING, ["owner", "queued_at"])
        batch.drop_column("priority")
