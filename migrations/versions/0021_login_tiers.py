"""Identity: restrictions, how a log-in was judged, places seen before, recovery of passwords"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)
KINDS = "kind IN ('view_only', 'low_limits', 'frozen')"
RECOVERY = "status IN ('open', 'code_ok', 'proved', 'done')"


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "restriction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("lifted_at", TIME, nullable=True),
        sa.Column("lifted_by", sa.String(length=200), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_restriction_kind")),
        _customer("restriction"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restriction")),
    )
    op.create_index("ix_restriction_customer", "restriction", ["customer_id", "lifted_at"])
    op.create_table(
        "known_place",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        _customer("known_place"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_known_place")),
    )
    op.create_index(op.f("ix_known_place_customer_id"), "known_place", ["customer_id"])
    _create_recovery()
    op.execute("DELETE FROM login_attempt")  # they live for minutes
    with op.batch_alter_table("login_attempt") as batch:
        batch.add_column(sa.Column("tier", sa.String(length=8), nullable=False))
        batch.add_column(sa.Column("reasons", sa.JSON(), nullable=False))
    with op.batch_alter_table("otp_challenge") as batch:
        batch.alter_column("customer_id", existing_type=sa.String(length=32), nullable=True)


def downgrade() -> None:
    """Takes this revision back."""
    op.execute("DELETE FROM otp_challenge WHERE customer_id IS NULL")
    with op.batch_alter_table("otp_challenge") as batch:
        batch.alter_column("customer_id", existing_type=sa.String(length=32), nullable=False)
    with op.batch_alter_table("login_attempt") as batch:
        batch.drop_column("reasons")
        batch.drop_column("tier")
    for table in ("recovery", "known_place", "restriction"):
        op.drop_table(table)


def _create_recovery() -> None:
    op.create_table(
        "recovery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("guard_key", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("challenge_id", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint(RECOVERY, name=op.f("ck_recovery_status")),
        _customer("recovery"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
    )
    op.create_index(op.f("ix_recovery_customer_id"), "recovery", ["customer_id"])


def _customer(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["customer_id"], ["customer.id"], name=op.f(f"fk_{table}_customer_id_customer")
    )
