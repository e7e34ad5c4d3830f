"""/healthz says to a proxy whether customers may be sent here."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncSession

from bot.assembly import Product
from bot.running.server import build_app
from tests.bot.conversation.talking import product

__all__ = ["product"]


async def test_a_process_whose_database_does_not_answer_wants_no_customers(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> AbstractAsyncContextManager[AsyncSession]:
        raise ConnectionRefusedError

    async with TestClient(TestServer(build_app(product))) as browser:
        well = await browser.get("/healthz")
        assert (well.status, await well.json()) == (
            200,
            {"ready": True, "understanding": True, "database": True},
        )
        monkeypatch.setattr(product.database, "snapshot", refused)
        ill = await browser.get("/healthz")
        assert (ill.status, await ill.json()) == (
            503,
            {"ready": False, "understanding": True, "database": False},
        )
