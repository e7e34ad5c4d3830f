"""Desk: canned replies of teams, in an order, out of use without being deleted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TABLE = "desk_canned_replies"
ONE_OWNER = "uq_desk_canned_replies_owner_id_shortcut"
ONE_SCOPE = "uq_desk_canned_replies_owner_id_team_shortcut"


def upgrade() -> None:
    """Applies this revision."""
    with op.batch_alter_table(TABLE) as batch:
        batch.add_column(sa.Column("team", sa.String(length=32), server_default="", nullable=False))
        batch.add_column(sa.Column("position", sa.Integer(), server_default="0", nullable=False))
        batch.add_column(sa.Column("retired_at", storage.UtcDateTime(timezone=True), nullable=True))
        batch.drop_constraint(op.f(ONE_OWNER), type_="unique")
        batch.create_unique_constraint(op.f(ONE_SCOPE), ["owner_id", "team", "shortcut"])
    _reword("{agent}", "{坐席}")


def downgrade() -> None:
    """Takes this revision back; what only the new columns can tell apart goes."""
    op.execute(f"DELETE FROM {TABLE} WHERE team <> '' OR retired_at IS NOT NULL")
    _reword("{坐席}", "{agent}")
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_constraint(op.f(ONE_SCOPE), type_="unique")
        batch.create_unique_constraint(op.f(ONE_OWNER), ["owner_id", "shortcut"])
        for column in ("retired_at", "position", "team"):
            batch.drop_column(column)


def _reword(before: str, after: str) -> None:
    replies = sa.table(TABLE, sa.column("text", sa.String()))
    op.execute(replies.update().values(text=sa.func.replace(replies.c.text, before, after)))
