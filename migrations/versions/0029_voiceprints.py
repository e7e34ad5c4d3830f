"""Voiceprints: consents, sealed templates, enrolments, spoken passwords, attempts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TIME = storage.UtcDateTime(timezone=True)
TABLES = ("voice_attempt", "voice_prompt", "voice_enrolment", "voiceprint", "voice_consent")


def upgrade() -> None:
    """Applies this revision."""
    _create_voice_attempt()
    _create_voice_consent()
    _create_voice_enrolment()
    _create_voice_prompt()
    _create_voiceprint()


def downgrade() -> None:
    """Takes this revision back."""
    for table in TABLES:
        op.drop_table(table)


def _create_voice_attempt() -> None:
    op.create_table(
        "voice_attempt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("prompt_id", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("fault", sa.String(length=16), nullable=False),
        sa.Column("nearness", sa.Double(), nullable=True),
        sa.Column("content", sa.Double(), nullable=True),
        sa.Column("fingerprint_sealed", sa.Text(), nullable=True),
        sa.Column("audio_sealed", sa.Text(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('ok', 'enrolled', 'fault', 'late', 'wrong_digits', 'wrong_voice', 'replayed')",
            name=op.f("ck_voice_attempt_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_voice_attempt_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_attempt")),
        sa.UniqueConstraint("prompt_id", name=op.f("uq_voice_attempt_prompt_id")),
    )
    op.create_index(op.f("ix_voice_attempt_at"), "voice_attempt", ["at"], unique=False)
    op.create_index("ix_voice_attempt_customer", "voice_attempt", ["customer_id", "at"], unique=False)


def _create_voice_consent() -> None:
    op.create_table(
        "voice_consent",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_voice_consent_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_consent")),
    )
    op.create_index(op.f("ix_voice_consent_customer_id"), "voice_consent", ["customer_id"], unique=False)
    op.create_index(
        "uq_voice_consent_active",
        "voice_consent",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def _create_voice_enrolment() -> None:
    op.create_table(
        "voice_enrolment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("encoder", sa.String(length=64), nullable=False),
        sa.Column("samples_sealed", sa.Text(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_voice_enrolment_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_enrolment")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_voice_enrolment_customer_id")),
    )
    op.create_index(op.f("ix_voice_enrolment_expires_at"), "voice_enrolment", ["expires_at"], unique=False)


def _create_voice_prompt() -> None:
    op.create_table(
        "voice_prompt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("owner_key", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("digits_sealed", sa.Text(), nullable=False),
        sa.Column("digits_key", sa.String(length=64), nullable=False),
        sa.Column("against", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint("status IN ('open', 'used', 'void')", name=op.f("ck_voice_prompt_status")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_voice_prompt_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_prompt")),
    )
    op.create_index(op.f("ix_voice_prompt_customer_id"), "voice_prompt", ["customer_id"], unique=False)
    op.create_index("ix_voice_prompt_digits", "voice_prompt", ["digits_key", "made_at"], unique=False)
    op.create_index(op.f("ix_voice_prompt_expires_at"), "voice_prompt", ["expires_at"], unique=False)
    op.create_index("ix_voice_prompt_purpose", "voice_prompt", ["owner_key", "purpose"], unique=False)


def _create_voiceprint() -> None:
    op.create_table(
        "voiceprint",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("encoder", sa.String(length=64), nullable=False),
        sa.Column("template_sealed", sa.Text(), nullable=False),
        sa.Column("near", sa.Double(), nullable=True),
        sa.Column("enrolled_at", TIME, nullable=False),
        sa.Column("adapted_at", TIME, nullable=True),
        sa.Column("adaptations", sa.Integer(), nullable=False),
        sa.Column("verified_at", TIME, nullable=True),
        sa.Column("drifted_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_voiceprint_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voiceprint")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_voiceprint_customer_id")),
    )
