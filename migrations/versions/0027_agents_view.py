"""Desk: roles and teams, canned replies, the services agents gave with their ratings, notes among the staff"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)
ENDS = "ended_how IN ('closed', 'handed_back', 'transferred', 'taken_over', 'requeued')"
KINDS = "kind IN ('note', 'whisper', 'transfer', 'summary')"
ROLES = "role IN ('agent', 'senior', 'supervisor', 'auditor')"


def upgrade() -> None:
    """Applies this revision."""
    with op.batch_alter_table("conversation") as batch:
        batch.add_column(sa.Column("wanted_team", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("proposal_sealed", sa.Text(), nullable=True))
    with op.batch_alter_table("desk_agents") as batch:
        batch.add_column(sa.Column("role", sa.String(length=12), server_default="agent", nullable=False))
        batch.add_column(sa.Column("team", sa.String(length=32), server_default="", nullable=False))
        batch.create_check_constraint(op.f("ck_desk_agents_role"), ROLES)
    op.create_table(
        "desk_canned_replies",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("shortcut", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("changed_by", sa.String(length=32), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["desk_agents.id"], name=op.f("fk_desk_canned_replies_changed_by_desk_agents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_canned_replies")),
        sa.UniqueConstraint("owner_id", "shortcut", name=op.f("uq_desk_canned_replies_owner_id_shortcut")),
    )
    _create_services()
    _create_notes()


def _create_services() -> None:
    op.create_table(
        "agent_service",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("agent_name", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("queued_at", TIME, nullable=True),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_how", sa.String(length=12), nullable=True),
        sa.Column("passed_to", sa.String(length=32), nullable=True),
        sa.Column("wrap_up", sa.String(length=32), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment_sealed", sa.Text(), nullable=True),
        sa.Column("rated_at", TIME, nullable=True),
        sa.CheckConstraint(ENDS, name=op.f("ck_agent_service_ended_how")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name=op.f("ck_agent_service_ended")),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name=op.f("ck_agent_service_score")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_agent_service_conversation_id_conversation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_service")),
    )
    op.create_index("ix_agent_service_conversation", "agent_service", ["conversation_id", "began_at"])
    op.create_index("ix_agent_service_agent", "agent_service", ["agent_id", "began_at"])
    op.create_index("ix_agent_service_ended", "agent_service", ["ended_at"])


def _create_notes() -> None:
    op.create_table(
        "side_note",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("after_seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("author_id", sa.String(length=32), nullable=False),
        sa.Column("author_name", sa.String(length=32), nullable=False),
        sa.Column("text_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_side_note_kind")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_side_note_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_side_note")),
    )
    op.create_index("ix_side_note_conversation", "side_note", ["conversation_id", "created_at"])


def downgrade() -> None:
    """Takes this revision back."""
    for table in ("side_note", "agent_service", "desk_canned_replies"):
        op.drop_table(table)
    with op.batch_alter_table("desk_agents") as batch:
        batch.drop_constraint(op.f("ck_desk_agents_role"), type_="check")
        batch.drop_column("team")
        batch.drop_column("role")
    with op.batch_alter_table("conversation") as batch:
        batch.drop_column("proposal_sealed")
        batch.drop_column("wanted_team")
