"""A bank with customers in it: something to call every public function on, and arguments that would do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.clock import Clock
from banking_core.storage import Base, Database

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
DEPTH_MAX = 6


class World:
    """Instances by class, and good arguments by name and annotation."""

    def __init__(
        self, bank: Bank, database: Database, named: Mapping[str, Any], rows: Sequence[Base]
    ) -> None:
        self.bank, self.database = bank, database
        self._named = named
        self._instances: dict[type[Any], Any] = {}
        self.add(database, bank, *rows)

    def add(self, *things: Any) -> None:
        """Makes things known, with what hangs on them."""
        for thing in things:
            self._walk(thing, DEPTH_MAX)

    def _walk(self, thing: Any, depth: int) -> None:
        kind = type(thing)
        if depth == 0 or not kind.__module__.startswith("banking_core") or kind in self._instances:
            return
        self._instances[kind] = thing
        if isinstance(thing, Base | Enum):
            return
        for held in list(getattr(thing, "__dict__", {}).values()):
            for inner in _inside(held):
                self._walk(inner, depth - 1)

    def instance(self, cls: type[Any]) -> Any:
        """An object of the class or of one derived from it; None when there is none."""
        return next((one for kind, one in self._instances.items() if issubclass(kind, cls)), None)

    def good(self, name: str, hint: Any, session: AsyncSession) -> Any:
        """A value a caller might well give."""
        if hint is AsyncSession:
            return session
        if name in self._named and hint in (str, str | None, int):
            return self._named[name]
        origin = get_origin(hint)
        if origin in (Union, UnionType):
            parts = get_args(hint)
            return None if NoneType in parts else self.good(name, parts[0], session)
        if origin is Annotated:
            return self.good(name, get_args(hint)[0], session)
        if origin is Literal:
            return get_args(hint)[0]
        container: Any = _EMPTY.get(origin or hint)
        if container is not None:
            return container()
        if hint in _PLAIN:
            return _PLAIN[hint]
        return self._object(hint, session)

    def _object(self, hint: Any, session: AsyncSession) -> Any:
        if not isinstance(hint, type):
            return _nothing
        if getattr(hint, "_is_protocol", False):
            return self.bank.clock if hint is Clock else object()
        if (known := self.instance(hint)) is not None:
            return known
        if issubclass(hint, Enum):
            return next(iter(hint))
        if dataclasses.is_dataclass(hint):
            hints = get_type_hints(hint, include_extras=True)
            needed = (
                field
                for field in dataclasses.fields(hint)
                if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            )
            return hint(**{field.name: self.good(field.name, hints[field.name], session) for field in needed})
        return None


async def _nothing(*_args: Any) -> int:
    """A callback that finds nothing to do."""
    return 0


def _inside(held: Any) -> Iterable[Any]:
    if isinstance(held, dict):
        return list(held.values())
    return held if isinstance(held, list | tuple) else [held]


_PLAIN: dict[Any, Any] = {
    str: "text",
    int: 1,
    float: 1.0,
    bool: False,
    bytes: b"bytes",
    date: NOW.date(),
    datetime: NOW,
    time: time(9),
    Decimal: Decimal(1),
    Fraction: Fraction(1),
    Path: Path("nowhere"),
    type(None): None,
}
_EMPTY: dict[Any, Callable[[], Any]] = {
    Mapping: dict,
    dict: dict,
    Sequence: list,
    list: list,
    tuple: tuple,
    Collection: list,
    Iterable: list,
    set: set,
    frozenset: frozenset,
}
