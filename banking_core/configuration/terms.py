"""Reading terms.yml: nested area -> key -> plain value, addressed as `area.key`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from banking_core.checked import checked
from banking_core.configuration.errors import TermsError, UnknownTerm
from banking_core.configuration.files import read_mapping

DEFAULT_PATH = Path(__file__).with_name("terms.yml")
Value = str | int | float | bool | list[Any]
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+(?:\.[a-z0-9_]+)+)\}")
_YUAN_PER_WAN = 10_000


@checked
class Terms:
    """Read-only values by dotted key. Unknown keys raise UnknownTerm."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)

    @classmethod
    def from_mapping(cls, nested: Mapping[Any, Any]) -> Terms:
        """Terms from nested mappings; raises TermsError on a value that is not plain."""
        return cls(dict(_flatten(nested, "")))

    @classmethod
    def load(cls, override: Path | None = None, *, default: Path = DEFAULT_PATH) -> Terms:
        """The packaged terms with a bank's own file over them.

        The override may only change keys that exist, so that a misspelt key shows at start (UnknownTerm).
        """
        terms = cls.from_mapping(read_mapping(default, TermsError))
        if override is None:
            return terms
        own = cls.from_mapping(read_mapping(override, TermsError))
        unknown = sorted(own._values.keys() - terms._values.keys())
        if unknown:
            raise UnknownTerm(f"{override.name} sets unknown terms: {', '.join(unknown)}")
        return cls(terms._values | own._values)

    def value(self, key: str) -> Value:
        """The value as written in the file."""
        try:
            return self._values[key]
        except KeyError:
            raise UnknownTerm(f"no term {key!r}") from None

    def number(self, key: str) -> Decimal:
        """The value as an exact number; raises TermsError when it is none."""
        value = self.value(key)
        if isinstance(value, bool | list):
            raise TermsError(f"term {key!r} is not a number")
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise TermsError(f"term {key!r} is not a number") from None

    def integer(self, key: str) -> int:
        """The value as a whole number (seconds, tries, days)."""
        number = self.number(key)
        if number != number.to_integral_value():
            raise TermsError(f"term {key!r} is not a whole number")
        return int(number)

    def fen(self, key: str) -> int:
        """A `..._yuan` value in fen; raises TermsError on fractions of a fen."""
        if not key.endswith("_yuan"):
            raise TermsError(f"term {key!r} is not an amount in yuan")
        fen = self.number(key) * 100
        if fen != fen.to_integral_value():
            raise TermsError(f"term {key!r} has fractions of a fen")
        return int(fen)

    def require(self, keys: Collection[str]) -> None:
        """Raises UnknownTerm naming every missing key; areas call it when the bank is built."""
        missing = sorted(key for key in keys if key not in self._values)
        if missing:
            raise UnknownTerm(f"missing terms: {', '.join(missing)}")

    def placeholders(self, template: str) -> tuple[str, ...]:
        """The keys a template uses, in order."""
        return tuple(_PLACEHOLDER.findall(template))

    def render(self, template: str) -> str:
        """Fills `{area.key}` placeholders as Chinese readers write the values (50000 yuan -> 5万)."""
        return _PLACEHOLDER.sub(lambda match: self.text(match.group(1)), template)

    def text(self, key: str) -> str:
        """One value as text."""
        return _text(self.value(key), amount=key.endswith("_yuan"))

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> tuple[str, ...]:
        """All keys, sorted."""
        return tuple(sorted(self._values))


def _flatten(nested: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Value]]:
    for key, value in nested.items():
        if not isinstance(key, str):
            raise TermsError(f"key {key!r} under {prefix!r} is not text")
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flatten(value, f"{path}.")
        elif isinstance(value, str | int | float | bool | list):
            yield path, value
        else:
            raise TermsError(f"term {path!r} has a value of type {type(value).__name__}")


def _text(value: Value, *, amount: bool) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_text(item, amount=amount) for item in value)
    if isinstance(value, str):
        return value
    number = Decimal(str(value))
    if amount and number >= _YUAN_PER_WAN and number % 1000 == 0:
        return f"{_plain(number / _YUAN_PER_WAN)}万"
    return _plain(number)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
