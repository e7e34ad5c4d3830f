"""Customers, accounts, cards, payees and household accounts: personal data is sealed, found by blind indexes.

A customer's birth date is read from the identity number; the ledger knows a customer's account by its id and no
longer by its number.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op

from banking_core.ledger.triggers import drop_guards, install_guards
from migrations.sealing import SealColumn, finish_seal, finish_unseal, seal, unseal, write_anew

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SEALED = {
    "customer": (
        SealColumn("phone", sa.String(length=11), index="unique"),
        SealColumn("name", sa.String(length=64)),
        SealColumn("id_number", sa.String(length=18), index="plain"),
    ),
    "account": (SealColumn("number", sa.String(length=19), index="unique"),),
    "card": (SealColumn("number", sa.String(length=19), index="unique"),),
    "payee": (
        SealColumn("name", sa.String(length=64)),
        SealColumn("nickname", sa.String(length=32)),
        SealColumn("account_number", sa.String(length=32), index="part"),
    ),
    "bill_subscription": (
        SealColumn("account_no", sa.String(length=20), index="part"),
        SealColumn("address", sa.String(length=120)),
    ),
}
HOUSEHOLD = "uq_bill_subscription_customer_id_biller_account_no"


def upgrade() -> None:
    """Applies this revision."""
    seal(SEALED)
    op.drop_index("ix_payee_customer", table_name="payee")
    for table, columns in SEALED.items():
        with op.batch_alter_table(table) as batch:
            if table == "bill_subscription":
                batch.drop_constraint(op.f(HOUSEHOLD), type_="unique")
                batch.create_unique_constraint(
                    op.f(f"{HOUSEHOLD}_index"), ["customer_id", "biller", "account_no_index"]
                )
            if table == "customer":
                batch.drop_column("birth_date")
            finish_seal(batch, table, columns)
        write_anew(table, columns[0].sealed)
    op.create_index("ix_payee_customer", "payee", ["customer_id", "account_number_index"])
    _name_ledger_accounts("id")


def downgrade() -> None:
    """Takes this revision back."""
    unseal(SEALED)
    op.drop_index("ix_payee_customer", table_name="payee")
    _restore_birth_dates()
    for table, columns in SEALED.items():
        with op.batch_alter_table(table) as batch:
            if table == "bill_subscription":
                batch.drop_constraint(op.f(f"{HOUSEHOLD}_index"), type_="unique")
                batch.create_unique_constraint(op.f(HOUSEHOLD), ["customer_id", "biller", "account_no"])
            if table == "customer":
                batch.alter_column("birth_date", existing_type=sa.Date(), nullable=False)
            finish_unseal(batch, table, columns)
    op.create_index("ix_payee_customer", "payee", ["customer_id", "name"])
    _name_ledger_accounts("number")


def _name_ledger_accounts(by: str) -> None:
    """The code of a customer's ledger account is 'customer:' and the account's `by`; a guard forbids changing it."""
    bind = op.get_bind()
    drop_guards(bind, ("ledger_account",))
    op.execute(
        f"UPDATE ledger_account SET code = 'customer:' || (SELECT account.{by} FROM account "
        "WHERE account.ledger_account_id = ledger_account.id) "
        "WHERE id IN (SELECT ledger_account_id FROM account)"
    )
    write_anew("ledger_account", "name", "varchar(64)")
    install_guards(bind, ("ledger_account",))


def _restore_birth_dates() -> None:
    op.add_column("customer", sa.Column("birth_date", sa.Date(), nullable=True))
    customer = sa.table(
        "customer", sa.column("id"), sa.column("id_number"), sa.column("birth_date", sa.Date())
    )
    bind = op.get_bind()
    for row in bind.execute(sa.select(customer.c.id, customer.c.id_number)).all():
        number = row.id_number
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        bind.execute(customer.update().where(customer.c.id == row.id).values(birth_date=born))
