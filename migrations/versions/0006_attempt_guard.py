"""Identity: fingerprints in place of phone numbers, addresses counted, for codes and wrong tries.

A fingerprint cannot be computed here, where the key is not known. Codes live for a minute, so those there are
go; a log-in pause that was running ends.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.drop_table("login_guard")
    _create_guard("attempt_guard", sa.Column("key", sa.String(length=64), nullable=False))
    op.execute("DELETE FROM otp_challenge")
    with op.batch_alter_table("otp_challenge") as batch:
        batch.drop_index("ix_otp_challenge_sending")
        batch.drop_column("phone")
        batch.add_column(sa.Column("phone_key", sa.String(length=64), nullable=False))
        batch.add_column(sa.Column("address_key", sa.String(length=64), nullable=False))
    op.create_index("ix_otp_challenge_phone", "otp_challenge", ["phone_key", "sent_at"])
    op.create_index("ix_otp_challenge_address", "otp_challenge", ["address_key", "sent_at"])
    op.create_index("ix_otp_challenge_sent_at", "otp_challenge", ["sent_at"])


def downgrade() -> None:
    """Takes this revision back."""
    op.execute("DELETE FROM otp_challenge")
    for name in ("phone", "address", "sent_at"):
        op.drop_index(f"ix_otp_challenge_{name}", table_name="otp_challenge")
    with op.batch_alter_table("otp_challenge") as batch:
        batch.drop_column("address_key")
        batch.drop_column("phone_key")
        batch.add_column(sa.Column("phone", sa.String(length=11), nullable=False))
    op.create_index("ix_otp_challenge_sending", "otp_challenge", ["phone", "sent_at"])
    op.drop_table("attempt_guard")
    _create_guard("login_guard", sa.Column("phone", sa.String(length=11), nullable=False))


def _create_guard(table: str, key: sa.Column[str]) -> None:
    op.create_table(
        table,
        key,
        sa.Column("wrong_count", sa.Integer(), nullable=False),
        sa.Column("lock_count", sa.Integer(), nullable=False),
        sa.Column("locked_until", storage.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(key.name, name=op.f(f"pk_{table}")),
    )
