"""What strangers and mistakes hand over, and whether an annotation could ever mean it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)
FIRST, LAST = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))  # noqa: DTZ901
DEEP: list[Any] = []
for _ in range(500):
    DEEP = [DEEP]
HOSTILE: tuple[Any, ...] = (
    # of another type
    None, True, 7, 1.5, "text", b"bytes", object(), [], [None], {}, {1: object()}, (), {"a"}, type, KeyError("k"),
    lambda: None, Decimal(1), Fraction(1, 3), date(2026, 11, 2), NOON, time(12),
    timedelta(days=1), DEEP,
    # sizes and Unicode
    "", " ", "x" * 129, "文" * 30_000, "\0", "a\0b", "\ud800", "\udfff文", "\u202e\u200b", "👨‍👩‍👧‍👦" * 40, "'; --",
    "%_\\", "０１２", "NaN", "-1", "1e400", ["\ud800"] * 3, {"amount_fen": "\0"}, {"\ud800": 1},
    # negative, huge and not a number
    0, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, -0.0, float("nan"), float("inf"), float("-inf"), 1e308,
    Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e99999"), Decimal("-1e-99999"), 1j,
    # times that are none
    date.min, date.max, FIRST, LAST, NOON.replace(tzinfo=None), FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None),
    timedelta.max, timedelta.min,
)  # fmt: skip
PLAIN = (bool, int, float, str, bytes, date, datetime, time, timedelta, Decimal, Fraction, Path, NoneType)
CONTAINERS = (Mapping, dict, Sequence, list, tuple, Collection, set, frozenset, Iterable)


def label(value: object) -> str:
    """A short name of a hostile value."""
    try:
        text = ascii(value)
    except (RecursionError, ValueError):
        text = "deep or huge"
    return f"{type(value).__name__} {text[:40]}"


def is_of_another_type(hint: Any, value: object) -> bool:
    """True when nothing the annotation says could be this value, so that it must be refused.

    False when the annotation allows it, or leaves open what it is (a port, anything).
    """
    kinds = list(_kinds(hint))
    return None not in kinds and type(value) not in kinds and not _is_one_of(kinds, value)


def _is_one_of(kinds: Sequence[type[Any] | None], value: object) -> bool:
    others = [kind for kind in kinds if kind is not None and kind not in PLAIN]
    return any(isinstance(value, kind) for kind in others)


def _kinds(hint: Any) -> Iterator[type[Any] | None]:
    """The types a value may have exactly (plain ones) or by inheritance; None for a hint that leaves it open."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        for part in get_args(hint):
            yield from _kinds(part)
    elif origin is Annotated:
        yield from _kinds(get_args(hint)[0])
    elif origin is Literal:
        yield str
    elif hint is None or hint is NoneType:
        yield NoneType
    elif hint is float:
        yield from (float, int)
    elif origin is Callable or hint is Callable or origin is type or hint is type:
        yield None
    elif isinstance(origin, type):
        yield origin
    elif isinstance(hint, type) and hint is not object and not getattr(hint, "_is_protocol", False):
        yield hint
    else:
        yield None
