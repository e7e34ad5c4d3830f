"""Tables whose rows may be added and never changed: the database itself refuses, not only the code.

make_append_only(OrderEvent)          beside the model: every `create_all` makes the triggers too
install_append_only(connection, ...)  in the migration that creates the table
"""

from __future__ import annotations

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
    table = model.__table__
    assert isinstance(table, Table)
    for dialect in ("sqlite", "postgresql"):
        for statement in append_only_statements(dialect, table.name):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
