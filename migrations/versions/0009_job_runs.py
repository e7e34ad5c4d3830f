"""Scheduling: the runs of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "job_run",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("slot_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=False),
        sa.Column("claimed_by", sa.String(length=64), nullable=False),
        sa.Column("claimed_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("lease_until", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'failed', 'superseded')", name=op.f("ck_job_run_outcome")),
        sa.CheckConstraint("(outcome IS NULL) = (finished_at IS NULL)", name=op.f("ck_job_run_finished")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_job_run_attempts")),
        sa.PrimaryKeyConstraint("job", "slot_at", name=op.f("pk_job_run")),
    )


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("job_run")
