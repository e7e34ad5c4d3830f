"""One row of the feature list."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from banking_core.risk.features.moment import Moment

Group = Literal[
    "order",
    "amount",
    "habit",
    "payee",
    "velocity",
    "time",
    "device",
    "place",
    "conversation",
    "customer",
    "credentials",
    "login",
]
Unit = Literal[
    "flag", "count", "yuan", "ratio", "share", "std", "days", "hours", "minutes", "s", "hour", "cps", "years"
]
VALUE_MAX = 1e9


@dataclass(frozen=True, slots=True)
class Feature:
    """A named number. `meaning` is what an operator reads; `compute` takes a prepared moment.

    A `flag` is 0 or 1 and counts as true or false in rules.
    """

    name: str
    group: Group
    unit: Unit
    meaning: str
    compute: Callable[[Moment], float]

    @property
    def is_flag(self) -> bool:
        """True when rules use it as a truth value."""
        return self.unit == "flag"


def bounded(value: float) -> float:
    """A finite number between -1e9 and 1e9; what is not a number becomes 0."""
    if math.isfinite(value):
        return min(max(float(value), -VALUE_MAX), VALUE_MAX)
    return math.copysign(VALUE_MAX, value) if math.isinf(value) else 0.0


def flag(name: str, group: Group, meaning: str, compute: Callable[[Moment], object]) -> Feature:
    """A feature that is true or false."""
    return Feature(name, group, "flag", meaning, lambda moment: 1.0 if compute(moment) else 0.0)
