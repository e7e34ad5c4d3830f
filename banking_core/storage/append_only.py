"""Tables whose rows may be added and never changed: the database itself refuses, not only the code.

make_append_only(OrderEvent)          beside the model: every `create_all` makes the triggers too
install_append_only(connection, ...)  in the migration that creates the table

A table with the heads of hash chains (`id`, `last_sequence`) may only move forward: `make_forward_only`.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import DDL, Connection, Table, event, text

from banking_core.storage.base import Base

_FUNCTION = "append_only_refuse_change"
_POSTGRESQL_FUNCTION = (
    f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'append-only: % on %', TG_OP, TG_TABLE_NAME; END $$"
)


def append_only_statements(dialect: str, table: str) -> list[str]:
    """The statements that make one table append-only on 'sqlite' or 'postgresql'; its key is `id`."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'append-only: {operation} on {table}'); END"
            for operation in ("UPDATE", "DELETE")
        ] + [
            # INSERT OR REPLACE deletes without asking the DELETE trigger.
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, 'append-only: REPLACE on {table}'); END"
        ]
    assert dialect == "postgresql", dialect
    return [
        _POSTGRESQL_FUNCTION,
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {_FUNCTION}()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()",
    ]


def forward_only_statements(dialect: str, table: str) -> list[str]:
    """The statements that let `last_sequence` of a row only rise, and no row go."""
    forward = "OLD.id = NEW.id AND NEW.last_sequence > OLD.last_sequence"
    if dialect == "sqlite":
        no_update, *others = append_only_statements(dialect, table)
        return [no_update.replace(" BEGIN ", f" WHEN NOT ({forward}) BEGIN ", 1), *others]
    assert dialect == "postgresql", dialect
    return [
        _POSTGRESQL_FUNCTION,
        f"CREATE TRIGGER {table}_forward BEFORE UPDATE ON {table} FOR EACH ROW WHEN (NOT ({forward})) "
        f"EXECUTE FUNCTION {_FUNCTION}()",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {_FUNCTION}()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()",
    ]


def install_forward_only(connection: Connection, *tables: str) -> None:
    """Lets existing tables of chain heads only move forward; for a migration."""
    for table in tables:
        for statement in forward_only_statements(connection.dialect.name, table):
            connection.execute(text(statement))


def install_append_only(connection: Connection, *tables: str) -> None:
    """Makes existing tables append-only; for a migration."""
    for table in tables:
        for statement in append_only_statements(connection.dialect.name, table):
            connection.execute(text(statement))


def drop_append_only_function(connection: Connection) -> None:
    """Undoes what dropping the tables leaves behind; for the downgrade of the first such migration."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"DROP FUNCTION IF EXISTS {_FUNCTION}()"))


def make_append_only(model: type[Base]) -> None:
    """Hangs the triggers on the creation of the model's table."""
    _hang(model, append_only_statements)


def make_forward_only(model: type[Base]) -> None:
    """The same for a table of chain heads."""
    _hang(model, forward_only_statements)


def _hang(model: type[Base], statements: Callable[[str, str], list[str]]) -> None:
    table = model.__table__
    assert isinstance(table, Table)
    for dialect in ("sqlite", "postgresql"):
        for statement in statements(dialect, table.name):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
