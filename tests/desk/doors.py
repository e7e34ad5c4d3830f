"""The desk before the whole product."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from bot.assembly import Product
from desk import DEMO_PASSWORD
from desk.app import build_desk_app
from desk.dependencies import DeskDependencies

PATIENCE_MS = 15_000  # a whole bank on a busy machine


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


async def browse(browser: Browser, door: TestServer, username: str, errors: list[str] | None = None) -> Page:
    """A browser of its own in which this demo agent is logged in; `errors` takes what its scripts complain of."""
    expect.set_options(timeout=PATIENCE_MS)
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    heard = errors if errors is not None else []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda line: heard.append(line.text) if "Content Security" in line.text else None)
    await page.goto(str(door.make_url("/desk/")))
    await page.get_by_test_id("desk-user").fill(username)
    await page.get_by_test_id("desk-pass").fill(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    return page
