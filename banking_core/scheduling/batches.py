"""Doing a long piece of work in short transactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked_function
from banking_core.storage import Database

ROUNDS_MAX = 10_000


@checked_function
async def drain(
    database: Database, step: Callable[[AsyncSession], Awaitable[int]], *, rounds_max: int = ROUNDS_MAX
) -> int:
    """Repeats `step`, each time in a transaction of its own, until it finds nothing to do; returns the sum.

    A step is tried again when it collides with another transaction, so it must be safe to repeat.
    """
    total = 0
    for _ in range(rounds_max):
        done = await database.run(step, idempotent=True)
        if done == 0:
            break
        total += done
    return total
