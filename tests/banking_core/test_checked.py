from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol

import pytest

from banking_core.checked import AnyText, checked
from banking_core.errors import InvalidInput

NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Place:
    city: str
    number: int = 1


class Port(Protocol):
    def call(self) -> None: ...


class Row:
    """What the database layer hands about."""


@checked
class Service:
    """One of every kind of parameter."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def text(self, value: str, *, other: str | None = None) -> tuple[str, str | None]:
        return value, other

    def typed(self, value: AnyText) -> str:
        return value

    def count(self, value: int) -> int:
        return value

    def switch(self, value: bool) -> bool:
        return value

    def rate(self, value: Decimal | float) -> Decimal | float:
        return value

    def when(self, value: datetime) -> datetime:
        return value

    def day(self, value: date) -> date:
        return value

    def side(self, value: Literal["in", "out"]) -> str:
        return value

    def colour(self, value: Colour) -> Colour:
        return value

    def body(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return value

    def kinds(self, value: Collection[str] | None) -> Collection[str] | None:
        return value

    def places(self, value: Sequence[Place]) -> Sequence[Place]:
        return value

    def row(self, value: Row) -> Row:
        return value

    def port(self, value: Port | None) -> Port | None:
        return value

    @staticmethod
    def alone(value: str) -> str:
        return value

    @classmethod
    def made(cls, value: str) -> Service:
        return cls(value)

    def later(self, value: Later) -> Later:
        return value

    def _inner(self, value: str) -> str:
        return value


class Later:
    """Defined after what names it."""


SERVICE = Service("s")
GOOD: list[tuple[str, Any]] = [
    ("typed", "\ud800\0"),
    ("count", -(2**63 - 1)),
    ("switch", False),
    ("rate", Decimal("7.1")),
    ("rate", 0.5),
    ("when", NOON),
    ("day", date(1900, 1, 1)),
    ("side", "in"),
    ("colour", Colour.RED),
    ("body", {"a": [1, None, {"b": "文"}], "at": NOON}),
    ("kinds", None),
    ("kinds", ("a",)),
    ("kinds", {"a"}),
    ("places", [Place("北京")]),
    ("row", Row()),
    ("port", object()),
    ("alone", "文"),
    ("later", Later()),
    ("_inner", 5),
]
BAD: list[tuple[str, Any]] = [
    ("typed", 5),
    ("count", "5"),
    ("count", True),
    ("count", 5.0),
    ("count", 2**63),
    ("switch", 1),
    ("rate", Decimal("NaN")),
    ("rate", Decimal("1e99999")),
    ("rate", float("inf")),
    ("rate", float("nan")),
    ("when", NOON.replace(tzinfo=None)),
    ("when", datetime.max.replace(tzinfo=UTC)),
    ("when", date(2026, 1, 1)),
    ("day", NOON),
    ("day", date.max),
    ("day", "2026-01-01"),
    ("side", "up"),
    ("colour", "red"),
    ("body", {"a": {"b": ["\0"]}}),
    ("body", {"a": object()}),
    ("body", {1: 2}),
    ("body", [("a", 1)]),
    ("body", {"a": float("nan")}),
    ("kinds", "text"),
    ("kinds", [1]),
    ("places", [Place("\ud800")]),
    ("places", [Place(5)]),  # type: ignore[arg-type]
    ("places", [Place("北京", True)]),
    ("places", [{"city": "北京"}]),
    ("places", 5),
    ("row", "row"),
    ("alone", None),
    ("made", b"bytes"),
    ("later", Row()),
]


@pytest.mark.parametrize(("method", "value"), GOOD)
def test_what_the_annotation_allows_goes_through_as_it_is(method: str, value: Any) -> None:
    assert getattr(SERVICE, method)(value) == value


@pytest.mark.parametrize(("method", "value"), BAD)
def test_everything_else_is_refused_by_the_name_of_the_argument(method: str, value: Any) -> None:
    for arguments in ({"value": value}, [value]):
        with pytest.raises(InvalidInput) as refused:
            if isinstance(arguments, dict):
                getattr(SERVICE, method)(**arguments)
            else:
                getattr(SERVICE, method)(*arguments)
        assert refused.value.field == "value"


@pytest.mark.parametrize("value", [5, None, "a\0b", "\ud83d\ude00", "x" * 20_001])
async def test_an_awaited_method_refuses_before_it_begins(value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        await SERVICE.text("fine", other=value if value is not None else 1)
    assert refused.value.field == "other"
    assert await SERVICE.text("fine", other=None) == ("fine", None)


def test_the_refused_value_is_not_in_the_message() -> None:
    with pytest.raises(InvalidInput) as refused:
        SERVICE.count("a secret")  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_a_loop_of_values_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidInput):
        SERVICE.body({"a": loop})


def test_calling_it_wrongly_is_a_type_error_as_ever() -> None:
    for call in ((), ("a", "b"), ("a", "b", "c")):
        with pytest.raises(TypeError):
            SERVICE.count(*call)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        SERVICE.count(value=1, more=2)  # type: ignore[call-arg]


def test_names_and_docstrings_stay() -> None:
    assert Service.count.__name__ == "count"
    assert SERVICE.made("文").name == "文"
    assert Service.made("文").name == "文"
