"""Those who wait, in a real browser: whom one may take just now, and one's own promises that time breaks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.desk.test_comfort import NOTICES, _wait_for
from tests.desk.test_page import _claim, _say, _sit, browser

__all__ = ["browser"]
pytestmark = pytest.mark.browser

TONES = """
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) { window.tones += 1; return start.call(this, at); };
"""
PER_SOUND = 2  # tones


async def _offer(world: Any, conversation_id: str, username: str, seconds: float) -> None:
    """As the routing does it, for so long."""
    async with world.db.transaction() as session:
        agent = await world.desk.agent_named(session, username)
        for case in await world.desk.cases.under_way(session):
            if case.conversation_id == conversation_id:
                case.offered_to = agent.id
                case.offered_until = world.clock.now() + timedelta(seconds=seconds)
    world.hub.events.publish_queue()


def _claim_of(page: Page, conversation_id: str) -> Any:
    return page.locator(f'[data-conversation="{conversation_id}"]').get_by_test_id("claim")


async def _hearing(world: Any, browser: Browser) -> Page:
    """A page with the sound on, whose tones and notices are counted."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await page.add_init_script(NOTICES + TONES)
    await _sit(world, browser, page=page)
    await page.get_by_test_id("sound").click()
    return page


async def test_whom_a_colleague_is_offered_cannot_be_taken_until_that_lapses(
    world: Any, browser: Browser
) -> None:
    await _wait_for(world, "c1", "asked", "我先来的")
    world.clock.advance(seconds=1)
    await _wait_for(world, "c2", "asked", "我后来的")
    await _offer(world, "c1", "xiaoli", 60)
    page = await _sit(world, browser)
    first = page.locator('[data-conversation="c1"]')
    await expect(first).to_contain_text("派给小李")
    await expect(_claim_of(page, "c1")).to_have_attribute("aria-disabled", "true")
    await expect(_claim_of(page, "c2")).not_to_have_attribute("aria-disabled", "true")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    await _claim_of(page, "c1").click(force=True)
    await expect(page.get_by_test_id("toast")).to_contain_text("这位客户正派给小李，")
    assert not [url for url in asked if url.endswith("/claim")], "nobody is asked for a refusal"
    await page.keyboard.press("c")
    await expect(page.get_by_test_id("transcript")).to_contain_text("我后来的")
    await _offer(world, "c1", "xiaoli", 4)
    await expect(first.locator(".offer")).to_have_text(re.compile("^派给小李 · [1-4]秒$"))
    await expect(_claim_of(page, "c1")).not_to_have_attribute("aria-disabled", "true")  # by itself
    await expect(first.locator(".offer")).to_be_hidden()
    world.clock.advance(seconds=4)
    await _claim_of(page, "c1").click()
    await expect(page.get_by_test_id("transcript")).to_contain_text("我先来的")


async def test_who_is_away_or_has_full_hands_reads_so_instead_of_being_refused(
    world: Any, browser: Browser
) -> None:
    async with world.db.transaction() as session:
        (await world.desk.agent_named(session, "xiaowang")).max_load = 1
    for number in (1, 2):
        await _wait_for(world, f"c{number}", "asked", "在吗")
        world.clock.advance(seconds=1)
    page = await _sit(world, browser)
    await page.get_by_test_id("presence").get_by_text("小休").click()
    await expect(_claim_of(page, "c1")).to_have_attribute("aria-disabled", "true")
    await expect(_claim_of(page, "c1")).to_have_attribute("title", "您现在不在岗，请先切换到“在岗”再接客户。")
    await page.get_by_test_id("presence").get_by_text("在岗").click()
    await _claim_of(page, "c1").click()
    await expect(_claim_of(page, "c2")).to_have_attribute("aria-disabled", "true")
    await page.keyboard.press("Alt+j")
    await expect(page.get_by_test_id("toast")).to_contain_text("您正在接待1位客户，已经满了")


async def test_one_s_own_broken_promise_is_heard_and_seen_once(world: Any, browser: Browser) -> None:
    await _wait_for(world, "c1", "distress", "我很害怕")  # answered within a minute
    page = await _hearing(world, browser)
    await _claim(page)
    world.clock.advance(seconds=57)
    await page.reload()  # the page hears the bank's clock
    await page.get_by_test_id("tab-tickets").click()  # they look elsewhere
    await expect(page.get_by_test_id("sound")).to_have_text("提示音：开")
    await page.evaluate("away = true")
    broken = page.get_by_test_id("toast").filter(has_text="等您回复已经超时")
    await expect(broken).to_have_count(1)
    assert await page.evaluate("tones") == PER_SOUND
    assert await page.evaluate("shown.join()") == "未登录访客等您回复已经超时"
    await expect(page).to_have_title("【1位超时】掌柜坐席台")
    own = page.get_by_test_id("mine-item")
    await expect(own.locator("button")).to_have_css("border-top-color", "rgb(179, 38, 30)")
    await page.wait_for_timeout(2500)  # two more looks at the clock
    assert await page.evaluate("tones") == PER_SOUND, "once"
    world.hub.say("c1", "customer", "我", "在吗")  # who asks again has waited no less
    await expect(own).to_contain_text("在吗")
    await expect(own.locator(".wait")).to_have_attribute("data-late", "late")
    await page.get_by_test_id("tab-talks").click()
    await own.locator("button").click()
    await _say(page, "我在")
    await expect(own.locator("button")).not_to_have_css("border-top-color", "rgb(179, 38, 30)")
    await expect(page).to_have_title("掌柜坐席台")


async def test_who_comes_late_already_is_marked_without_another_sound(world: Any, browser: Browser) -> None:
    await _wait_for(world, "c1", "distress", "我很害怕")
    world.clock.advance(seconds=90)
    page = await _hearing(world, browser)
    await _claim(page)
    await expect(page.get_by_test_id("mine-item").locator(".wait")).to_have_attribute("data-late", "late")
    await page.wait_for_timeout(1500)
    assert await page.evaluate("tones") == 0
    await expect(page.get_by_test_id("toast").filter(has_text="超时")).to_have_count(0)


async def test_the_sound_calls_for_those_whom_one_may_take_and_for_each_offer_made_to_oneself(
    world: Any, browser: Browser
) -> None:
    async with world.db.transaction() as session:
        (await world.desk.agent_named(session, "xiaowang")).certifications = []
    page = await _hearing(world, browser)
    await _wait_for(world, "c1", "scam", "对方让我转到安全账户")  # for colleagues with a certification
    await expect(page.get_by_test_id("queue-item")).to_have_count(1)
    assert await page.evaluate("tones") == 0
    await _wait_for(world, "c2", "asked", "在吗")
    await expect(page.get_by_test_id("queue-item")).to_have_count(2)
    assert await page.evaluate("tones") == PER_SOUND
    await _offer(world, "c2", "xiaoli", 60)
    await expect(page.locator(".offer").filter(has_text="派给小李")).to_be_visible()
    assert await page.evaluate("tones") == PER_SOUND, "a colleague's"
    await page.evaluate("away = true")
    await _offer(world, "c2", "xiaowang", 60)
    await expect(page.locator(".offer").filter(has_text="派给您")).to_be_visible()
    assert await page.evaluate("tones") == 2 * PER_SOUND
    assert await page.evaluate("shown.at(-1)") == "派给您一位客户：未登录访客，客户要求。共2位。"
