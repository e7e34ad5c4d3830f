"""The secure page in a real browser, as a person uses it: with the keyboard alone, and its refusals readable."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.bot.channels.wechat.accounts import OPENID
from tests.bot.channels.wechat.site import CODE, PASSWORD, PHONE, Site, add_payee, make_customer, running
from tests.browsers import open_browser

pytestmark = pytest.mark.browser
INTENTS = {"给李静转一百元": "transfer_make", "确认": "affirm", "查余额": "account_balance"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as site:
        site.ears.intents = INTENTS
        site.tencent.line(OPENID)
        await make_customer(site.product)
        yield site


@pytest.fixture
async def page(site: Site) -> AsyncIterator[Page]:
    async with open_browser() as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 760}, locale="zh-CN")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
        await page.goto(f"{site.url}/wechat/page")
        yield page
        assert faults == []


async def log_in(page: Page, password: str = PASSWORD) -> None:
    """Phone, password, Enter: nothing is clicked."""
    await expect(page.locator("#phone")).to_be_focused()
    await page.keyboard.type(PHONE)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")


async def test_one_binds_types_the_code_of_an_order_and_unbinds(site: Site, page: Page) -> None:
    await log_in(page)
    await expect(page.locator("#proof-code")).to_be_focused()
    await expect(page.locator("#proof-words")).to_contain_text("138****0004")
    await page.keyboard.type(CODE)
    await page.keyboard.press("Enter")
    await expect(page.locator("#bound-words")).to_contain_text("*伟")
    await site.settled()
    await add_payee(site)
    follower = site.follower()
    await follower.say("给李静转一百元")
    await follower.say("确认")
    await page.goto(follower.screen[-1].url)
    await expect(page.locator("#secret-code")).to_be_focused()
    await page.keyboard.type(CODE)
    await page.keyboard.press("Enter")
    await expect(page.locator("#done")).to_contain_text("转账成功")
    await expect(page.locator("#secret")).to_be_hidden()
    await page.locator("#unbind").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#done")).to_contain_text("已解除绑定")
    assert (await site.contact()).customer_id is None


async def test_refusals_are_read_where_they_happen_and_the_password_is_not_kept(
    site: Site, page: Page
) -> None:
    await log_in(page, "wrong-password")
    await expect(page.locator("#error")).to_contain_text("还可以再试4次")
    assert await page.locator("#password").input_value() == ""
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("#proof-code").fill("000000")
    await page.keyboard.press("Enter")
    await expect(page.locator("#error")).to_contain_text("验证码不正确，还可以再试2次")
    await page.locator("#proof-code").fill("abc")
    await page.keyboard.press("Enter")
    await expect(page.locator("#error")).to_contain_text("格式不对")


async def test_a_page_left_open_too_long_begins_anew(site: Site, page: Page) -> None:
    await expect(page.locator("#phone")).to_be_focused()
    site.clock.advance(seconds=13 * 3600)
    await log_in(page)
    await expect(page.locator("#phone")).to_be_focused()
    await log_in(page)
    await expect(page.locator("#proof-code")).to_be_focused()
