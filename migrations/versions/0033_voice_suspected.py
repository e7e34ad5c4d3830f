"""Restrictions: a voice that was somebody else's is one"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BEFORE = "kind IN ('view_only', 'low_limits', 'frozen')"
AFTER = "kind IN ('view_only', 'low_limits', 'frozen', 'voice_suspected')"


def upgrade() -> None:
    """Applies this revision."""
    _kinds(AFTER)


def downgrade() -> None:
    """Takes this revision back."""
    op.execute("DELETE FROM restriction WHERE kind = 'voice_suspected'")
    _kinds(BEFORE)


def _kinds(condition: str) -> None:
    with op.batch_alter_table("restriction") as table:
        table.drop_constraint(op.f("ck_restriction_kind"), type_="check")
        table.create_check_constraint(op.f("ck_restriction_kind"), condition)
