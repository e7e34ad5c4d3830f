"""Steps shared by revisions that seal columns, or open them again.

    SEALED = {"customer": (SealColumn("phone", sa.String(11), index="unique"), SealColumn("name", sa.String(64)))}
    seal(SEALED)       phone becomes phone_sealed and phone_index, row by row
    unseal(SEALED)     the reverse
    move({"voiceprint": ("template",)}, "voice")     sealed columns are sealed anew, by that ring

The bytes that were there before do not stay behind in the database's files: on SQLite the runner overwrites what is
freed, on PostgreSQL the table is written anew.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.types import TypeEngine

from banking_core.vault import LETTERS, KeyUnknown, Place, RingName, SealBroken, Vault, VaultMissing

log = logging.getLogger(__name__)
BATCH_ROWS = 500
INDEX_CHARS = 32


@dataclass(frozen=True)
class SealColumn:
    """A column of a table whose key is `id`, with the type it has in the clear. `index`: how it is found."""

    name: str
    type_: TypeEngine[Any]
    nullable: bool = False
    index: Literal["unique", "plain", "part"] | None = None  # 'part': of an index the revision makes itself

    @property
    def sealed(self) -> str:
        """The column with the sealed text."""
        return f"{self.name}_sealed"

    @property
    def blind(self) -> str:
        """The column with the blind index."""
        return f"{self.name}_index"


def seal(tables: Mapping[str, Sequence[SealColumn]]) -> None:
    """Adds and fills the sealed columns; the revision then calls `finish_seal` for each table."""
    for table, columns in tables.items():
        for column in columns:
            op.add_column(table, sa.Column(column.sealed, sa.Text(), nullable=True))
            if column.index:
                op.add_column(table, sa.Column(column.blind, sa.String(length=INDEX_CHARS), nullable=True))
        for row in _rows(table, {column.name: column.type_ for column in columns}):
            _update(table, row["id"], _sealed_values(table, columns, row))


def finish_seal(batch: Any, table: str, columns: Sequence[SealColumn]) -> None:
    """Inside the table's batch: makes what must be filled NOT NULL, makes indexes, drops the plain columns."""
    for column in columns:
        if not column.nullable:
            batch.alter_column(column.sealed, existing_type=sa.Text(), nullable=False)
        if column.index == "unique":
            batch.drop_constraint(op.f(f"uq_{table}_{column.name}"), type_="unique")
            batch.create_unique_constraint(op.f(f"uq_{table}_{column.blind}"), [column.blind])
        if column.index == "plain":
            batch.create_index(op.f(f"ix_{table}_{column.blind}"), [column.blind])
        batch.drop_column(column.name)


def unseal(tables: Mapping[str, Sequence[SealColumn]]) -> None:
    """Adds and fills the plain columns; the revision then calls `finish_unseal` for each table."""
    for table, columns in tables.items():
        for column in columns:
            op.add_column(table, sa.Column(column.name, column.type_, nullable=True))
        for row in _rows(table, {column.sealed: sa.Text() for column in columns}):
            plain = {c.name: _opened(table, c, row) for c in columns}
            _update(table, row["id"], plain, {column.name: column.type_ for column in columns})


def finish_unseal(batch: Any, table: str, columns: Sequence[SealColumn]) -> None:
    """The reverse of `finish_seal`."""
    for column in columns:
        if not column.nullable:
            batch.alter_column(column.name, existing_type=column.type_, nullable=False)
        if column.index == "unique":
            batch.drop_constraint(op.f(f"uq_{table}_{column.blind}"), type_="unique")
            batch.create_unique_constraint(op.f(f"uq_{table}_{column.name}"), [column.name])
        if column.index == "plain":
            batch.drop_index(op.f(f"ix_{table}_{column.blind}"))
        batch.drop_column(column.sealed)
        if column.index:
            batch.drop_column(column.blind)


def move(tables: Mapping[str, Sequence[str]], ring: RingName) -> None:
    """Seals columns anew with a key of `ring`. A value that does not open is named in the log and stays as it is."""
    for table, names in tables.items():
        for row in _rows(table, {f"{name}_sealed": sa.Text() for name in names}):
            values: dict[str, Any] = {}
            for name in names:
                stored, place = row[f"{name}_sealed"], Place(table, name, row["id"], ring)
                if stored is None or stored[2:3] == LETTERS[ring]:
                    continue
                try:
                    # The old ring is told by the key's id; only a place of the ring 'voice' opens with both.
                    values[f"{name}_sealed"] = vault().seal(
                        vault().open(stored, place._replace(ring="voice")), place
                    )
                except (KeyUnknown, SealBroken) as error:
                    log.error("not sealed anew code=%s: %s", error.code, error)
            if values:
                _update(table, row["id"], values)


def write_anew(table: str, column: str, type_: str = "text") -> None:
    """PostgreSQL keeps old versions of rows and values of dropped columns until a table is rewritten: do it now."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {type_} USING {column} || ''")


def vault() -> Vault:
    """The vault given to the runner; raises VaultMissing when rows are there and none was given."""
    found = context.config.attributes.get("vault")
    if not isinstance(found, Vault):
        raise VaultMissing("rows with personal data cannot be migrated without a vault")
    return found


def _rows(table: str, columns: Mapping[str, TypeEngine[Any]]) -> Iterator[dict[str, Any]]:
    """Every row by rising id, read in batches so that a large table does not fill the memory."""
    described = sa.table(table, sa.column("id", sa.String()), *(sa.column(n, t) for n, t in columns.items()))
    last = ""
    while True:
        statement = sa.select(described).where(described.c.id > last).order_by(described.c.id)
        rows = op.get_bind().execute(statement.limit(BATCH_ROWS)).mappings().all()
        if not rows:
            return
        yield from (dict(row) for row in rows)
        last = rows[-1]["id"]


def _update(
    table: str, row_id: str, values: Mapping[str, Any], types: Mapping[str, TypeEngine[Any]] | None = None
) -> None:
    columns = (sa.column(name, (types or {}).get(name, sa.Text())) for name in values)
    described = sa.table(table, sa.column("id", sa.String()), *columns)
    op.get_bind().execute(described.update().where(described.c.id == row_id).values(**values))


def _sealed_values(table: str, columns: Sequence[SealColumn], row: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in columns:
        plain = row[column.name]
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        place = Place(table, column.name, row["id"])
        values[column.sealed] = None if plain is None else vault().seal(text.encode(), place)
        if column.index:
            values[column.blind] = None if plain is None else vault().index(table, column.name, plain)
    return values


def _opened(table: str, column: SealColumn, row: Mapping[str, Any]) -> Any:
    sealed = row[column.sealed]
    if sealed is None:
        return None
    return json.loads(vault().open(sealed, Place(table, column.name, row["id"])))
