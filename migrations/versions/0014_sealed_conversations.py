"""Orders, conversations, messages and tickets: what people said and whom they pay is sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.sealing import SealColumn, finish_seal, finish_unseal, seal, unseal, vault, write_anew

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True)
SEALED = {
    "bank_order": (
        SealColumn("body", JSON),
        SealColumn("facts", JSON),
        SealColumn("receipt_facts", JSON),
    ),
    "conversation": (
        SealColumn("state", JSON, nullable=True),
        SealColumn("challenge", JSON, nullable=True),
        SealColumn("rating_comment", sa.String(length=500), nullable=True),
    ),
    "message": (
        SealColumn("text", sa.Text()),
        SealColumn("card", JSON, nullable=True),
        SealColumn("choices", JSON),
    ),
    "desk_tickets": (
        SealColumn("phone", sa.String(length=20)),
        SealColumn("content", sa.Text()),
        SealColumn("answer", sa.Text(), nullable=True),
    ),
}


def upgrade() -> None:
    """Applies this revision."""
    seal(SEALED)
    _key_fingerprints()
    for table, columns in SEALED.items():
        with op.batch_alter_table(table) as batch:
            finish_seal(batch, table, columns)
        write_anew(table, columns[0].sealed)


def downgrade() -> None:
    """Takes this revision back. The orders' fingerprints stay keyed: what they were made of is not kept."""
    unseal(SEALED)
    for table, columns in SEALED.items():
        with op.batch_alter_table(table) as batch:
            finish_unseal(batch, table, columns)


def _key_fingerprints() -> None:
    """A plain digest of an order's body would let somebody guess the account number in it."""
    order = sa.table("bank_order", sa.column("id"), sa.column("body_hash"))
    bind = op.get_bind()
    for row in bind.execute(sa.select(order.c.id, order.c.body_hash)).all():
        keyed = vault().index("bank_order", "body_hash", row.body_hash)
        bind.execute(order.update().where(order.c.id == row.id).values(body_hash=keyed))
