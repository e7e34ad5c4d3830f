"""In a real browser: nothing is offered that would be refused, and why is said in its place."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.desk.test_page import _claim, _sit, browser

__all__ = ["browser"]
pytestmark = pytest.mark.browser
PHONE = "13800000002"


async def _certify(world: Any, username: str, *certifications: str) -> None:
    async with world.db.transaction() as session:
        (await world.desk.agent_named(session, username)).certifications = list(certifications)


async def test_a_ticket_that_a_colleague_works_on_offers_no_act_but_to_who_leads(
    world: Any, browser: Browser
) -> None:
    async with world.db.transaction() as session:
        number = await world.desk.create_ticket(session, "c9", None, PHONE, "请回电")
    li = await world.seated("xiaoli")
    await li.post(f"/tickets/{number}/phone")
    for username, may in (("xiaowang", False), ("zhuguan", True)):
        page = await _sit(world, browser, username)
        await page.get_by_test_id("tab-tickets").click()
        await page.get_by_test_id("ticket-item").locator("button").click()
        await expect(page.get_by_test_id("ticket-busy")).to_contain_text("小李正在处理这张工单")
        await expect(page.get_by_test_id("ticket-reveal")).to_have_count(int(may))
        await expect(page.get_by_test_id("ticket-put-back")).to_have_count(int(may))
        await expect(page.get_by_test_id("ticket-finish")).to_have_count(0)
    await page.get_by_test_id("ticket-reveal").click()
    await expect(page.get_by_test_id("ticket-phone")).to_have_text(PHONE)
    await page.get_by_test_id("ticket-note").fill("已回电")
    await page.get_by_test_id("ticket-finish").click()
    await expect(page.locator("#ticket")).to_contain_text("已办结工单")


async def test_only_a_certified_agent_who_has_called_is_asked_who_it_was(
    world: Any, browser: Browser
) -> None:
    async with world.db.transaction() as session:
        await world.desk.owe_call(session, "c9", "customer-1", PHONE, "risk")
    await _certify(world, "xiaowang")
    page = await _sit(world, browser)
    await page.get_by_test_id("tab-tickets").click()
    card = page.get_by_test_id("ticket-item").locator("button")
    await card.click()
    await expect(page.get_by_test_id("ticket-unsettled")).to_contain_text("要由有“反诈认证”的同事来做")
    await _certify(world, "xiaowang", "anti_fraud")
    await page.reload()
    await page.get_by_test_id("tab-tickets").click()
    await card.click()
    await expect(page.get_by_test_id("ticket-unsettled")).to_contain_text("打过电话以后")
    await page.get_by_test_id("ticket-reveal").click()
    await expect(page.get_by_test_id("ticket-verdict")).to_be_visible()
    await expect(page.get_by_test_id("ticket-phone")).to_have_text(PHONE)


async def test_who_may_not_vouch_for_a_customer_reads_who_may(world: Any, browser: Browser) -> None:
    await _certify(world, "xiaowang")
    world.hub.add("c1", "在吗", skill="转账", phase="等坐席核实", held=True)
    page = await _sit(world, browser)
    await _claim(page)
    await expect(page.get_by_test_id("vouch-not")).to_contain_text("反诈认证")
    await expect(page.get_by_test_id("vouch-send")).to_have_count(0)


async def test_an_auditor_s_key_opens_no_list_to_keep(world: Any, browser: Browser) -> None:
    page = await _sit(world, browser, "shenji")
    await page.keyboard.press("m")
    await expect(page.get_by_test_id("toast")).to_contain_text("您的账号只能查看")
    await expect(page.get_by_test_id("replies")).to_be_hidden()


async def test_where_nobody_can_take_a_customer_the_question_says_so(world: Any, browser: Browser) -> None:
    async with world.db.transaction() as session:
        await world.desk.add_agent(session, "xiaozhao", "小赵", "", team="信贷组")
    world.hub.add("c1", "在吗")
    page = await _sit(world, browser)
    await _claim(page)
    await page.keyboard.press("Alt+t")
    await expect(page.locator("#dialog-text")).to_have_text(
        "现在没有同事能接。可以留一条备注，过一会儿再试。"
    )
    await expect(page.get_by_test_id("dialog-to")).to_contain_text("信贷组（没有人在岗）")
