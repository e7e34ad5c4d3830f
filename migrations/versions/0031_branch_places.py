"""Where branches are, in degrees"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    with op.batch_alter_table("branch") as table:
        table.add_column(sa.Column("latitude", sa.Double(), nullable=True))
        table.add_column(sa.Column("longitude", sa.Double(), nullable=True))
        table.create_check_constraint("place", "(latitude IS NULL) = (longitude IS NULL)")


def downgrade() -> None:
    """Takes this revision back."""
    with op.batch_alter_table("branch") as table:
        table.drop_constraint("place", type_="check")
        table.drop_column("longitude")
        table.drop_column("latitude")
