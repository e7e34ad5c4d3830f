"""What would annoy whoever sits before the page for eight hours: lost focus, lost words, clocks that lie, silence."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from bot.conversation.staffing import Asking
from desk.reasons import REASON_TEXT
from tests.desk.test_page import _claim, _sit, browser

__all__ = ["browser"]
pytestmark = pytest.mark.browser

NOTICES = """
  window.shown = [];
  window.Notification = class extends EventTarget {
    static permission = "granted";
    constructor(title, { body }) { super(); window.shown.push(body); }
    close() {}
  };
  Object.defineProperty(document, "hidden", { get: () => window.away === true });
"""

# What sticks out of the page to the side, or out of a box that does not scroll.
WIDER = """() => [...document.querySelectorAll("body *")].filter((node) => {
  const box = node.getBoundingClientRect();
  return box.width && node.checkVisibility() && (box.right > innerWidth + 1 || box.left < -1);
}).map((node) => node.outerHTML.slice(0, 80))"""


async def _wait_for(world: Any, conversation_id: str, reason: str, said: str) -> None:
    """A customer with a case, as the hub opens one."""
    async with world.db.transaction() as session:
        asking = Asking(conversation_id, None, "web", reason)
        place = await world.desk.place(session, asking)
        await world.desk.queued(session, asking, place)
    world.hub.add(conversation_id, said, reason=reason)


async def test_the_focus_stays_on_its_card_while_others_come_and_go(world: Any, browser: Browser) -> None:
    for number in range(3):
        world.hub.add(f"c{number}", f"第{number}位")
        world.clock.advance(seconds=1)
    page = await _sit(world, browser)
    claims = page.get_by_test_id("claim")
    await expect(claims).to_have_count(3)
    await claims.nth(1).focus()
    first = world.hub.conversations["c0"]
    first.owner, first.agent_id = "agent", "li"
    world.hub.events.publish("*", {"type": "queue"})
    await expect(claims).to_have_count(2)
    await expect(claims.first).to_be_focused()
    await expect(page.get_by_test_id("queue-item").first).to_contain_text("第1位")


async def test_waits_are_the_bank_s_whatever_this_computer_s_clock_says(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "在吗")  # the desk's clock stands weeks before the browser's
    page = await _sit(world, browser)
    await _claim(page)
    await expect(page.locator("#talk-sub")).to_have_text(re.compile(r"^等您回复 [0-3]:\d\d$"))
    await expect(page.locator(".day")).to_have_text("今天")
    await page.get_by_test_id("presence").get_by_text("小休").click()
    await expect(page.get_by_test_id("break-clock")).to_have_text(re.compile(r"^[0-3]:\d\d$"))


async def test_a_wait_is_marked_by_what_was_promised_to_this_customer(world: Any, browser: Browser) -> None:
    await _wait_for(world, "c1", "distress", "我很害怕")  # answered within a minute
    await _wait_for(world, "c2", "asked", "在吗")  # within three
    world.clock.advance(seconds=40)
    page = await _sit(world, browser)
    wait = page.locator('[data-conversation="c1"] .wait')
    calm = page.locator('[data-conversation="c2"] .wait')
    await expect(wait).to_have_attribute("data-late", "slow")
    await expect(page.locator('[data-conversation="c1"] .reason')).to_have_css(
        "background-color", "rgb(179, 38, 30)"
    )
    world.clock.advance(seconds=60)
    await page.reload()
    await expect(wait).to_have_attribute("data-late", "late")
    await expect(calm).to_have_attribute("data-late", "")
    await page.locator('[data-conversation="c1"]').get_by_test_id("claim").click()
    await expect(page.locator("#talk-sub")).to_have_attribute("data-late", "late")


async def test_who_may_not_take_a_customer_reads_why_and_the_key_takes_the_next(
    world: Any, browser: Browser
) -> None:
    async with world.db.transaction() as session:
        agent = await world.desk.agent_named(session, "xiaowang")
        agent.certifications = []
    await _wait_for(world, "c1", "scam", "对方让我转到安全账户")
    await _wait_for(world, "c2", "asked", "在吗")
    page = await _sit(world, browser)
    first = page.locator('[data-conversation="c1"]')
    await expect(first).to_contain_text("需要反诈认证")
    await expect(first.get_by_test_id("claim")).to_be_hidden()
    await page.keyboard.press("c")
    await expect(page.get_by_test_id("transcript")).to_contain_text("在吗")
    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await expect(page.get_by_test_id("toast")).to_contain_text("要由其他同事接待")


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
async def test_with_thirty_waiting_one_s_own_customers_stay_in_view_and_nothing_overflows(
    world: Any, browser: Browser, size: tuple[int, int]
) -> None:
    long = "阿*****·买买提明·吐尔逊江·阿卜杜热西提"
    for number in range(32):
        who = {"name": long if number % 2 else "*伟", "phone": "138****0004", "level": "vip"}
        world.hub.add(f"c{number}", ("很长的话" * 60) if number % 3 else "a" * 400, who=who)
        world.clock.advance(seconds=1)
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = await _sit(world, browser, page=await context.new_page())
    for number in range(2):
        await page.get_by_test_id("claim").first.click()
        await expect(page.get_by_test_id("mine-item")).to_have_count(number + 1)
        await expect(page.get_by_test_id("queue-item")).to_have_count(31 - number)
    await page.get_by_test_id("queue-item").last.scroll_into_view_if_needed()
    for number in range(2):
        await expect(page.get_by_test_id("mine-item").nth(number)).to_be_in_viewport(ratio=1)
    await expect(page.locator("#queue-title")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_test_id("agent-send")).to_be_in_viewport(ratio=1)
    assert await page.evaluate(WIDER) == []


async def test_with_long_shortcuts_the_way_to_the_canned_replies_stays_in_view(
    world: Any, browser: Browser
) -> None:
    world.hub.add("c1", "在吗")
    page = await world.seated("xiaowang")
    for number in range(6):
        reply = {"shortcut": f"一条名字特别特别长的常用语{number}", "text": "好", "scope": "own"}
        assert (await page.post("/replies", reply))[0] == 200
    sitting = await _sit(world, browser)
    await _claim(sitting)
    manage = sitting.get_by_test_id("canned-manage")
    await expect(manage).to_be_in_viewport(ratio=1)
    await manage.click()
    await expect(sitting.get_by_test_id("replies")).to_be_visible()


async def test_of_many_colleagues_those_who_can_take_the_customer_stand_first(
    world: Any, browser: Browser
) -> None:
    async with world.db.transaction() as session:
        for number in range(24):
            await world.desk.add_agent(session, f"a{number:02}", f"一位同事{number}", "", team="信贷组")
    world.hub.add("c1", "在吗")
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    page = await _sit(world, browser, page=await context.new_page())
    await world.seated("xiaoli")
    await _claim(page)
    await page.keyboard.press("Alt+t")
    choices = page.get_by_test_id("dialog-to").locator("label")
    await expect(choices.first).to_contain_text("小李")
    await expect(page.get_by_test_id("to-agent:xiaoli")).to_be_focused()
    await expect(page.get_by_test_id("dialog-ok")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_test_id("dialog-cancel")).to_be_in_viewport(ratio=1)


async def test_a_ticket_that_somebody_works_on_still_shows_its_number(world: Any, browser: Browser) -> None:
    async with world.db.transaction() as session:
        await world.desk.create_ticket(session, "c9", None, "13800000002", "请回电")
    page = await _sit(world, browser)
    await page.get_by_test_id("tab-tickets").click()
    card = page.get_by_test_id("ticket-item")
    await card.locator("button").click()
    await page.get_by_test_id("ticket-reveal").click()
    await expect(card).to_contain_text("小王处理中")
    cut = "node => node.scrollWidth > node.clientWidth"
    assert not await card.locator('[data-part="phone"]').evaluate(cut)


async def test_an_answered_customer_is_no_longer_marked_as_waiting_long(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "在吗")
    world.clock.advance(seconds=400)
    page = await _sit(world, browser)
    await _claim(page)
    wait = page.get_by_test_id("mine-item").locator(".wait")
    await expect(wait).to_have_attribute("data-late", "late")
    await page.get_by_test_id("agent-composer").fill("在的")
    await page.keyboard.press("Enter")
    await expect(wait).to_have_text("")
    assert await wait.get_attribute("data-late") is None


async def test_a_notice_that_comes_again_is_shown_once(world: Any, browser: Browser) -> None:
    page = await _sit(world, browser)
    for _ in range(3):
        await page.keyboard.press("c")
    await page.get_by_test_id("tab-tickets").press("m")
    await expect(page.get_by_test_id("replies")).to_be_visible()  # everything before it has been done
    await expect(page.get_by_test_id("toast")).to_have_count(1)


@pytest.mark.parametrize("width", [1024, 1280, 1920])
async def test_a_notice_covers_neither_what_is_being_written_nor_the_button_that_sends_it(
    world: Any, browser: Browser, width: int
) -> None:
    world.hub.add("c1", "在吗")
    context = await browser.new_context(viewport={"width": width, "height": 800})
    page = await _sit(world, browser, page=await context.new_page())
    await _claim(page)
    await world.hub.whisper(
        "c1", ("boss", "陈主管"), "先向客户道歉，再说明这张卡为什么在外地的机器上用不了" * 2
    )
    await expect(page.get_by_test_id("toast")).to_be_visible()
    notice = await page.get_by_test_id("toast").bounding_box()
    composer = await page.locator("#composer").bounding_box()
    assert notice and composer
    beside = (
        notice["x"] >= composer["x"] + composer["width"] or notice["x"] + notice["width"] <= composer["x"]
    )
    assert beside, (notice, composer)


async def test_half_written_words_are_given_back_when_the_customer_leaves(
    world: Any, browser: Browser
) -> None:
    for number in (1, 2):
        world.hub.add(f"c{number}", "在吗")
    page = await _sit(world, browser)
    await _claim(page)
    await page.get_by_test_id("claim").click()
    await expect(page.get_by_test_id("mine-item")).to_have_count(2)
    await expect(page.get_by_test_id("agent-composer")).to_be_focused()
    world.hub.say(
        "c2", "customer", "我", "还在吗"
    )  # once it is heard here, the server has named them as ours
    await expect(page.get_by_test_id("transcript")).to_contain_text("还在吗")
    await page.keyboard.type("您的卡是因为")
    gone = world.hub.conversations["c2"]
    gone.owner, gone.agent_id = "closed", None
    world.hub.events.publish("c2", {"type": "state"})
    await expect(page.get_by_test_id("toast").filter(has_text="没有发给客户：您的卡是因为")).to_be_visible()
    await expect(page.get_by_test_id("mine-item").locator("button")).to_be_focused()


async def test_who_looks_elsewhere_is_told_outside_the_page_and_on_the_tab(
    world: Any, browser: Browser
) -> None:
    page = await (await browser.new_context()).new_page()
    await page.add_init_script(NOTICES)
    await _sit(world, browser, page=page)
    await page.get_by_test_id("tab-tickets").click()
    world.hub.add("c1", "在吗", who={"name": "*伟", "phone": "138****0004", "level": "gold"})
    await expect(page.get_by_test_id("toast")).to_contain_text("新的客户在排队：*伟")
    await expect(page.locator("#badge-queue")).to_have_text("1")
    assert await page.evaluate("shown.length") == 0, "they were looking"
    await page.evaluate("away = true")
    world.hub.add("c2", "有人吗")
    await expect(page.locator("#badge-queue")).to_have_text("2")
    assert await page.evaluate("shown.join()") == "新的客户在排队：未登录访客，客户要求。共2位。"
    await page.get_by_test_id("tab-talks").click()
    await _claim(page)
    await world.hub.whisper("c1", ("boss", "陈主管"), "先道歉")
    await expect(page.get_by_test_id("toast").filter(has_text="先道歉")).to_be_visible()
    assert await page.evaluate("shown.at(-1)") == "陈主管有一句提示", "who, but not what: others may look"


async def test_a_sound_chosen_on_an_earlier_day_comes_back_with_the_first_key_too(
    world: Any, browser: Browser
) -> None:
    page = await _sit(world, browser)
    sound = page.get_by_test_id("sound")
    await sound.click()
    await expect(sound).to_have_text("提示音：开")
    await page.reload()
    await expect(sound).to_have_text("提示音：关")
    await page.keyboard.press("j")
    await expect(sound).to_have_text("提示音：开")


async def test_nothing_of_a_customer_stays_beside_something_else(world: Any, browser: Browser) -> None:
    world.hub.add("c1", "在吗", who={"name": "*伟", "phone": "138****0004", "level": "gold"})
    async with world.db.transaction() as session:
        await world.desk.create_ticket(session, "c9", None, "13800000002", "请回电")
    page = await _sit(world, browser, "zhuguan")
    await _claim(page)
    await expect(page.get_by_test_id("facts")).to_contain_text("138****0004")
    await page.get_by_test_id("tab-tickets").click()
    await page.get_by_test_id("ticket-item").locator("button").click()
    await expect(page.get_by_test_id("facts")).to_contain_text("回电工单")
    await page.get_by_test_id("tab-board").click()
    await page.get_by_test_id("trail-open").click()
    await expect(page.get_by_test_id("trail-row").first).to_be_visible()
    await expect(page.get_by_test_id("facts")).not_to_contain_text("138****0004")


async def test_an_order_is_told_once_and_its_risk_beside_it(world: Any, browser: Browser) -> None:
    order = {
        "number": "ZG1",
        "kind": "转账",
        "status": "已复述",
        "facts": [["金额", "¥500.00"]],
        "verdict": "人工核实",
        "reasons": ["对方自称公检法"],
        "stopped": True,
    }
    last = order | {"number": "ZG2", "facts": [["金额", "¥60.00"]], "reasons": [], "stopped": False}
    world.hub.add("c1", "在吗", skill="转账", order_number="ZG1", orders=[order, last])
    page = await _sit(world, browser)
    await _claim(page)
    facts = page.get_by_test_id("facts")
    await expect(facts.get_by_test_id("risk")).to_contain_text("对方自称公检法")
    await expect(facts).to_contain_text("¥60.00")
    await expect(facts).not_to_contain_text("¥500.00")
    await expect(facts.get_by_text("ZG1")).to_have_count(1)


# Boxes that scroll up and down only.
SIDEWAYS = """() => {
  const boxes = ".panel, .panel-part, .facts, .facts-block, .talk-head, .composer-top, .card";
  const wide = (node) => node.checkVisibility() && node.scrollWidth > node.clientWidth + 1;
  return [...document.querySelectorAll(boxes)].filter(wide).map((node) => node.outerHTML.slice(0, 80));
}"""
BANK = "掌柜银行股份有限公司上海浦东分行营业部"


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768), (1920, 1080)])
async def test_a_held_order_with_all_that_is_known_and_an_offer_from_afar_fit_the_page(
    world: Any, browser: Browser, size: tuple[int, int]
) -> None:
    names = {"payee": ("收款人", f"*四（{BANK} 尾号8186）"), "when": ("预约到账方式和日期", "")}
    form = [
        {"name": name, "label": label, "shown": shown, "asking": False, "question": "想什么时候到账呢？"}
        for name, (label, shown) in names.items()
    ]
    order = {"number": "ZG2026112653308329", "kind": "转账", "status": "已复述", "facts": [["收款人", BANK]]}
    order |= {"verdict": "人工核实", "reasons": ["对方自称公检法，让客户转到安全账户"], "stopped": True}
    held = {"skill": "转账", "phase": "等坐席核实", "held": True, "form": form, "order_number": "ZG1"}
    world.hub.add("c1", "在吗", who={"name": "*伟", "phone": "138****0004"}, orders=[order], **held)
    await _wait_for(world, "c2", "scam", "对方让我转到安全账户")
    world.hub.conversations["c2"].reason, world.hub.conversations["c2"].team = "agent_absent", BANK
    async with world.db.transaction() as session:
        agent = await world.desk.agent_named(session, "xiaowang")
        for case in await world.desk.cases.under_way(session):
            case.offered_to, case.offered_until = agent.id, world.clock.now() + timedelta(minutes=5)
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = await _sit(world, browser, page=await context.new_page())
    await page.locator('[data-conversation="c1"]').get_by_test_id("claim").click()
    facts = page.get_by_test_id("facts")
    await expect(facts.get_by_test_id("vouch-note")).to_be_visible()
    assert await page.evaluate(SIDEWAYS) == []
    whole = await facts.locator(".facts-block").last.bounding_box()
    value = await facts.locator(".form-value").first.bounding_box()
    assert whole and value and value["width"] > whole["width"] / 2, "the form has the whole column"
    offered = page.locator('[data-conversation="c2"]')
    for button in ("pass", "claim"):
        await expect(offered.get_by_test_id(button)).to_be_in_viewport(ratio=1)


# What every customer waits for at least; whoever waits for more must be told from them at a glance.
PLAIN = {"asked", "transferred", "agent_absent"}


async def test_every_reason_but_a_plain_wish_stands_out_in_the_queue(world: Any, browser: Browser) -> None:
    for code in REASON_TEXT:
        world.hub.add(code, "在吗", reason=code)
    page = await _sit(world, browser)
    await expect(page.get_by_test_id("queue-item")).to_have_count(len(REASON_TEXT))
    shown = {}
    for code, words in REASON_TEXT.items():
        reason = page.locator(f'[data-conversation="{code}"] .reason')
        await expect(reason).to_have_text(words)
        shown[code] = await reason.evaluate("node => getComputedStyle(node).backgroundColor")
    assert {code for code, colour in shown.items() if colour == shown["asked"]} == PLAIN
    assert shown["scam"] == shown["distress"] != shown["complaint"], "where somebody is in danger most of all"


RINGED = """() => {
  const at = document.activeElement;
  const near = [at, at.parentElement, at.nextElementSibling].filter(Boolean);
  const ringed = ({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  const box = at.getBoundingClientRect();
  const inView = box.width > 0 && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1;
  return {
    what: at.outerHTML.slice(0, 90),
    ring: near.some((node) => ringed(getComputedStyle(node))),
    seen: at.matches("input[type=radio]") || inView,
  };
}"""


async def test_every_stop_of_the_tab_key_is_in_view_and_has_a_ring(world: Any, browser: Browser) -> None:
    slots = [{"name": "amount", "label": "金额", "shown": "", "asking": True, "question": "要转多少？"}]
    for number in range(12):
        world.hub.add(
            f"c{number}", "在吗", skill="转账", form=slots, who={"name": "*伟", "phone": "138****0004"}
        )
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    page = await _sit(world, browser, "zhuguan", page=await context.new_page())
    await _claim(page)
    await expect(page.get_by_test_id("fill-amount")).to_be_visible()
    stops = {}
    for _ in range(75):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(RINGED)
        if stop["what"].startswith("<body"):
            continue  # the browser's own bars
        stops[stop["what"]] = (stop["ring"], stop["seen"])
    assert len(stops) > 20
    assert [what for what, (ring, seen) in stops.items() if not (ring and seen)] == []
    for id_ in ("transfer", "hand-back", "close", "composer-text", "canned-manage", "tab-talks", "logout"):
        assert any(f'id="{id_}"' in what for what in stops), id_


async def test_an_alert_leads_to_what_is_late(world: Any, browser: Browser) -> None:
    async with world.db.transaction() as session:
        number = await world.desk.create_ticket(session, "t1", None, "13800000001", "请回电")
    world.clock.advance(seconds=4 * 3600)
    page = await _sit(world, browser, "zhuguan")
    await page.get_by_test_id("tab-board").click()
    await page.get_by_test_id("alert").locator("button").click()
    await expect(page.locator("#ticket")).to_contain_text(number)
    await expect(page.get_by_test_id("tab-tickets")).to_have_attribute("aria-selected", "true")
    await expect(page.locator("#ticket h2")).to_be_focused()
