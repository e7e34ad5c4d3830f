"""The desk before the whole product."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.assembly import Product
from desk.app import build_desk_app
from desk.dependencies import DeskDependencies


@pytest.fixture
async def door(product: Product) -> AsyncIterator[TestServer]:
    """The desk before the product, with its demo agents."""
    deps = DeskDependencies(
        desk=product.desk,
        hub=product.handoff,
        db=product.database,
        clock=product.clock,
        beat_s=3600,
        complaints=product.bank.complaints,
    )
    app = web.Application()
    app.add_subapp("/desk", build_desk_app(deps))
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()
