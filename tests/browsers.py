"""Headless Chromium for the tests of the pages."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

from tests.needs import missing

PATIENCE_MS = 20_000  # what a page may take on a busy machine; Playwright's own five seconds are few
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium_path() -> str:
    """The machine's Chromium; without one the test is skipped, or fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or missing("no Chromium on this machine; setup/test_servers.sh installs it")


@asynccontextmanager
async def open_browser(*flags: str) -> AsyncIterator[Browser]:
    """A running browser, closed at the end; `flags` are further ones of its command line."""
    path = chromium_path()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            await browser.close()
