"""Audit: one append-only, chained trail of who did what; what the desk kept on its own moves there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage
from banking_core.audit.chains import FIELDS, chain_of, record_hash
from banking_core.ledger.hashing import GENESIS_HASH
from banking_core.storage.append_only import install_append_only, install_forward_only

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = storage.UtcDateTime(timezone=True)
JSON = sa.JSON(none_as_null=True)
# What the desk's own table called an act, and what it is called now.
ACTIONS = {
    "login": "agent.logged_in",
    "logout": "agent.logged_out",
    "claim": "conversation.claimed",
    "look": "conversation.read",
    "look_on": "conversation.read_on",
    "hand_back": "conversation.handed_back",
    "close": "conversation.closed",
    "ticket_finish": "ticket.finished",
    "ticket_phone": "ticket.phone_read",
}
DESK = sa.table(
    "desk_audit",
    *(sa.column(name) for name in ("id", "agent_id", "action", "subject")),
    sa.column("allowed", sa.Boolean()),
    sa.column("at", TIME),
)


def upgrade() -> None:
    """Applies this revision."""
    record = _create()
    chain = op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    _take_over(record, chain)
    install_append_only(op.get_bind(), "audit_record")
    install_forward_only(op.get_bind(), "audit_chain")
    op.drop_table("desk_audit")


def downgrade() -> None:
    """Takes this revision back; of the trail only what the desk kept before remains."""
    op.create_table(
        "desk_audit",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_audit")),
    )
    op.create_index("ix_desk_audit_agent", "desk_audit", ["agent_id", "at"])
    op.create_index("ix_desk_audit_subject", "desk_audit", ["subject", "at"])
    for before, now in ACTIONS.items():
        op.execute(
            "INSERT INTO desk_audit (agent_id, action, subject, allowed, at) "
            f"SELECT actor_id, '{before}', object_id, allowed, at FROM audit_record "
            f"WHERE action = '{now}' AND actor_kind = 'agent' ORDER BY id"
        )
    op.drop_table("audit_record")
    op.drop_table("audit_chain")


def _create() -> sa.Table:
    texts = {"object_kind": 32, "object_id": 64, "channel": 16, "address": 64, "device": 64}
    table = op.create_table(
        "audit_record",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in texts.items()),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.Column("correlation_id", sa.String(length=32), nullable=False),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('customer', 'agent', 'system', 'operator')",
            name=op.f("ck_audit_record_actor_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_record")),
        sa.UniqueConstraint("chain", "sequence", name=op.f("uq_audit_record_chain_sequence")),
    )
    op.create_index("ix_audit_record_customer", "audit_record", ["customer_id", "id"])
    op.create_index("ix_audit_record_actor", "audit_record", ["actor_id", "id"])
    op.create_index("ix_audit_record_object", "audit_record", ["object_kind", "object_id", "id"])
    op.create_index("ix_audit_record_at", "audit_record", ["at"])
    return table


def _take_over(record: sa.Table, chain: sa.Table) -> None:
    """Chains the desk's rows in the order in which they were written."""
    bind = op.get_bind()
    conversation = sa.table("conversation", sa.column("id"), sa.column("customer_id"))
    rows = bind.execute(sa.select(conversation.c.id, conversation.c.customer_id)).all()
    owners = {row.id: row.customer_id for row in rows}
    ends: dict[int, tuple[int, str]] = {}
    for row in bind.execute(sa.select(DESK).order_by(DESK.c.id)).all():
        customer_id = owners.get(row.subject)
        values = dict.fromkeys(FIELDS, "") | {
            "actor_kind": "agent",
            "actor_id": row.agent_id,
            "customer_id": customer_id,
            "action": ACTIONS.get(row.action, f"desk.{row.action}"),
            "allowed": bool(row.allowed),
            "object_kind": "ticket"
            if row.action.startswith("ticket")
            else "conversation"
            if row.subject
            else "",
            "object_id": row.subject,
            "before": None,
            "after": None,
            "channel": "desk",
        }
        number = chain_of(customer_id, row.agent_id)
        sequence, previous = ends.get(number, (0, GENESIS_HASH))
        place = {"at": row.at, "chain": number, "sequence": sequence + 1, "previous_hash": previous}
        hash_ = record_hash(values, **place)
        bind.execute(record.insert().values(**values, **place, hash=hash_))
        ends[number] = (sequence + 1, hash_)
    for number, (sequence, hash_) in ends.items():
        bind.execute(chain.insert().values(id=number, last_sequence=sequence, last_hash=hash_))
