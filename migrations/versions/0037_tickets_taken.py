"""Who works on a call-back, who wished it; how many replies were owed; who vouched for an order"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision. Tickets of no conversation were the bank's own."""
    with op.batch_alter_table("desk_tickets") as table:
        table.add_column(sa.Column("kind", sa.String(8), server_default="callback", nullable=False))
        table.add_column(sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("taken_by", sa.String(32), nullable=True))
        table.create_check_constraint("kind", "kind IN ('callback', 'bank')")
    op.add_column("desk_cases", sa.Column("owed_replies", sa.Integer(), server_default="0", nullable=False))
    op.add_column("bank_order", sa.Column("vouched_by", sa.String(64), nullable=True))
    op.execute("UPDATE desk_cases SET owed_replies = replies - 1 WHERE replies > 1")
    op.execute("UPDATE desk_tickets SET kind = 'bank' WHERE conversation_id = ''")


def downgrade() -> None:
    """Takes this revision back."""
    with op.batch_alter_table("bank_order") as table:
        table.drop_column("vouched_by")
    with op.batch_alter_table("desk_cases") as table:
        table.drop_column("owed_replies")
    with op.batch_alter_table("desk_tickets") as table:
        table.drop_constraint("kind", type_="check")
        table.drop_column("taken_by")
        table.drop_column("urgent")
        table.drop_column("kind")
