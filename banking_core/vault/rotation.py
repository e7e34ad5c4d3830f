"""Sealing everything anew with the current key, while the bank is open.

What is left to do is seen in the data itself: every value says which key sealed it. So an interrupted rotation goes
on where it was, and a value that somebody changes meanwhile is left alone, because whoever changed it sealed it with
the current key or will be found by the next pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, Update, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from banking_core.checked import checked_function
from banking_core.storage import Base, Database
from banking_core.vault.columns import Sealed, SealedRow, sealed_attributes, vault_of
from banking_core.vault.errors import VaultError, VaultMissing
from banking_core.vault.keys import RINGS, RingName

BATCH_ROWS = 200
PASSES_MAX = 20
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Use:
    """How many values one key has sealed with one cipher; `cipher` is its letter in the sealed text."""

    key_id: str
    cipher: str
    count: int


@dataclass
class Resealed:
    """What a run did: rows changed, and the places whose values do not open, which stay as they are."""

    rows: int = 0
    broken: set[str] = field(default_factory=set)


def sealed_models(rings: Collection[RingName] = RINGS) -> list[type[Any]]:
    """Every mapped class with columns that these rings seal, by table name. Import what declares them beforehand."""
    models = (mapper.class_ for mapper in Base.registry.mappers)
    sealed = (m for m in models if issubclass(m, SealedRow) and _attributes(m, rings))
    return sorted(sealed, key=lambda model: str(model.__tablename__))


@checked_function
async def reseal(
    database: Database, progress: Progress | None = None, *, rings: Collection[RingName] | None = None
) -> Resealed:
    """Seals every value anew that another key, ring or cipher sealed than would seal it now.

    In small transactions, so that nobody waits long; repeats until a pass finds nothing to do. `progress` is told
    table and number of rows. `rings`: only what they seal; by default all whose keys are here.
    """
    if database.vault is None:
        raise VaultMissing("the database was opened without a vault")
    chosen = database.vault.rings if rings is None else rings
    report = Resealed()
    for _ in range(PASSES_MAX):
        before = report.rows
        for model in sealed_models(chosen):
            rows = await _reseal_table(database, model, chosen, report.broken)
            report.rows += rows
            if rows and progress is not None:
                progress(str(model.__tablename__), rows)
        if report.rows == before:
            break
    return report


@checked_function
async def uses(session: AsyncSession, rings: Collection[RingName] = RINGS) -> list[Use]:
    """Which keys sealed how many values, over all columns of these rings; read before a key is given up."""
    counts: Counter[tuple[str, str]] = Counter()
    for model in sealed_models(rings):
        for column in _columns(model, rings):
            prefix = _prefix(session, column)
            statement = select(prefix, func.count()).where(column.is_not(None)).group_by(prefix)
            for found, count in await session.execute(statement):
                cipher, _, key_id = str(found).partition(".")
                counts[key_id, cipher] += count
    return [Use(key_id, cipher, count) for (key_id, cipher), count in sorted(counts.items())]


async def _reseal_table(
    database: Database, model: type[Any], rings: Collection[RingName], broken: set[str]
) -> int:
    """One pass over one table by rising id; returns how many rows changed."""
    last: str | None = ""
    changed = 0
    while last is not None:
        after = last

        async def batch(session: AsyncSession, after: str = after) -> tuple[str | None, int, set[str]]:
            return await _reseal_batch(session, model, rings, after)

        last, done, unreadable = await database.run(batch, idempotent=True)
        changed += done
        broken |= unreadable
    return changed


async def _reseal_batch(
    session: AsyncSession, model: type[Any], rings: Collection[RingName], after: str
) -> tuple[str | None, int, set[str]]:
    """The next rows that need it: the last id looked at (None: there was none), how many changed, what is broken."""
    attributes, columns, vault = _attributes(model, rings), _columns(model, rings), vault_of(session)
    stale = or_(
        *(
            column.not_like(f"{vault.prefix_of(attribute.ring)}%")
            for attribute, column in zip(attributes, columns, strict=True)
        )
    )
    statement = select(model.id, *columns).where(model.id > after, stale).order_by(model.id)
    rows = (await session.execute(statement.limit(BATCH_ROWS))).all()
    changed, broken = 0, set[str]()
    for row_id, *stored in rows:
        try:
            changed += await _reseal_row(session, model, attributes, row_id, stored)
        except VaultError as error:
            broken.add(str(error))
    return (rows[-1][0] if rows else None), changed, broken


async def _reseal_row(
    session: AsyncSession,
    model: type[Any],
    attributes: Sequence[Sealed[Any]],
    row_id: str,
    stored: Sequence[str | None],
) -> bool:
    """Writes a row's values anew, unless somebody changed one of them since it was read."""
    vault = vault_of(session)
    values: dict[str, str] = {}
    for attribute, sealed in zip(attributes, stored, strict=True):
        if sealed is not None and not sealed.startswith(vault.prefix_of(attribute.ring)):
            place = attribute.place(row_id)
            values[f"new_{attribute.column}"] = vault.seal(vault.open(sealed, place), place)
            values[f"old_{attribute.column}"] = sealed
    names = tuple(name.removeprefix("new_") for name in values if name.startswith("new_"))
    connection = await session.connection()
    done = await connection.execute(_swap(model.__table__, names), values | {"row": row_id})
    return done.rowcount == 1


@cache
def _swap(table: Table, names: tuple[str, ...]) -> Update:
    """UPDATE of one row that still holds the old values; built once, because most of its cost is building it."""
    unchanged = (table.c[name] == bindparam(f"old_{name}") for name in names)
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return update(table).where(table.c.id == bindparam("row"), *unchanged).values(new)


def _attributes(model: type[Any], rings: Collection[RingName]) -> list[Sealed[Any]]:
    """What these rings seal of a table."""
    return [attribute for attribute in sealed_attributes(model) if attribute.ring in rings]


def _columns(model: type[Any], rings: Collection[RingName]) -> list[InstrumentedAttribute[str | None]]:
    """The columns with their sealed text, in the order of `_attributes`."""
    return [getattr(model, attribute.column) for attribute in _attributes(model, rings)]


def _prefix(session: AsyncSession, column: InstrumentedAttribute[str | None]) -> ColumnElement[str]:
    """Cipher letter and key id of a sealed column, in SQL: what comes before the second point."""
    find = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    return func.substr(column, 1, find(func.substr(column, 3), ".") + 1)
