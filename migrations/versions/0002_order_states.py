"""Orders as a state machine: events nobody can change, verdicts of the risk area, waiting orders"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage
from banking_core.storage.append_only import drop_append_only_function, install_append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATUSES = (
    "status IN ('drafted', 'read_back', 'confirmed', 'waiting', 'authorised', 'submitted', 'executed', 'failed',"
    " 'expired', 'cancelled')"
)
STATUSES_BEFORE = (
    "status IN ('drafted', 'confirmed', 'authorised', 'submitted', 'executed', 'failed',"
    " 'expired', 'cancelled')"
)
STEP_UPS = "step_up IN ('none', 'otp', 'otp_voice')"
STEP_UPS_BEFORE = "step_up IN ('none', 'otp')"
COLUMNS = (
    ("limit_per_month_fen", sa.BigInteger()),
    ("risk_verdict", sa.String(length=8)),
    ("risk_text", sa.String(length=200)),
    ("risk_reasons", sa.JSON()),
    ("proofs", sa.JSON()),
    ("not_before", storage.UtcDateTime(timezone=True)),
    ("arrives_at", storage.UtcDateTime(timezone=True)),
    ("mandate_id", sa.String(length=32)),
)


def upgrade() -> None:
    """Applies this revision."""
    _rebuild(statuses=STATUSES, step_ups=STEP_UPS, step_up_length=16, add=True)
    op.create_table(
        "order_event",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("from_status", sa.String(length=16), nullable=True),
        sa.Column("to_status", sa.String(length=16), nullable=False),
        sa.Column("at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('customer', 'agent', 'bank', 'provider')", name=op.f("ck_order_event_actor_kind")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["bank_order.id"], name=op.f("fk_order_event_order_id_bank_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
        sa.UniqueConstraint("order_id", "sequence", name=op.f("uq_order_event_order_id_sequence")),
    )
    op.create_index("ix_order_event_at", "order_event", ["at"], unique=False)
    install_append_only(op.get_bind(), "order_event")


def downgrade() -> None:
    """Takes this revision back; states it introduced become the nearest older one."""
    op.drop_index("ix_order_event_at", table_name="order_event")
    op.drop_table("order_event")
    drop_append_only_function(op.get_bind())
    op.execute("UPDATE bank_order SET status = 'drafted' WHERE status = 'read_back'")
    op.execute("UPDATE bank_order SET status = 'cancelled' WHERE status = 'waiting'")
    op.execute("UPDATE bank_order SET step_up = 'otp' WHERE step_up = 'otp_voice'")
    _rebuild(statuses=STATUSES_BEFORE, step_ups=STEP_UPS_BEFORE, step_up_length=8, add=False)


def _rebuild(*, statuses: str, step_ups: str, step_up_length: int, add: bool) -> None:
    """Changes columns and rules of bank_order; SQLite copies the table."""
    with op.batch_alter_table("bank_order", schema=None) as batch_op:
        if not add:
            batch_op.drop_index("ix_bank_order_open")
        batch_op.alter_column(
            "step_up",
            existing_type=sa.String(length=8 if add else 16),
            type_=sa.String(length=step_up_length),
            existing_nullable=False,
        )
        for name, type_ in COLUMNS:
            if add:
                batch_op.add_column(sa.Column(name, type_, nullable=True))
            else:
                batch_op.drop_column(name)
        if add:
            batch_op.create_index("ix_bank_order_open", ["status", "expires_at"], unique=False)
        for name, text in (("status", statuses), ("step_up", step_ups)):
            batch_op.drop_constraint(op.f(f"ck_bank_order_{name}"), type_="check")
            batch_op.create_check_constraint(op.f(f"ck_bank_order_{name}"), text)
