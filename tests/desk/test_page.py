"""The page in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, WebSocketRoute, expect

from desk import DEMO_PASSWORD
from tests.browsers import open_browser

HOSTILE = '<img src=x onerror="document.title=\'hacked\'"><script>document.title="hacked"</script><b>粗</b>'
browser_test = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with open_browser() as browser:
        yield browser


async def _sit(world: Any, browser: Browser, username: str = "xiaowang", page: Page | None = None) -> Page:
    page = page or await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await page.goto(str(world.server.make_url("/desk/")))
    await page.get_by_test_id("desk-user").fill(username)
    await page.get_by_test_id("desk-pass").fill(DEMO_PASSWORD)
    await page.get_by_test_id("desk-login").click()
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    return page


async def _claim(page: Page) -> None:
    await page.get_by_test_id("claim").first.click()
    await expect(page.get_by_test_id("message").first).to_be_visible()


async def _say(page: Page, text: str) -> None:
    await page.get_by_test_id("agent-composer").fill(text)
    await page.get_by_test_id("agent-composer").press("Enter")


def test_no_script_of_the_page_turns_text_into_html() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTML|eval\("
    )
    scripts = [
        entry for entry in files("desk").joinpath("static").iterdir() if entry.name.endswith((".js", ".html"))
    ]
    assert len(scripts) > 5
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert not forbidden.search(text), script.name
        assert not re.search(r"https?://(?!www\.w3\.org)", text), script.name


@browser_test
async def test_html_in_a_customer_s_words_stays_words(world: Any, browser: Browser) -> None:
    conversation = world.hub.add("c1", HOSTILE, who={"name": "*<b>伟</b>", "phone": "1", "level": "vip"})
    card = {
        "kind": "list",
        "title": HOSTILE,
        "facts": [{"label": HOSTILE, "value": HOSTILE}],
        "columns": [HOSTILE],
        "rows": [[HOSTILE]],
        "note": HOSTILE,
    }
    world.hub.say("c1", "bot", "小掌柜", HOSTILE, card=card)
    conversation.facts |= {"skill": HOSTILE, "slots": [[HOSTILE, HOSTILE]]}
    page = await _sit(world, browser)
    await _claim(page)
    await expect(page.get_by_test_id("message").first.locator(".bubble")).to_have_text(HOSTILE)
    await expect(page.get_by_test_id("facts")).to_contain_text("<b>粗</b>")
    for where in ("transcript", "facts", "mine"):
        assert await page.get_by_test_id(where).locator("img, script, b:has-text('粗')").count() == 0
    assert "hacked" not in await page.title()


@browser_test
async def test_html_in_the_queue_a_ticket_or_a_notice_stays_words(world: Any, browser: Browser) -> None:
    conversation = world.hub.add("c1", HOSTILE, reason=HOSTILE, who={"name": HOSTILE, "level": HOSTILE})
    async with world.db.transaction() as session:
        await world.desk.create_ticket(session, "c9", None, "13800000002", HOSTILE)
    page = await _sit(world, browser)
    await expect(page.get_by_test_id("queue-item")).to_contain_text("<script>")

    async def a_colleague_is_faster(route: Route) -> None:
        conversation.owner, conversation.agent_id, conversation.agent_name = "agent", "li", HOSTILE
        await route.continue_()

    await page.route("**/claim", a_colleague_is_faster)
    await page.get_by_test_id("claim").click()
    await expect(page.get_by_test_id("toast")).to_contain_text("<script>")
    await page.get_by_test_id("tab-tickets").click()
    await page.get_by_test_id("ticket-item").locator("button").click()
    await expect(page.locator(".ticket-content")).to_have_text(HOSTILE)
    await page.get_by_test_id("ticket-note").fill(HOSTILE)
    await page.get_by_test_id("ticket-finish").click()
    await expect(page.locator(".ticket-content")).to_have_text([HOSTILE, HOSTILE])
    assert await page.locator("#desk script, #toasts script, img[src=x], b:has-text('粗')").count() == 0
    assert "hacked" not in await page.title()


@browser_test
async def test_a_customer_is_claimed_answered_and_handed_back(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "转人工", who={"name": "*伟", "phone": "138****0004", "level": "gold"})
    page = await _sit(world, browser)
    await expect(page).to_have_title("(1) 掌柜坐席台")
    await expect(page.get_by_test_id("queue-item")).to_contain_text("客户要求")
    await _claim(page)
    await expect(page).to_have_title("掌柜坐席台")
    await expect(page.get_by_test_id("facts")).to_contain_text("138****0004")
    await _say(page, "您好")
    await expect(page.get_by_test_id("transcript")).to_contain_text("您好")
    world.hub.say("c1", "customer", "我", "在的")
    await expect(page.get_by_test_id("transcript")).to_contain_text("在的")
    await page.get_by_test_id("hand-back").click()
    await page.get_by_test_id("dialog-note").fill("已核实")
    await page.get_by_test_id("dialog-ok").click()
    await expect(page.get_by_test_id("transcript")).to_be_hidden()
    assert world.hub.notes_to_customers == [("c1", "已核实")]
    await expect(page.get_by_test_id("mine-item")).to_have_count(0)


@browser_test
async def test_closing_asks_first_and_no_means_no(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "转人工")
    page = await _sit(world, browser)
    await _claim(page)
    await page.get_by_test_id("close").click()
    await page.keyboard.press("Escape")
    assert world.hub.conversations["c1"].owner == "agent"
    await page.get_by_test_id("close").click()
    await expect(page.get_by_test_id("dialog-ok")).to_be_disabled()
    await page.get_by_test_id("wrap_up-done").check()
    await page.get_by_test_id("dialog-ok").click()
    await expect(page.get_by_test_id("mine-item")).to_have_count(0)
    assert world.hub.conversations["c1"].owner == "closed"
    assert world.hub.conversations["c1"].wrap_up == "done"


@browser_test
async def test_the_slower_agent_reads_who_was_faster(world: Any, browser: Browser) -> None:
    conversation = world.hub.add("c1", "转人工")
    page = await _sit(world, browser)
    await expect(page.get_by_test_id("queue-item")).to_have_count(1)

    async def a_colleague_is_faster(route: Route) -> None:
        conversation.owner, conversation.agent_id, conversation.agent_name = "agent", "li", "小李"
        await route.continue_()

    await page.route("**/claim", a_colleague_is_faster)
    await page.get_by_test_id("claim").click()
    await expect(page.get_by_test_id("toast")).to_contain_text("小李已经接了这位客户")
    await expect(page.get_by_test_id("queue-item")).to_have_count(0)


@browser_test
async def test_the_whole_work_is_done_with_the_keyboard(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "转人工")
    page = await (await browser.new_context()).new_page()
    await page.goto(str(world.server.make_url("/desk/")))
    await expect(page.get_by_test_id("desk-user")).to_be_focused()
    await page.keyboard.type("xiaowang")
    await page.keyboard.press("Tab")
    await page.keyboard.type(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("queue-item")).to_have_count(1)
    await page.keyboard.press("Alt+j")
    await expect(page.get_by_test_id("agent-composer")).to_be_focused()
    await expect(page.get_by_test_id("message").first).to_be_visible()
    await page.keyboard.type("第一行")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("第二行")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("transcript")).to_contain_text("第一行\n第二行", use_inner_text=True)
    for _ in range(20):
        await page.keyboard.press("Shift+Tab")
        if await page.evaluate("() => document.activeElement.id") == "close":
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("wrap_up-answered")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("mine-item")).to_have_count(0)
    assert world.hub.conversations["c1"].owner == "closed"


@browser_test
async def test_the_key_takes_a_customer_before_the_page_has_been_told_who_waits(
    world: Any, browser: Browser
) -> None:
    world.hub.add("c1", "转人工")
    page = await (await browser.new_context()).new_page()
    await page.route_web_socket("**/ws", lambda _socket: None)  # a line that says nothing yet
    await page.goto(str(world.server.make_url("/desk/")))
    await page.get_by_test_id("desk-user").fill("xiaowang")
    await page.get_by_test_id("desk-pass").fill(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("agent-name")).to_have_text("小王")
    await page.keyboard.press("c")
    await expect(page.get_by_test_id("message").first).to_be_visible()
    await expect(page.get_by_test_id("agent-composer")).to_be_focused()
    assert world.hub.conversations["c1"].agent_name == "小王"


@browser_test
async def test_the_enter_that_picks_a_word_does_not_send(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "转人工")
    page = await _sit(world, browser)
    await _claim(page)
    composer = page.get_by_test_id("agent-composer")
    await composer.fill("nihao")
    await composer.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await expect(composer).to_have_value("nihao")
    assert [m["sender"] for m in world.hub.conversations["c1"].messages] == ["customer", "system"]


@browser_test
async def test_after_a_broken_line_nothing_is_lost_and_nothing_doubled(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "转人工")
    page = await (await browser.new_context()).new_page()
    lines: list[WebSocketRoute] = []

    def through(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    await page.route_web_socket("**/desk/api/ws", through)
    await _sit(world, browser, page=page)
    await _claim(page)
    await page.context.set_offline(True)
    await lines[-1].close()
    await expect(page.get_by_test_id("link")).not_to_have_text("已连接")
    await _say(page, "断线时说的话")
    world.hub.say("c1", "customer", "我", "断线时客户说的话")
    await expect(page.get_by_test_id("pending")).to_have_count(1)
    await page.context.set_offline(False)
    await expect(page.get_by_test_id("pending")).to_have_count(0, timeout=15_000)
    await expect(page.get_by_test_id("link")).to_have_text("已连接", timeout=15_000)
    bubbles = page.get_by_test_id("transcript").locator(".bubble")
    await expect(bubbles.filter(has_text="断线时客户说的话")).to_have_count(1)
    await expect(bubbles.filter(has_text=re.compile("^断线时说的话$"))).to_have_count(1)
    said = [message["text"] for message in world.hub.conversations["c1"].messages]
    assert said.count("断线时说的话") == 1


@browser_test
async def test_a_customer_opened_while_the_line_is_down_is_there_once_it_is_back(
    world: Any, browser: Browser
) -> None:
    world.hub.add("c1", "转人工")
    page = await (await browser.new_context()).new_page()
    await page.clock.install()
    await _sit(world, browser, page=page)
    await _claim(page)
    await page.reload()
    await expect(page.get_by_test_id("mine-item")).to_have_count(1)
    await page.context.set_offline(True)
    await expect(page.get_by_test_id("link")).not_to_have_text("已连接")
    async with page.expect_event("requestfailed"):
        await page.get_by_test_id("mine-item").locator("button").click()
    await expect(page.locator("#talk-sub")).to_have_text("正在打开对话…")
    await page.clock.fast_forward(4000)  # the page has tried again, and given up until the line is back
    await page.context.set_offline(False)
    await expect(page.get_by_test_id("transcript")).to_contain_text("转人工", timeout=20_000)


@browser_test
async def test_an_answer_lost_on_the_way_does_not_double_the_message(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "转人工")
    page = await _sit(world, browser)
    await _claim(page)
    lost = 0

    async def swallow_first(route: Any) -> None:
        nonlocal lost
        if lost == 0:
            lost += 1
            await route.fetch()  # the server hears it, the page never learns so
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/say", swallow_first)
    await _say(page, "只说一次")
    await expect(page.get_by_test_id("pending")).to_have_count(0, timeout=10_000)
    said = [message["text"] for message in world.hub.conversations["c1"].messages]
    assert lost == 1 and said.count("只说一次") == 1
    await expect(page.locator(".bubble", has_text="只说一次")).to_have_count(1)


@browser_test
async def test_a_break_is_one_click_and_shows_everywhere(world: Any, browser: Browser) -> None:
    wang, li = await _sit(world, browser), await _sit(world, browser, "xiaoli")
    await expect(li.get_by_test_id("on-duty")).to_have_text("在岗 2 人")
    await wang.get_by_test_id("presence").get_by_text("小休").click()
    await expect(li.get_by_test_id("on-duty")).to_have_text("在岗 1 人")
    await expect(wang.get_by_test_id("presence-break")).to_be_checked()


@browser_test
async def test_a_ticket_is_called_back_and_finished(world: Any, browser: Browser) -> None:
    async with world.db.transaction() as session:
        await world.desk.create_ticket(session, "c9", None, "13800000002", "请回电")
    page = await _sit(world, browser)
    await page.get_by_test_id("tab-tickets").click()
    await page.get_by_test_id("ticket-item").locator("button").click()
    await expect(page.get_by_test_id("ticket-phone")).to_have_text("138****0002")
    await page.get_by_test_id("ticket-reveal").click()
    await expect(page.get_by_test_id("ticket-phone")).to_have_text("13800000002")
    await page.get_by_test_id("ticket-note").fill("已回电")
    await page.get_by_test_id("ticket-finish").click()
    await expect(page.get_by_test_id("ticket-item")).to_have_count(0)


@browser_test
async def test_logging_in_elsewhere_says_so_and_shows_nothing_more(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "我的秘密")
    page = await _sit(world, browser)
    await _claim(page)
    await world.seated("xiaowang")
    await expect(page.get_by_test_id("desk-error")).to_contain_text("重新登录")
    await expect(page.get_by_test_id("transcript")).to_be_hidden()
