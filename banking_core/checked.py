"""The boundary of the bank: what the arguments of a service's public methods may be, checked before anything happens.

    @checked
    class Cards:
        async def own(self, session: AsyncSession, customer_id: str, card_id: str) -> Card: ...

Two things are asked of every argument: it is what its annotation says, strictly (no text for a number, no True for 1;
pydantic decides), and both databases could hold it: text without NUL and lone surrogates and of bounded length, whole
numbers of 64 bits, finite decimals, aware times, years with four digits. Otherwise InvalidInput, naming the argument
and never its value. What an argument means (is there such a customer?) is the method's own business; a row that refers
to one that is not there is refused by the database, and comes back as NotFound.

What people type and nobody stores as it is (a password, a code) is `AnyText`: any text at all is let through, because
what is no code is a wrong code, not a wrong call. `UNREAD` says the same of other annotations: the type alone counts.
"""

from __future__ import annotations

import functools
import inspect
from collections import abc
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError, validate_call
from pydantic_core import CoreSchema, core_schema
from sqlalchemy.exc import IntegrityError

from banking_core.errors import InvalidInput, NotFound

TEXT_LENGTH_MAX = 20_000
INTEGER_MAX = 2**63 - 1
DECIMAL_EXPONENT_MAX = 30
YEARS = range(1900, 9000)
DEPTH_MAX = 20
ITEMS_MAX = 10_000
CONFIG = ConfigDict(
    strict=True, arbitrary_types_allowed=True, allow_inf_nan=False, str_max_length=TEXT_LENGTH_MAX
)
RECEIVERS = ("self", "cls")
CALLED_WRONGLY = ("argument", "arguments")  # how pydantic's names for them end: missing, unexpected, twice
CONTAINERS = (abc.Mapping, list, tuple, set, frozenset, dict)
PLAIN = (bool, int, float, str, Decimal, date, time)
UNREAD = object()
AnyText = Annotated[str, InstanceOf(), UNREAD]
Limit = Annotated[int, Field(ge=0)]  # at most so many; below zero SQLite would give everything
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def checked(cls: type[T]) -> type[T]:
    """Checks the arguments of every public method the class defines."""
    return _checked(cls, None)


def checks_itself(cls: type[T]) -> type[T]:
    """For a class that refuses wrong values with errors of its own: only the session is checked."""
    return _checked(cls, ("session",))


def _checked(cls: type[T], only: Collection[str] | None) -> type[T]:
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, staticmethod | classmethod):
            setattr(cls, name, type(member)(checked_function(member.__func__, only)))
        elif inspect.isfunction(member):
            setattr(cls, name, checked_function(member, only))
    return cls


def checked_function(function: F, only: Collection[str] | None = None) -> F:
    """Checks the arguments of one function, plain or `async`, or `only` those named.

    Raises InvalidInput when it is called.
    """
    parameters = tuple(inspect.signature(function).parameters)

    @functools.cache
    def boundary() -> _Boundary:
        # At the first call: annotations may name what is defined later in the module.
        return _Boundary.of(function, only)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            args, kwargs = boundary().validate(*args, **kwargs)
        except ValidationError as error:
            raise _refusal(error, parameters) from None
        for name, value in (*zip(parameters, args, strict=False), *kwargs.items()):
            if name not in boundary().unread and (reason := unstorable(value)) is not None:
                raise InvalidInput(f"{name}: {reason}", field=name)
        return function(*args, **kwargs)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            try:
                return await wrapper(*args, **kwargs)
            except IntegrityError as error:
                if not _names_nobody(error):
                    raise
                raise NotFound("an argument names a row that is not there") from error

        return awaited  # type: ignore[return-value]
    return wrapper  # type: ignore[return-value]


@dataclass(frozen=True)
class _Boundary:
    """`validate` gives the arguments back as the function may have them; nobody looks into the `unread` ones."""

    validate: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]
    unread: frozenset[str]

    @classmethod
    def of(cls, function: Callable[..., Any], only: Collection[str] | None) -> _Boundary:
        @functools.wraps(function)
        def arguments(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return args, kwargs

        hints = get_type_hints(function, include_extras=True)
        unread = {*RECEIVERS, *(name for name, hint in hints.items() if _is_unread(hint))}
        if only is not None:
            unread |= hints.keys() - set(only)
            hints = {name: hint if name in only else Any for name, hint in hints.items()}
        arguments.__annotations__ = {name: _checkable(hint) for name, hint in hints.items()}
        return cls(validate_call(config=CONFIG)(arguments), frozenset(unread))


def _checkable(hint: Any) -> Any:
    """The annotation as pydantic shall read it.

    A port is whatever the bank is wired with: no instance check could tell. A text is a collection of texts to Python,
    but never what is meant by one. A dataclass or model is asked for by its class; fields are looked at afterwards.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return Union[tuple(_checkable(part) for part in arguments)]  # noqa: UP007
    if getattr(hint, "_is_protocol", False):
        return Callable if "__call__" in vars(hint) else Any
    if origin in (abc.Sequence, Collection):
        item: Any = _checkable(arguments[0])
        ordered = Union[list[item], tuple[item, ...]]  # noqa: UP007
        return ordered if origin is abc.Sequence else Union[ordered, set[item], frozenset[item]]  # noqa: UP007
    if origin is Annotated and UNREAD in hint.__metadata__ and hint != AnyText:
        return _checkable(arguments[0])
    if origin in CONTAINERS:
        return origin[tuple(map(_checkable, arguments))]
    if _has_fields(hint):
        return Annotated[Any, _Instance(hint)]
    return hint


@dataclass(frozen=True)
class _Instance:
    """Asks for the class alone."""

    kind: type[Any]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.is_instance_schema(self.kind)


def _is_unread(hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(map(_is_unread, get_args(hint)))
    return get_origin(hint) is Annotated and UNREAD in hint.__metadata__


def _has_fields(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, BaseModel))


def _names_nobody(error: IntegrityError) -> bool:
    """True for a broken foreign key: SQLSTATE 23503, or SQLite's words."""
    return getattr(error.orig, "sqlstate", None) == "23503" or "FOREIGN KEY" in str(error.orig)


def _refusal(error: ValidationError, parameters: tuple[str, ...]) -> Exception:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for one in found:
        if one["type"].endswith(CALLED_WRONGLY):
            return TypeError(f"{one['loc'][0]}: {one['msg']}")
    place = found[0]["loc"][0]
    name = parameters[place] if isinstance(place, int) else place
    return InvalidInput(f"{name}: {found[0]['msg']}", field=name)


def unstorable(value: object, depth: int = DEPTH_MAX) -> str | None:
    """Why the value, or something within it, cannot be kept in a database; None when it can."""
    match value:
        case None | bool():
            return None
        case str():
            return None if _is_storable_text(value) else "no text that can be stored"
        case int():
            return None if -INTEGER_MAX <= value <= INTEGER_MAX else "more than 64 bits"
        case float():
            return None if isfinite(value) else "no number"
        case Decimal():
            usable = value.is_finite() and abs(value.adjusted()) <= DECIMAL_EXPONENT_MAX
            return None if usable else "no usable number"
        case datetime() if value.tzinfo is None:
            return "a time without a zone"
        case date():
            return None if value.year in YEARS else "the year is out of bounds"
        case Mapping():
            return _any_unstorable((*value.keys(), *value.values()), depth) or _no_json(value)
        case list() | tuple() | set() | frozenset():
            return _any_unstorable(tuple(value), depth)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _wrong_field(value, depth)
    return None


def _no_json(value: object) -> str | None:
    """A mapping holds what can be written down as JSON, or what has checked fields, and no other objects."""
    if isinstance(value, Mapping):
        value = (*value.keys(), *value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return next(filter(None, map(_no_json, value)), None)
    plain = value is None or isinstance(value, PLAIN) or is_dataclass(value)
    return None if plain else "something that is no plain value"


def _is_storable_text(value: str) -> bool:
    if len(value) > TEXT_LENGTH_MAX or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _any_unstorable(values: tuple[object, ...], depth: int) -> str | None:
    if depth == 0 or len(values) > ITEMS_MAX:
        return "too deep or too many"
    return next(filter(None, (unstorable(value, depth - 1) for value in values)), None)


def _wrong_field(value: Any, depth: int) -> str | None:
    """A dataclass does not check what it is made of: pydantic lets it pass as it is."""
    kind: Any = type(value)
    for name, field in _fields(kind).items():
        inner = getattr(value, name)
        try:
            field.validate_python(inner)
        except ValidationError:
            return f"{name} is of another type"
        if (reason := unstorable(inner, depth - 1) if depth else "too deep") is not None:
            return f"{name}: {reason}"
    return None


@functools.cache
def _fields(kind: type[Any]) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: TypeAdapter(_checkable(hints[field.name]), config=CONFIG) for field in fields(kind)}
