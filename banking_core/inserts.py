"""Inserting a row that another transaction may be inserting at the same moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.storage import Base


async def insert_if_absent(
    session: AsyncSession, model: type[Base], values: dict[str, Any], *, unique: str
) -> bool:
    """Inserts unless a row with the same `unique` column exists; returns whether it was inserted.

    On PostgreSQL it waits for a concurrent inserter to commit or roll back, so that a row that is reported as
    present can be read afterwards.
    """
    return await insert_if_absent_in(session, model.__table__, values, unique=unique)


async def insert_if_absent_in(
    session: AsyncSession, table: FromClause, values: dict[str, Any], *, unique: str
) -> bool:
    """The same for a plain table."""
    assert isinstance(table, Table)
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    column = table.c[unique]
    statement = (
        insert(table).values(**values).on_conflict_do_nothing(index_elements=[column]).returning(column)
    )
    return (await session.execute(statement)).first() is not None
