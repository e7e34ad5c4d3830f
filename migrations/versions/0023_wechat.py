"""WeChat: contacts, deliveries, nonces, the shared access token"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)
TABLES = ("wechat_visit", "wechat_received", "wechat_contact", "wechat_alert", "wechat_token", "wechat_nonce")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "wechat_nonce",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_wechat_nonce")),
    )
    op.create_index(op.f("ix_wechat_nonce_used_at"), "wechat_nonce", ["used_at"])
    op.create_table(
        "wechat_token",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("lease_by", sa.String(length=32), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_token")),
    )
    op.create_table(
        "wechat_alert",
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_wechat_alert_notice_id_notice"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_wechat_alert")),
    )
    op.create_index(op.f("ix_wechat_alert_claimed"), "wechat_alert", ["claimed_at"])
    _create_contact()
    _create_received()


def _create_contact() -> None:
    op.create_table(
        "wechat_contact",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("openid_sealed", sa.Text(), nullable=False),
        sa.Column("openid_index", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("device_id", sa.String(length=32), nullable=True),
        sa.Column("bound_at", TIME, nullable=True),
        sa.Column("following", sa.Boolean(), nullable=False),
        sa.Column("delivered_seq", sa.Integer(), nullable=False),
        sa.Column("delivered_chars", sa.Integer(), nullable=False),
        sa.Column("quota_left", sa.Integer(), nullable=False),
        sa.Column("quota_until", TIME, nullable=False),
        sa.Column("busy_by", sa.String(length=32), nullable=True),
        sa.Column("busy_until", TIME, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("retry_at", TIME, nullable=True),
        sa.Column("alerted_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.CheckConstraint(
            "(customer_id IS NULL) = (bound_at IS NULL)", name=op.f("ck_wechat_contact_bound")
        ),
        sa.CheckConstraint("quota_left >= 0", name=op.f("ck_wechat_contact_quota")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_wechat_contact_conversation_id_conversation"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_wechat_contact_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_contact")),
        sa.UniqueConstraint("conversation_id", name=op.f("uq_wechat_contact_conversation_id")),
        sa.UniqueConstraint("openid_index", name=op.f("uq_wechat_contact_openid_index")),
    )
    op.create_index(op.f("ix_wechat_contact_customer_id"), "wechat_contact", ["customer_id"])


def _create_received() -> None:
    op.create_table(
        "wechat_received",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("answer_sealed", sa.Text(), nullable=True),
        sa.Column("received_at", TIME, nullable=False),
        sa.CheckConstraint("status IN ('open', 'answered', 'later')", name=op.f("ck_wechat_received_status")),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["wechat_contact.id"],
            name=op.f("fk_wechat_received_contact_id_wechat_contact"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_received")),
    )
    op.create_index(op.f("ix_wechat_received_contact_id"), "wechat_received", ["contact_id"])
    op.create_index(op.f("ix_wechat_received_received_at"), "wechat_received", ["received_at"])
    op.create_table(
        "wechat_visit",
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["wechat_contact.id"],
            name=op.f("fk_wechat_visit_contact_id_wechat_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["bank_session.id"],
            name=op.f("fk_wechat_visit_session_id_bank_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_wechat_visit")),
    )
    op.create_index(op.f("ix_wechat_visit_contact_id"), "wechat_visit", ["contact_id"])


def downgrade() -> None:
    """Takes this revision back."""
    for table in TABLES:
        op.drop_table(table)
