"""The two databases that every test which touches one runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

Engine = Literal["sqlite", "postgresql"]
ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")
CopyOf = Callable[[str], str]


def examples(engine: Engine, on_sqlite: int) -> int:
    """How often a property is tried that makes a database each time: a third as often where making one is dear."""
    return on_sqlite if engine == "sqlite" else max(1, on_sqlite // 3)


def only_on(engine: Engine, reason: str) -> pytest.MarkDecorator:
    """For a test of what one engine alone has or does; `reason` tells the reader what that is."""
    assert reason
    return pytest.mark.parametrize("engine_name", [engine], indirect=True)
