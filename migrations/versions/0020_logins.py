"""Identity: log-ins under way; the web chat keeps its conversation with the bank's session

Browser sessions kept by the web chat itself end: everybody logs in once more.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Applies this revision."""
    op.execute("DELETE FROM bank_session")
    with op.batch_alter_table("bank_session") as batch:
        batch.add_column(sa.Column("how", sa.String(length=64), nullable=False))
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("proofs", sa.JSON(), nullable=False),
        sa.Column("challenge_id", sa.String(length=32), nullable=True),
        sa.Column("trust_device", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint("status IN ('open', 'done', 'refused')", name=op.f("ck_login_attempt_status")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_login_attempt_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index(op.f("ix_login_attempt_customer_id"), "login_attempt", ["customer_id"])
    op.drop_table("web_sessions")
    op.create_table(
        "web_visits",
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("attempt_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["bank_session.id"],
            name=op.f("fk_web_visits_session_id_bank_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_web_visits")),
    )


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("web_visits")
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("authenticated_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("pending_customer_id", sa.String(length=64), nullable=True),
        sa.Column("pending_challenge_id", sa.String(length=64), nullable=True),
        sa.Column("pending_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_sessions_token_hash")),
    )
    for column in ("customer_id", "expires_at"):
        op.create_index(op.f(f"ix_web_sessions_{column}"), "web_sessions", [column])
    op.drop_table("login_attempt")
    with op.batch_alter_table("bank_session") as batch:
        batch.drop_column("how")
