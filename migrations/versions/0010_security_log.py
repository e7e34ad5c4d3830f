"""Identity: the security log with outcome, channel and a sealed address; wrong tries with the time of the last"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)
KEPT = "customer_id, phone_masked, kind, detail, at"


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("attempt_guard", sa.Column("last_wrong_at", TIME, nullable=True))
    _put_aside()
    _create(
        "security_event",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=True),
    )
    padded = "substr('00000000000000000000000000000000' || id, length('' || id) + 1)"
    op.execute(
        f"INSERT INTO security_event (id, outcome, channel, {KEPT}) "
        f"SELECT {padded}, '', '', {KEPT} FROM security_event_before"
    )
    op.drop_table("security_event_before")


def downgrade() -> None:
    """Takes this revision back."""
    _put_aside()
    _create(
        "security_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
    )
    op.execute(f"INSERT INTO security_event ({KEPT}) SELECT {KEPT} FROM security_event_before ORDER BY id")
    op.drop_table("security_event_before")
    op.drop_column("attempt_guard", "last_wrong_at")


def _put_aside() -> None:
    """Copies the rows, because a renamed table would keep the names of its constraints."""
    op.execute(f"CREATE TABLE security_event_before AS SELECT id, {KEPT} FROM security_event")
    op.drop_table("security_event")


def _create(table: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        *columns,
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("phone_masked", sa.String(length=11), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=_name("fk_security_event_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=_name("pk_security_event")),
    )
    op.create_index("ix_security_event_customer", table, ["customer_id", "at"])


def _name(name: str) -> str:
    return op.f(name)
