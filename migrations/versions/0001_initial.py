# ruff: noqa: E501, PLR0915 (written by Alembic from the models)
"""initial"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage
from banking_core.ledger.triggers import drop_function, install_triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "branch",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("city", sa.String(length=20), nullable=False),
        sa.Column("district", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("weekday_hours", sa.String(length=16), nullable=False),
        sa.Column("weekend_hours", sa.String(length=16), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("landmarks", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('branch', 'atm')", name=op.f("ck_branch_kind")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_branch")),
    )
    with op.batch_alter_table("branch", schema=None) as batch_op:
        batch_op.create_index("ix_branch_city_kind", ["city", "kind"], unique=False)

    op.create_table(
        "customer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=11), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("id_number", sa.String(length=18), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("segment", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level IN ('standard', 'gold', 'vip')", name=op.f("ck_customer_level")),
        sa.CheckConstraint("status IN ('active', 'closed')", name=op.f("ck_customer_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("phone", name=op.f("uq_customer_phone")),
    )
    op.create_table(
        "desk_agents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("display_name", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("max_load", sa.Integer(), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("max_load BETWEEN 1 AND 50", name=op.f("ck_desk_agents_max_load")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_agents")),
        sa.UniqueConstraint("username", name=op.f("uq_desk_agents_username")),
    )
    op.create_table(
        "desk_audit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_audit")),
    )
    with op.batch_alter_table("desk_audit", schema=None) as batch_op:
        batch_op.create_index("ix_desk_audit_agent", ["agent_id", "at"], unique=False)
        batch_op.create_index("ix_desk_audit_subject", ["subject", "at"], unique=False)

    op.create_table(
        "desk_login_guards",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("wrong_count", sa.Integer(), nullable=False),
        sa.Column("lock_count", sa.Integer(), nullable=False),
        sa.Column("locked_until", storage.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_desk_login_guards")),
    )
    op.create_table(
        "ledger_account",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("normal_side", sa.String(length=8), nullable=False),
        sa.Column("floor_fen", sa.BigInteger(), nullable=True),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('customer', 'internal')", name=op.f("ck_ledger_account_kind")),
        sa.CheckConstraint("normal_side IN ('debit', 'credit')", name=op.f("ck_ledger_account_normal_side")),
        sa.CheckConstraint(
            "floor_fen IS NULL OR balance_fen >= floor_fen", name=op.f("ck_ledger_account_floor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("code", name=op.f("uq_ledger_account_code")),
    )
    op.create_table(
        "ledger_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_chain")),
    )
    op.create_table(
        "ledger_transaction",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=False),
        sa.Column("booked_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_ledger_transaction_reverses_id_ledger_transaction"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transaction")),
        sa.UniqueConstraint("chain", "sequence", name=op.f("uq_ledger_transaction_chain_sequence")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_transaction_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_transaction_reverses_id")),
    )
    op.create_table(
        "login_guard",
        sa.Column("phone", sa.String(length=11), nullable=False),
        sa.Column("wrong_count", sa.Integer(), nullable=False),
        sa.Column("lock_count", sa.Integer(), nullable=False),
        sa.Column("locked_until", storage.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("phone", name=op.f("pk_login_guard")),
    )
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("authenticated_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("expires_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("pending_customer_id", sa.String(length=64), nullable=True),
        sa.Column("pending_challenge_id", sa.String(length=64), nullable=True),
        sa.Column("pending_until", storage.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_sessions_token_hash")),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_sessions_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_web_sessions_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "account",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("ledger_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=19), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.CheckConstraint("kind IN ('current', 'deposit', 'credit')", name=op.f("ck_account_kind")),
        sa.CheckConstraint("status IN ('active', 'frozen', 'closed')", name=op.f("ck_account_status")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_account_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["ledger_account_id"],
            ["ledger_account.id"],
            name=op.f("fk_account_ledger_account_id_ledger_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("ledger_account_id", name=op.f("uq_account_ledger_account_id")),
        sa.UniqueConstraint("number", name=op.f("uq_account_number")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "bill_payment",
        sa.Column("order_number", sa.String(length=18), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("bill_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('submitted', 'settled', 'failed')", name=op.f("ck_bill_payment_status")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_bill_payment_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("order_number", name=op.f("pk_bill_payment")),
    )
    with op.batch_alter_table("bill_payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bill_payment_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "uq_bill_payment_bill_id",
            ["bill_id"],
            unique=True,
            sqlite_where=sa.text("status <> 'failed'"),
            postgresql_where=sa.text("status <> 'failed'"),
        )

    op.create_table(
        "bill_subscription",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("biller", sa.String(length=16), nullable=False),
        sa.Column("provider_name", sa.String(length=60), nullable=False),
        sa.Column("account_no", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "biller IN ('water', 'electricity', 'gas', 'property', 'cable_tv')",
            name=op.f("ck_bill_subscription_biller"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_bill_subscription_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_subscription")),
        sa.UniqueConstraint(
            "customer_id",
            "biller",
            "account_no",
            name=op.f("uq_bill_subscription_customer_id_biller_account_no"),
        ),
    )
    with op.batch_alter_table("bill_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bill_subscription_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "conversation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=8), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=True),
        sa.Column("agent_name", sa.String(length=32), nullable=True),
        sa.Column("handoff_reason", sa.String(length=64), nullable=True),
        sa.Column("queued_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("verified_how", sa.String(length=64), nullable=True),
        sa.Column("verified_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("state", sa.JSON(), nullable=True),
        sa.Column("challenge", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rating_comment", sa.String(length=500), nullable=True),
        sa.Column("can_rate", sa.Boolean(), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "owner IN ('bot', 'queue', 'agent', 'closed')", name=op.f("ck_conversation_owner")
        ),
        sa.CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name=op.f("ck_conversation_rating")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_conversation_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversation_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_conversation_owner_queued", ["owner", "queued_at"], unique=False)

    op.create_table(
        "desk_agent_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["desk_agents.id"], name=op.f("fk_desk_agent_sessions_agent_id_desk_agents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_agent_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_desk_agent_sessions_token_hash")),
    )
    with op.batch_alter_table("desk_agent_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_agent_sessions_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_agent_sessions_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "desk_presence",
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("changed_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('on_duty', 'break', 'off')", name=op.f("ck_desk_presence_state")),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["desk_agents.id"], name=op.f("fk_desk_presence_agent_id_desk_agents")
        ),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_desk_presence")),
    )
    with op.batch_alter_table("desk_presence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_presence_last_seen_at"), ["last_seen_at"], unique=False)

    op.create_table(
        "desk_tickets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("promised_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_by", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('open', 'done')", name=op.f("ck_desk_tickets_status")),
        sa.ForeignKeyConstraint(
            ["finished_by"], ["desk_agents.id"], name=op.f("fk_desk_tickets_finished_by_desk_agents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_desk_tickets_number")),
    )
    with op.batch_alter_table("desk_tickets", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_desk_tickets_conversation_id"), ["conversation_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_desk_tickets_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_desk_tickets_status", ["status", "promised_at"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("transaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ledger_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_fen", sa.BigInteger(), nullable=False),
        sa.Column("counterparty_name", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("summary", sa.String(length=100), nullable=False),
        sa.Column("booked_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(
            ["ledger_account_id"],
            ["ledger_account.id"],
            name=op.f("fk_ledger_entry_ledger_account_id_ledger_account"),
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_ledger_entry_transaction_id_ledger_transaction"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_entry_statement", ["ledger_account_id", "booked_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ledger_entry_transaction_id"), ["transaction_id"], unique=False)

    op.create_table(
        "otp_challenge",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=11), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("code_hmac", sa.String(length=64), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("sent_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_otp_challenge_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_otp_challenge")),
    )
    with op.batch_alter_table("otp_challenge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_otp_challenge_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_otp_challenge_sending", ["phone", "sent_at"], unique=False)

    op.create_table(
        "password_credential",
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("changed_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_password_credential_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_password_credential")),
    )
    op.create_table(
        "payee",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("nickname", sa.String(length=32), nullable=False),
        sa.Column("account_number", sa.String(length=32), nullable=False),
        sa.Column("bank_code", sa.String(length=16), nullable=True),
        sa.Column("bank_name", sa.String(length=64), nullable=False),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_payee_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payee")),
    )
    with op.batch_alter_table("payee", schema=None) as batch_op:
        batch_op.create_index("ix_payee_customer", ["customer_id", "name"], unique=False)

    op.create_table(
        "security_event",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("phone_masked", sa.String(length=11), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_security_event_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_event")),
    )
    with op.batch_alter_table("security_event", schema=None) as batch_op:
        batch_op.create_index("ix_security_event_customer", ["customer_id", "at"], unique=False)

    op.create_table(
        "security_lock",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("locked_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("released_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("scope IN ('all', 'transfers', 'large')", name=op.f("ck_security_lock_scope")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_security_lock_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_lock")),
    )
    with op.batch_alter_table("security_lock", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_security_lock_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "uq_security_lock_active",
            ["customer_id", "scope"],
            unique=True,
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )

    op.create_table(
        "bank_order",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=18), nullable=False),
        sa.Column("receipt_number", sa.String(length=18), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("receipt_facts", sa.JSON(), nullable=False),
        sa.Column("step_up", sa.String(length=8), nullable=False),
        sa.Column("source_account_id", sa.String(length=32), nullable=True),
        sa.Column("limit_group", sa.String(length=32), nullable=True),
        sa.Column("limit_per_day_fen", sa.BigInteger(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=True),
        sa.Column(
            "ledger_transaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("provider_reference", sa.String(length=64), nullable=True),
        sa.Column("settle_attempts", sa.Integer(), nullable=False),
        sa.Column("next_settle_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("failure_text", sa.String(length=200), nullable=True),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("authorised_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("executed_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('drafted', 'confirmed', 'authorised', 'submitted', 'executed', 'failed', 'expired', 'cancelled')",
            name=op.f("ck_bank_order_status"),
        ),
        sa.CheckConstraint("step_up IN ('none', 'otp')", name=op.f("ck_bank_order_step_up")),
        sa.CheckConstraint("amount_fen >= 0 AND fee_fen >= 0", name=op.f("ck_bank_order_amounts")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_bank_order_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["ledger_transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_bank_order_ledger_transaction_id_ledger_transaction"),
        ),
        sa.ForeignKeyConstraint(
            ["source_account_id"], ["account.id"], name=op.f("fk_bank_order_source_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_order")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_bank_order_idempotency_key")),
        sa.UniqueConstraint("number", name=op.f("uq_bank_order_number")),
        sa.UniqueConstraint("receipt_number", name=op.f("uq_bank_order_receipt_number")),
    )
    with op.batch_alter_table("bank_order", schema=None) as batch_op:
        batch_op.create_index("ix_bank_order_latest", ["customer_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_bank_order_limits", ["customer_id", "limit_group", "authorised_at"], unique=False
        )
        batch_op.create_index("ix_bank_order_settlement", ["status", "next_settle_at"], unique=False)

    op.create_table(
        "card",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=19), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("lost_at", storage.UtcDateTime(timezone=True), nullable=True),
        sa.Column("status_before_loss", sa.String(length=8), nullable=True),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('debit', 'credit')", name=op.f("ck_card_kind")),
        sa.CheckConstraint("status IN ('active', 'lost', 'inactive', 'frozen')", name=op.f("ck_card_status")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_card_account_id_account")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_card_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("number", name=op.f("uq_card_number")),
    )
    with op.batch_alter_table("card", schema=None) as batch_op:
        batch_op.create_index("ix_card_account_status", ["account_id", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_card_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("channel_message_id", sa.String(length=96), nullable=True),
        sa.Column("in_reply_to", sa.Integer(), nullable=True),
        sa.Column("sender", sa.String(length=8), nullable=False),
        sa.Column("sender_name", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("card", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("intent", sa.String(length=48), nullable=True),
        sa.Column("action", sa.String(length=96), nullable=True),
        sa.Column("created_at", storage.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "sender IN ('customer', 'bot', 'agent', 'system')", name=op.f("ck_message_sender")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_message_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint(
            "conversation_id",
            "channel_message_id",
            name=op.f("uq_message_conversation_id_channel_message_id"),
        ),
        sa.UniqueConstraint("conversation_id", "seq", name=op.f("uq_message_conversation_id_seq")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_reply", ["conversation_id", "in_reply_to"], unique=False)

    install_triggers(op.get_bind())


def downgrade() -> None:
    """Takes this revision back."""
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_reply")

    op.drop_table("message")
    with op.batch_alter_table("card", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_card_customer_id"))
        batch_op.drop_index("ix_card_account_status")

    op.drop_table("card")
    with op.batch_alter_table("bank_order", schema=None) as batch_op:
        batch_op.drop_index("ix_bank_order_settlement")
        batch_op.drop_index("ix_bank_order_limits")
        batch_op.drop_index("ix_bank_order_latest")

    op.drop_table("bank_order")
    with op.batch_alter_table("security_lock", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_security_lock_active",
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_security_lock_customer_id"))

    op.drop_table("security_lock")
    with op.batch_alter_table("security_event", schema=None) as batch_op:
        batch_op.drop_index("ix_security_event_customer")

    op.drop_table("security_event")
    with op.batch_alter_table("payee", schema=None) as batch_op:
        batch_op.drop_index("ix_payee_customer")

    op.drop_table("payee")
    op.drop_table("password_credential")
    with op.batch_alter_table("otp_challenge", schema=None) as batch_op:
        batch_op.drop_index("ix_otp_challenge_sending")
        batch_op.drop_index(batch_op.f("ix_otp_challenge_customer_id"))

    op.drop_table("otp_challenge")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entry_transaction_id"))
        batch_op.drop_index("ix_ledger_entry_statement")

    op.drop_table("ledger_entry")
    with op.batch_alter_table("desk_tickets", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_tickets_status")
        batch_op.drop_index(batch_op.f("ix_desk_tickets_customer_id"))
        batch_op.drop_index(batch_op.f("ix_desk_tickets_conversation_id"))

    op.drop_table("desk_tickets")
    with op.batch_alter_table("desk_presence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_presence_last_seen_at"))

    op.drop_table("desk_presence")
    with op.batch_alter_table("desk_agent_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_agent_sessions_expires_at"))
        batch_op.drop_index(batch_op.f("ix_desk_agent_sessions_agent_id"))

    op.drop_table("desk_agent_sessions")
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.drop_index("ix_conversation_owner_queued")
        batch_op.drop_index(batch_op.f("ix_conversation_customer_id"))
        batch_op.drop_index(batch_op.f("ix_conversation_agent_id"))

    op.drop_table("conversation")
    with op.batch_alter_table("bill_subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bill_subscription_customer_id"))

    op.drop_table("bill_subscription")
    with op.batch_alter_table("bill_payment", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_bill_payment_bill_id",
            sqlite_where=sa.text("status <> 'failed'"),
            postgresql_where=sa.text("status <> 'failed'"),
        )
        batch_op.drop_index(batch_op.f("ix_bill_payment_customer_id"))

    op.drop_table("bill_payment")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_customer_id"))

    op.drop_table("account")
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_sessions_expires_at"))
        batch_op.drop_index(batch_op.f("ix_web_sessions_customer_id"))

    op.drop_table("web_sessions")
    op.drop_table("login_guard")
    op.drop_table("ledger_transaction")
    op.drop_table("ledger_chain")
    op.drop_table("ledger_account")
    op.drop_table("desk_login_guards")
    with op.batch_alter_table("desk_audit", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_audit_subject")
        batch_op.drop_index("ix_desk_audit_agent")

    op.drop_table("desk_audit")
    op.drop_table("desk_agents")
    op.drop_table("customer")
    with op.batch_alter_table("branch", schema=None) as batch_op:
        batch_op.drop_index("ix_branch_city_kind")

    op.drop_table("branch")
    drop_function(op.get_bind())
