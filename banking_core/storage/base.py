"""Declarative base and column types that behave alike on SQLite and PostgreSQL.

Text longer than its column is refused before it is written: PostgreSQL would refuse it with an error of its own in the
middle of a transaction, SQLite would take it.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, String, event
from sqlalchemy.orm import DeclarativeBase, Mapper
from sqlalchemy.types import JSON, TypeDecorator

from banking_core.errors import InvalidInput

JsonValue = Any  # what json.dumps accepts; SQLAlchemy's JSON column is untyped


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes in Python; SQLite stores them without an offset, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive times: they are bugs, not local times."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime given to the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Puts UTC back on what SQLite hands over bare."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of the product hangs here, so that one migration history covers them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}


@event.listens_for(Base, "before_insert", propagate=True)
@event.listens_for(Base, "before_update", propagate=True)
def _refuse_what_does_not_fit(mapper: Mapper[Any], _connection: Any, row: Base) -> None:
    for name, length_max in _bounded(mapper):
        value = row.__dict__.get(name)  # what is not loaded was not changed
        if isinstance(value, str) and len(value) > length_max:
            raise InvalidInput(f"{name}: more than {length_max} characters", field=name)


@cache
def _bounded(mapper: Mapper[Any]) -> tuple[tuple[str, int], ...]:
    """Attributes and how many characters their columns take."""
    return tuple(
        (attribute.key, column.type.length)
        for attribute in mapper.column_attrs
        for column in attribute.columns
        if isinstance(column.type, String) and column.type.length is not None
    )


def new_id() -> str:
    """A random identifier, 32 hexadecimal characters."""
    return uuid.uuid4().hex
