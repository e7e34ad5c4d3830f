"""Risk: habits of customers, decisions nobody can change, and who was seen with what"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage
from banking_core.storage.append_only import install_append_only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "risk_profile",
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("updated_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_risk_profile_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_risk_profile")),
    )
    op.create_table(
        "risk_sighting",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("last_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('payee', 'device', 'network')", name=op.f("ck_risk_sighting_kind")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_risk_sighting_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("kind", "key", "customer_id", name=op.f("pk_risk_sighting")),
    )
    op.create_index("ix_risk_sighting_customer", "risk_sighting", ["customer_id"])
    _create_decisions()


def _create_decisions() -> None:
    op.create_table(
        "risk_decision",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("subject", sa.String(length=8), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("conversation_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("factors", sa.JSON(), nullable=False),
        sa.Column("until", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.String(length=16), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("shadow", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("features_hash", sa.String(length=16), nullable=False),
        sa.Column("at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("subject IN ('order', 'login')", name=op.f("ck_risk_decision_subject")),
        sa.CheckConstraint("phase IN ('draft', 'execute', 'login')", name=op.f("ck_risk_decision_phase")),
        sa.CheckConstraint(
            "verdict IN ('allow', 'step_up', 'delay', 'human', 'block')",
            name=op.f("ck_risk_decision_verdict"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_risk_decision_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_decision")),
    )
    op.create_index("ix_risk_decision_customer", "risk_decision", ["customer_id", "at"])
    op.create_index("ix_risk_decision_order", "risk_decision", ["order_id"])
    install_append_only(op.get_bind(), "risk_decision")


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_table("risk_decision")
    op.drop_table("risk_sighting")
    op.drop_table("risk_profile")
