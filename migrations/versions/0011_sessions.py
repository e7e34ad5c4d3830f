"""Identity: sessions of every channel, and the devices customers log in with"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Applies this revision."""
    with op.batch_alter_table("security_event") as batch:
        batch.add_column(
            sa.Column("device_name", sa.String(length=64), nullable=False, server_default=sa.text("''"))
        )
    with op.batch_alter_table("security_event") as batch:
        batch.alter_column("device_name", existing_type=sa.String(length=64), server_default=None)
    _create_devices()
    _create_sessions()


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("bank_session")
    op.drop_table("device")
    with op.batch_alter_table("security_event") as batch:
        batch.drop_column("device_name")


def _create_devices() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("trusted_until", TIME, nullable=True),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("unbound_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_device_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("key", name=op.f("uq_device_key")),
    )
    op.create_index(op.f("ix_device_customer_id"), "device", ["customer_id"])


def _create_sessions() -> None:
    op.create_table(
        "bank_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("device_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("authenticated_at", TIME, nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("renew_token", sa.Boolean(), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_why", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_bank_session_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_bank_session_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_bank_session_token_hash")),
    )
    for column in ("customer_id", "device_id", "expires_at"):
        op.create_index(op.f(f"ix_bank_session_{column}"), "bank_session", [column])
