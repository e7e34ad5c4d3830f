"""Sealed columns of a mapped class: the attribute reads and takes plain values, the database holds sealed ones.

    class Customer(SealedRow, Base):
        phone_sealed: Mapped[str] = mapped_column(Text)
        phone_index: Mapped[str] = mapped_column(String(INDEX_CHARS), unique=True)
        phone = Sealed[str]("phone_sealed", index="phone_index")

    select(Customer).where(Customer.phone.equals(session, "13800000004"))

A value is opened when it is read, so a row whose values nobody looks at costs nothing. The vault comes with the
session (`Database(url, vault=...)`) and stays with the row when the session ends. A new row seals its values when it
is flushed, because only then its id is certain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Generic, Self, TypeVar, overload

from sqlalchemy import ColumnElement, Connection, event, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, QueryContext, object_session

from banking_core.checked import checked_function
from banking_core.errors import InvalidInput
from banking_core.storage.base import new_id
from banking_core.vault.errors import VaultError, VaultMissing
from banking_core.vault.keys import RingName
from banking_core.vault.vault import Place, Vault

T = TypeVar("T")
VAULT = "vault"  # the key in `session.info`
_OF_ROW = "_vault"
_WAITING = "_sealed_at_flush"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class SealedRow:
    """Mixin of a mapped class with sealed columns; its primary key is a text `id`."""


class Sealed(Generic[T]):
    """One sealed attribute: JSON of any shape, text included. None is stored as NULL.

    `column` is the mapped attribute with the sealed text, `index` the one with the blind index of a text value, `ring`
    the key ring that seals it.
    """

    def __init__(self, column: str, *, index: str | None = None, ring: RingName = "data") -> None:
        self.column = column
        self.index = index
        self.ring = ring
        self.name = ""
        self._owner: type[Any] = object

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._owner, self.name = owner, name

    def __eq__(self, other: object) -> bool:
        """Refused, so that `where(Customer.phone == ...)` is an error and not a query that finds nobody."""
        if isinstance(other, Sealed):
            return self is other
        raise TypeError(f"{self.name} is sealed: use .equals(session, value)")

    __hash__ = object.__hash__

    @overload
    def __get__(self, row: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, row: object, owner: type[Any]) -> T: ...
    def __get__(self, row: Any, owner: type[Any]) -> Self | T:
        if row is None:
            return self
        waiting = row.__dict__.get(_WAITING)
        if waiting is not None and self.name in waiting:
            found: T = waiting[self.name]
            return found
        stored = getattr(row, self.column)
        return self.open(_vault_of_row(row), stored, row.id) if stored is not None else None  # type: ignore[return-value]

    def __set__(self, row: Any, value: T) -> None:
        if inspect(row).identity is None:
            row.__dict__.setdefault(_WAITING, {})[self.name] = value
            return
        for name, stored in self.stored(_vault_of_row(row), value, row.id).items():
            setattr(row, name, stored)

    def open(self, vault: Vault, stored: str, row_id: str) -> T:
        """The plain value of what the column of a row holds."""
        plain: T = json.loads(vault.open(stored, self.place(row_id)))
        return plain

    def stored(self, vault: Vault, value: T, row_id: str) -> dict[str, str | None]:
        """What the columns of a row hold for a value."""
        sealed = (
            None
            if value is None
            else vault.seal(_encode(value).encode("utf-8", "surrogatepass"), self.place(row_id))
        )
        stored: dict[str, str | None] = {self.column: sealed}
        if self.index is not None:
            stored[self.index] = None if value is None else self._indexed(vault, value)
        return stored

    def equals(self, session: AsyncSession, value: str) -> ColumnElement[bool]:
        """The condition that an indexed attribute has this value."""
        assert self.index is not None, f"{self.name} has no blind index"
        column: ColumnElement[Any] = getattr(self._owner, self.index)
        return column == self.index_of(vault_of(session), value)

    def index_of(self, vault: Vault, value: str) -> str:
        """What the blind index of this value is, for statements that are built beforehand."""
        return self._indexed(vault, value)

    def place(self, row_id: str) -> Place:
        """Where the value of a row lives."""
        return Place(self._owner.__tablename__, self.name, row_id, self.ring)

    def _indexed(self, vault: Vault, value: Any) -> str:
        assert isinstance(value, str), "only text is found by a blind index"
        return vault.index(self._owner.__tablename__, self.name, value)


@checked_function
def shown(row: SealedRow, name: str, mask: Callable[[str], str]) -> str:
    """A sealed text masked for `repr`, which must never fail: '?' when there is none or it does not open."""
    try:
        value = getattr(row, name)
    except (VaultError, AttributeError):
        return "?"
    return mask(value) if isinstance(value, str) else "?"


def sealed_attributes(model: type[Any]) -> Iterator[Sealed[Any]]:
    """Every sealed attribute of a mapped class."""
    for owner in model.__mro__:
        yield from (value for value in vars(owner).values() if isinstance(value, Sealed))


@checked_function
def sealed_values(session: AsyncSession, model: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Column values for a plain INSERT: sealed attributes named in `values`, which must hold the `id`, are sealed."""
    vault, row_id = vault_of(session), values.get("id")
    if not isinstance(row_id, str):
        raise InvalidInput("the values hold no id", field="values")
    stored = dict(values)
    for attribute in sealed_attributes(model):
        if attribute.name in stored:
            stored |= attribute.stored(vault, stored.pop(attribute.name), row_id)
    return stored


@checked_function
def vault_of(session: AsyncSession) -> Vault:
    """The vault the session was opened with; raises VaultMissing."""
    vault = session.info.get(VAULT)
    if not isinstance(vault, Vault):
        raise VaultMissing("the database was opened without a vault")
    return vault


def _vault_of_row(row: Any) -> Vault:
    vault = row.__dict__.get(_OF_ROW)
    if not isinstance(vault, Vault):
        raise VaultMissing(f"a {type(row).__name__} was loaded without a vault")
    return vault


@event.listens_for(SealedRow, "load", propagate=True)
def _loaded(row: Any, context: QueryContext) -> None:
    row.__dict__[_OF_ROW] = context.session.info.get(VAULT)


@event.listens_for(SealedRow, "before_insert", propagate=True)
def _inserting(_mapper: Mapper[Any], _connection: Connection, row: Any) -> None:
    session = object_session(row)
    assert session is not None, "a row is inserted by a session"
    row.__dict__[_OF_ROW] = session.info.get(VAULT)
    waiting = row.__dict__.pop(_WAITING, {})
    if not waiting:
        return
    if row.id is None:
        row.id = new_id()
    vault = _vault_of_row(row)
    for attribute in sealed_attributes(type(row)):
        if attribute.name in waiting:
            for name, stored in attribute.stored(vault, waiting[attribute.name], row.id).items():
                setattr(row, name, stored)
