"""The call button in Chromium, whose microphone is a file, with the whole product behind it: voice, ears, bank."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect
from sqlalchemy import select

from banking_core.customers.models import Customer
from banking_core.identity import LoginDone
from bot.assembly import Product
from bot.channels.phone.audio import SAMPLE_RATE_HZ
from bot.channels.phone.speaking import EspeakSpeaker
from bot.channels.web import COOKIE_NAME
from bot.channels.web.sessions import create_session
from bot.running.phone import Exchange
from bot.running.server import build_app
from tests.bot.channels.phone.demo_bank import product
from tests.browsers import open_browser

__all__ = ["product"]

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
FLAGS = ("--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required")
TURN_MS = 40_000


async def microphone(path: Path, words: str, *, before_s: float, after_s: float) -> str:
    """A microphone into which these words are spoken, again and again; the flag for Chromium."""
    spoken = b"".join([pcm async for pcm in EspeakSpeaker().speak(words, 1.0)]) if words else b""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        rate = SAMPLE_RATE_HZ * 2
        file.writeframes(bytes(int(before_s * rate)) + spoken + bytes(int(after_s * rate)))
    return f"--use-file-for-fake-audio-capture={path}"


async def seat(product: Product, name: str) -> str:
    """The cookie of a customer who has logged in."""
    async with product.database.snapshot() as session:
        customer = next(each for each in await session.scalars(select(Customer)) if each.name == name)
    conversation_id = await product.hub.open("web")
    await product.hub.attach_customer(conversation_id, customer.id, "密码+短信验证码")
    async with product.database.transaction() as session:
        token, _ = await create_session(
            session,
            product.bank.identity.sessions,
            conversation_id=conversation_id,
            login=LoginDone(customer.id, None, "密码+短信验证码"),
        )
    return token


@asynccontextmanager
async def page_of(product: Product, *flags: str, name: str = "", **options: Any) -> AsyncIterator[Page]:
    """The chat page of a running product, in a browser of its own."""
    exchange = Exchange(product)
    server = TestServer(build_app(product, exchange))
    await server.start_server()
    url = str(server.make_url("/"))
    try:
        async with open_browser(*FLAGS, *flags) as browser:
            context = await browser.new_context(
                viewport={"width": 390, "height": 844}, locale="zh-CN", **options
            )
            context.set_default_timeout(20_000)
            if name:
                cookie = {"name": COOKIE_NAME, "value": await seat(product, name), "url": url}
                await context.add_cookies([cookie])  # type: ignore[list-item]
            page = await context.new_page()
            await page.goto(url)
            await page.get_by_test_id("greeting").wait_for()
            yield page
            await context.close()
    finally:
        await server.close()
        await exchange.close()


async def test_a_customer_asks_for_the_balance_by_voice_and_is_told_it(
    product: Product, tmp_path: Path
) -> None:
    """A voice through the microphone, the worklet, the socket, the bundled ears; the answer is spoken and written."""
    flag = await microphone(tmp_path / "said.wav", "查余额", before_s=5.0, after_s=9.0)
    async with page_of(product, flag, "--use-fake-ui-for-media-stream", name="张伟") as page:
        await page.get_by_test_id("dial").click()
        await expect(page.get_by_test_id("call-state")).to_have_text("正在说", timeout=TURN_MS)
        await expect(page.get_by_test_id("call-words")).to_contain_text("掌柜银行")
        await expect(page.get_by_test_id("bubble-customer").first).to_have_text("查余额", timeout=TURN_MS)
        await expect(page.get_by_test_id("bubble-bot").last).to_contain_text("余额")
        await expect(page.get_by_test_id("call-words")).to_contain_text("余额")
        await page.get_by_test_id("call-end").click()
        await expect(page.get_by_test_id("call")).to_be_hidden()
        await expect(page.get_by_test_id("toast")).to_contain_text("通话已结束")
