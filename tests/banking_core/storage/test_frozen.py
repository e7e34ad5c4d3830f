"""A process that freezes in the middle of a transaction does not keep its locks for ever."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from banking_core.storage import Database
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]
WAIT_S = 30


async def test_a_frozen_transaction_is_ended_and_others_go_on(postgres_url: str) -> None:
    frozen, other = Database(postgres_url, frozen_after_s=1), Database(postgres_url)
    async with other.transaction() as session:
        await session.execute(text("CREATE TABLE one (n INTEGER)"))
        await session.execute(text("INSERT INTO one VALUES (1)"))

    async def freeze() -> None:
        async with frozen.transaction() as session:
            await session.execute(text("UPDATE one SET n = 2"))
            async with (
                asyncio.timeout(WAIT_S),
                other.transaction() as waiting,
            ):  # the frozen one holds the row
                await waiting.execute(text("UPDATE one SET n = n + 10"))
            await session.execute(text("UPDATE one SET n = 3"))

    with pytest.raises(DBAPIError):
        await freeze()
    async with other.snapshot() as session:
        assert await session.scalar(text("SELECT n FROM one")) == 11
    for database in (frozen, other):
        await database.close()
