"""How long the database took within one task: statements and commits, for the operator's metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_spent_s: ContextVar[list[float] | None] = ContextVar("database_spent_s", default=None)


@contextmanager
def database_time() -> Iterator[list[float]]:
    """Collects seconds spent in the database by this task; sum the list at the end."""
    spent: list[float] = []
    token = _spent_s.set(spent)
    try:
        yield spent
    finally:
        _spent_s.reset(token)


def note(seconds: float) -> None:
    """Adds to the collector of the current task, if there is one."""
    spent = _spent_s.get()
    if spent is not None:
        spent.append(seconds)


def watch(engine: Engine) -> None:
    """Notes the duration of every statement of this engine."""

    def before(_c: Any, _cursor: Any, _sql: Any, _p: Any, context: Any, _m: Any) -> None:
        context.started_at_s = perf_counter()

    def after(_c: Any, _cursor: Any, _sql: Any, _p: Any, context: Any, _m: Any) -> None:
        note(perf_counter() - context.started_at_s)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
