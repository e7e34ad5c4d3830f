"""Database triggers that refuse to change or delete what has been booked.

They hang on the tables' creation, so that `create_all` in a test and the migration make the same ones.
"""

from __future__ import annotations

from sqlalchemy import DDL, Connection, event, text

from banking_core.ledger.models import LedgerEntry, LedgerTransaction

IMMUTABLE_TABLES = (LedgerTransaction.__tablename__, LedgerEntry.__tablename__)
_POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the ledger is immutable: % on %', TG_OP, TG_TABLE_NAME; END $$"
)


def trigger_statements(dialect: str, table: str) -> list[str]:
    """The statements that make one table append-only on 'sqlite' or 'postgresql'."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is immutable: {operation} on {table}'); END"
            for operation in ("UPDATE", "DELETE")
        ] + [
            # INSERT OR REPLACE deletes without asking the DELETE trigger.
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is immutable: REPLACE on {table}'); END"
        ]
    assert dialect == "postgresql", dialect
    return [
        _POSTGRESQL_FUNCTION,
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()",
    ]


def install_triggers(connection: Connection) -> None:
    """Makes the booked tables append-only; for the migration."""
    for table in IMMUTABLE_TABLES:
        for statement in trigger_statements(connection.dialect.name, table):
            connection.execute(text(statement))


def drop_function(connection: Connection) -> None:
    """Undoes what dropping the tables leaves behind; for the migration's downgrade."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION IF EXISTS ledger_refuse_change()"))


def _listen() -> None:
    for model in (LedgerTransaction, LedgerEntry):
        for dialect in ("sqlite", "postgresql"):
            for statement in trigger_statements(dialect, model.__tablename__):
                ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
                event.listen(model.__table__, "after_create", ddl.execute_if(dialect=dialect))


_listen()
