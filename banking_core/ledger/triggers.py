"""Database triggers that refuse to change or delete what has been booked.

They hang on the tables' creation, so that `create_all` in a test and the migration make the same ones. Three kinds:

* booked tables (transactions, entries, hold events) are append-only;
* a hold may leave `pending` once, and nothing else of it may change;
* an account keeps its code, kind, purpose, side and currency; a chain's head only moves forward; neither is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import DDL, Connection, event, text

from banking_core.ledger.models import (
    LedgerAccount,
    LedgerChain,
    LedgerEntry,
    LedgerHold,
    LedgerHoldEvent,
    LedgerTransaction,
)

IMMUTABLE_TABLES = (LedgerTransaction.__tablename__, LedgerEntry.__tablename__)  # since the first migration
HOLD_EVENT_TABLE = LedgerHoldEvent.__tablename__
_POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the ledger is immutable: % on %', TG_OP, TG_TABLE_NAME; END $$"
)


def _same(*columns: str) -> str:
    return " AND ".join(f"OLD.{column} = NEW.{column}" for column in columns)


# What an update of a guarded table must satisfy, in SQL that both engines understand.
GUARDS: dict[str, str] = {
    LedgerAccount.__tablename__: _same("id", "code", "kind", "purpose", "currency", "normal_side"),
    LedgerChain.__tablename__: f"{_same('id')} AND NEW.last_sequence > OLD.last_sequence",
    LedgerHold.__tablename__: (
        "OLD.status = 'pending' AND NEW.status <> 'pending' AND "
        + _same(
            "id", "key", "body_hash", "ledger_account_id", "amount_fen", "memo", "placed_at", "expires_at"
        )
    ),
}


def trigger_statements(dialect: str, table: str) -> list[str]:
    """The statements that make one table append-only on 'sqlite' or 'postgresql'."""
    if dialect == "sqlite":
        return [_sqlite_refuse(table, "UPDATE"), *_sqlite_no_removal(table)]
    assert dialect == "postgresql", dialect
    return [
        _POSTGRESQL_FUNCTION,
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()",
        _postgresql_no_truncate(table),
    ]


def guard_statements(dialect: str, table: str) -> list[str]:
    """The statements that let only the updates of `GUARDS` through, and no removal."""
    refused = f"NOT COALESCE({GUARDS[table]}, FALSE)"
    if dialect == "sqlite":
        return [_sqlite_refuse(table, "UPDATE", refused), *_sqlite_no_removal(table)]
    assert dialect == "postgresql", dialect
    return [
        _POSTGRESQL_FUNCTION,
        f"CREATE TRIGGER {table}_guard BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({refused}) "
        "EXECUTE FUNCTION ledger_refuse_change()",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()",
        _postgresql_no_truncate(table),
    ]


def _sqlite_refuse(table: str, operation: str, condition: str | None = None) -> str:
    when = f"WHEN {condition} " if condition else ""
    return (
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} {when}"
        f"BEGIN SELECT RAISE(ABORT, 'the ledger is immutable: {operation} on {table}'); END"
    )


def _sqlite_no_removal(table: str) -> list[str]:
    return [
        _sqlite_refuse(table, "DELETE"),
        # INSERT OR REPLACE deletes without asking the DELETE trigger.
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
        f"BEGIN SELECT RAISE(ABORT, 'the ledger is immutable: REPLACE on {table}'); END",
    ]


def _postgresql_no_truncate(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
    )


def install_triggers(connection: Connection, tables: Sequence[str] = IMMUTABLE_TABLES) -> None:
    """Makes booked tables append-only; for a migration."""
    for table in tables:
        for statement in trigger_statements(connection.dialect.name, table):
            connection.execute(text(statement))


def install_guards(connection: Connection, tables: Sequence[str] = tuple(GUARDS)) -> None:
    """Guards the tables that may change in part; for a migration."""
    for table in tables:
        for statement in guard_statements(connection.dialect.name, table):
            connection.execute(text(statement))


def drop_guards(connection: Connection, tables: Sequence[str]) -> None:
    """Takes the guards from tables that stay; for a migration's downgrade."""
    for table in tables:
        if connection.dialect.name == "sqlite":
            for suffix in ("no_update", "no_delete", "no_replace"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{suffix}"))
        else:
            for suffix in ("guard", "no_delete", "no_truncate"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{suffix} ON {table}"))


def drop_function(connection: Connection) -> None:
    """Undoes what dropping the tables leaves behind; for the migration's downgrade."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION IF EXISTS ledger_refuse_change()"))


def _listen() -> None:
    models = (LedgerTransaction, LedgerEntry, LedgerHoldEvent, LedgerAccount, LedgerChain, LedgerHold)
    for model in models:
        table = model.__tablename__
        make = guard_statements if table in GUARDS else trigger_statements
        for dialect in ("sqlite", "postgresql"):
            for statement in make(dialect, table):
                ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
                event.listen(model.__table__, "after_create", ddl.execute_if(dialect=dialect))


_listen()
