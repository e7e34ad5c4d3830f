"""What helps an agent along, in a real browser, most of it by keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.desk.test_page import HOSTILE, _claim, _sit, browser
from tests.desk.test_staff import Answers, Cards, Hit

__all__ = ["browser"]
pytestmark = pytest.mark.browser

FORM = [
    {"name": "payee", "label": "收款人", "shown": "*四", "asking": False, "question": "转给谁？"},
    {"name": "amount", "label": "金额", "shown": "", "asking": True, "question": "要转多少？"},
]
WHO = {"name": "*伟", "phone": "138****0004", "level": "gold"}


def _waiting(world: Any, conversation_id: str = "c1", *said: str, **facts: Any) -> Any:
    world.desk.cards = Cards()
    object.__setattr__(world.deps, "answers", Answers())
    conversation = world.hub.add(conversation_id, *(said or ("手续费多少",)), who=WHO, **facts)
    conversation.customer_id = "customer-1"
    return conversation


async def _press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def test_a_whole_service_by_keyboard_alone(world: Any, browser: Browser) -> None:
    """Claim, suggested answer edited, note, proposal, canned reply, close with its result: no mouse."""
    conversation = _waiting(world, skill="转账", form=FORM)
    page = await _sit(world, browser)
    composer = page.get_by_test_id("agent-composer")
    await expect(page.get_by_test_id("queue-item")).to_have_count(1)
    await _press(page, "c")
    await expect(composer).to_be_focused()
    await expect(page.get_by_test_id("suggestion")).to_have_count(3)
    await _press(page, "Alt+1")
    await expect(composer).to_have_value("答0")
    await page.keyboard.type("，您看可以吗")
    assert all(message["sender"] != "agent" for message in conversation.messages), "nothing is sent by itself"
    await _press(page, "Enter")
    await expect(page.locator(".line.agent .bubble")).to_have_text("答0，您看可以吗")

    await _press(page, "Alt+n")
    await page.keyboard.type("客户耳背")
    await _press(page, "Enter")
    await expect(page.get_by_test_id("note")).to_contain_text("客户耳背")
    await expect(composer).to_be_focused()

    await _press(page, "Alt+p")
    await expect(page.get_by_test_id("fill-amount")).to_be_focused()
    await page.keyboard.type("500")
    await _press(page, "Enter")
    await expect(page.get_by_test_id("proposal")).to_contain_text("500")
    await expect(page.locator(".line.agent .bubble").last).to_have_text("我帮您填了：500")

    await _press(page, "Escape", "/")
    await page.keyboard.type("再见")
    await expect(page.get_by_test_id("canned-item")).to_have_count(1)
    await _press(page, "Enter")
    await expect(composer).to_have_value("感谢您的耐心，祝您生活愉快，再见。")
    await _press(page, "Enter", "Alt+e")
    await expect(page.get_by_test_id("wrap_up-answered")).to_be_focused()
    await _press(page, "ArrowDown", "Enter")
    await expect(page.get_by_test_id("mine-item")).to_have_count(0)
    assert (conversation.owner, conversation.wrap_up) == ("closed", "done")
    said = [message["text"] for message in conversation.messages if message["sender"] == "agent"]
    assert said == ["答0，您看可以吗", "我帮您填了：500", "感谢您的耐心，祝您生活愉快，再见。"]


async def test_one_walks_through_the_lists_with_j_and_k(world: Any, browser: Browser) -> None:
    for number in range(3):
        _waiting(world, f"c{number}")
    page = await _sit(world, browser)
    cards = page.get_by_test_id("claim")
    await expect(cards).to_have_count(3)
    await _press(page, "j", "j")
    await expect(cards.nth(1)).to_be_focused()
    await _press(page, "ArrowDown")
    await expect(cards.nth(2)).to_be_focused()
    await _press(page, "k", "Enter")
    await expect(page.get_by_test_id("agent-composer")).to_be_focused()
    assert world.hub.conversations["c1"].owner == "agent"
    await _press(page, "Escape")
    await expect(page.get_by_test_id("mine-item").locator("button")).to_be_focused()
    await page.get_by_test_id("agent-composer").fill("")
    await page.get_by_test_id("agent-composer").focus()
    await page.keyboard.type("jkctbe?1")
    await expect(page.get_by_test_id("agent-composer")).to_have_value("jkctbe?1"), "letters are letters here"


async def test_from_an_open_ticket_one_goes_on_to_the_next_by_keyboard(world: Any, browser: Browser) -> None:
    async with world.db.transaction() as session:
        for number in range(3):
            await world.desk.create_ticket(session, f"t{number}", None, f"1380000000{number}", "请回电")
    page = await _sit(world, browser)
    await page.get_by_test_id("tab-tickets").focus()
    await _press(page, "Enter")
    cards = page.get_by_test_id("ticket-item").locator("button")
    await expect(cards).to_have_count(3)
    await _press(page, "j", "j", "Enter")
    await expect(cards.nth(1)).to_have_attribute("aria-current", "true")
    await expect(page.locator("#ticket h2")).to_be_focused()
    await _press(page, "Tab", "Tab")
    await expect(page.get_by_test_id("ticket-note")).to_be_focused()
    await _press(page, "Escape")
    await expect(cards.nth(1)).to_be_focused()
    await page.locator("#ticket h2").focus()
    await _press(page, "j", "Enter")
    await expect(cards.nth(2)).to_have_attribute("aria-current", "true")


async def test_the_help_lists_the_keys_and_closes_with_escape(world: Any, browser: Browser) -> None:
    page = await _sit(world, browser)
    await _press(page, "?")
    await expect(page.get_by_test_id("help")).to_be_visible()
    await expect(page.locator("#help-keys dt")).not_to_have_count(0)
    for words in ("结束服务", "转接", "常用语", "建议的回答"):
        await expect(page.get_by_test_id("help")).to_contain_text(words)
    await _press(page, "Escape")
    await expect(page.get_by_test_id("help")).to_be_hidden()


async def test_a_note_never_goes_the_customer_s_way(world: Any, browser: Browser) -> None:
    conversation = _waiting(world)
    page = await _sit(world, browser)
    await _claim(page)
    await page.get_by_test_id("mode-note").click()
    await page.get_by_test_id("agent-composer").fill("只给同事看")
    await page.get_by_test_id("agent-send").click()
    await expect(page.get_by_test_id("note")).to_contain_text("客户看不到")
    assert [note["text"] for note in conversation.staff_notes] == ["只给同事看"]
    assert "只给同事看" not in str(conversation.messages)
    await page.get_by_test_id("agent-composer").fill("给客户的话")
    await _press(page, "Enter")
    await expect(page.locator(".line.agent .bubble")).to_have_text("给客户的话")


async def test_the_card_opens_masked_and_shows_a_field_when_asked(world: Any, browser: Browser) -> None:
    _waiting(world)
    page = await _sit(world, browser)
    await _claim(page)
    await expect(page.get_by_test_id("card")).to_have_count(0)
    await _press(page, "Alt+i")
    await expect(page.get_by_test_id("card-name")).to_have_text("*伟")
    await expect(page.get_by_test_id("card")).to_contain_text("尾号6789")
    await page.get_by_test_id("unmask-phone").click()
    await expect(page.get_by_test_id("card-phone")).to_have_text("13800000004")
    await expect(page.get_by_test_id("card-name")).to_have_text("*伟")


async def test_what_is_being_filled_in_survives_news(world: Any, browser: Browser) -> None:
    conversation = _waiting(world, skill="转账", form=FORM)
    page = await _sit(world, browser)
    await _claim(page)
    field = page.get_by_test_id("fill-amount")
    await field.focus()
    await page.keyboard.type("五")
    conversation.facts["topics"] = ["转账", "查余额"]
    world.hub.say("c1", "customer", "我", "在吗")
    world.hub.events.publish("c1", {"type": "state"})
    await expect(page.get_by_test_id("facts")).to_contain_text("查余额")
    await expect(field).to_be_focused()
    await page.keyboard.type("百")
    await expect(field).to_have_value("五百")


async def test_suggestions_come_without_moving_anything(world: Any, browser: Browser) -> None:
    _waiting(world, "c1", "你好")
    page = await _sit(world, browser)
    await _claim(page)
    await expect(page.get_by_test_id("suggest")).to_contain_text("知识库里没有合适的回答")
    before = await page.get_by_test_id("agent-composer").bounding_box()
    world.hub.say("c1", "customer", "我", "手续费多少")
    await expect(page.get_by_test_id("suggestion")).to_have_count(3)
    assert await page.get_by_test_id("agent-composer").bounding_box() == before


async def test_a_customer_is_passed_to_a_colleague_who_is_told(world: Any, browser: Browser) -> None:
    _waiting(world)
    wang, li = await _sit(world, browser), await _sit(world, browser, "xiaoli")
    await _claim(wang)
    await _press(wang, "Alt+t")
    await expect(wang.get_by_test_id("to-agent:xiaoli")).to_be_focused()
    await expect(wang.get_by_test_id("to-agent:zhuguan")).to_be_disabled()
    await wang.get_by_test_id("to-agent:xiaoli").check()
    await expect(wang.get_by_test_id("dialog-ok")).to_be_disabled()
    await wang.get_by_test_id("dialog-note").fill("要改手机号")
    await wang.get_by_test_id("dialog-ok").click()
    await expect(wang.get_by_test_id("mine-item")).to_have_count(0)
    await expect(li.get_by_test_id("toast")).to_contain_text("转来一位客户")
    await expect(li).to_have_title("【1条新消息】掌柜坐席台")
    await li.get_by_test_id("mine-item").locator("button").click()
    await expect(li.get_by_test_id("note")).to_contain_text("要改手机号")
    await expect(li).to_have_title("掌柜坐席台")


async def test_new_words_show_in_the_title_and_on_the_card_until_they_are_read(
    world: Any, browser: Browser
) -> None:
    for number in (1, 2):
        _waiting(world, f"c{number}")
    page = await _sit(world, browser)
    await expect(page.get_by_test_id("queue-item")).to_have_count(2)
    await _press(page, "c")
    await expect(page.get_by_test_id("agent-composer")).to_be_focused()
    await _press(page, "Alt+c")
    await expect(page.get_by_test_id("mine-item")).to_have_count(2)
    first = page.get_by_test_id("mine-item").first
    await expect(first.locator("button")).not_to_have_attribute("aria-current", "true")
    world.hub.say("c1", "customer", "我", "还在吗")
    await expect(page).to_have_title("【1条新消息】掌柜坐席台")
    await expect(first.locator(".badge")).to_have_text("1")
    await _press(page, "Alt+ArrowUp")
    await expect(page).to_have_title("掌柜坐席台")
    await expect(first.locator(".badge")).to_be_hidden()


async def test_a_word_in_the_ear_is_heard_in_a_page_that_was_opened_anew(
    world: Any, browser: Browser
) -> None:
    _waiting(world)
    wang, chen = await _sit(world, browser), await _sit(world, browser, "zhuguan")
    await _claim(wang)
    world.clock.advance(seconds=5)
    await world.hub.whisper("c1", ("boss", "陈主管"), "早先的话")
    await expect(wang.get_by_test_id("note")).to_have_count(1)
    world.clock.advance(seconds=5)
    await wang.reload()
    await expect(wang.get_by_test_id("mine-item")).to_have_count(1)
    world.clock.advance(seconds=5)
    await chen.get_by_test_id("tab-floor").click()
    await chen.get_by_test_id("floor-item").locator("button").click()
    await chen.get_by_test_id("whisper-text").fill("先道歉")
    await _press(chen, "Enter")
    await expect(wang.get_by_test_id("toast")).to_have_text("陈主管提示（*伟）：先道歉×")
    await expect(wang.get_by_test_id("mine-item").locator(".badge")).to_be_visible()


async def test_an_answer_for_one_customer_is_not_offered_for_the_next(world: Any, browser: Browser) -> None:
    _waiting(world)
    _waiting(world, "c2", "你好")
    page = await _sit(world, browser)
    for number in (1, 2):
        await page.locator(f'[data-conversation="c{number}"]').get_by_test_id("claim").click()
        await expect(page.get_by_test_id("mine-item")).to_have_count(number)
    await _press(page, "Alt+ArrowUp")
    await expect(page.get_by_test_id("suggestion")).to_have_count(3)
    await page.route("**/suggestions", lambda _route: None)  # the answer for the next is long in coming
    await _press(page, "Alt+ArrowDown")
    await expect(page.get_by_test_id("transcript")).to_contain_text("你好")
    await expect(page.get_by_test_id("suggestion")).to_have_count(0)
    await _press(page, "Alt+1")
    await expect(page.get_by_test_id("agent-composer")).to_have_value("")


async def test_a_supervisor_watches_whispers_and_takes_over(world: Any, browser: Browser) -> None:
    conversation = _waiting(world)
    wang, chen = await _sit(world, browser), await _sit(world, browser, "zhuguan")
    await expect(wang.get_by_test_id("tab-floor")).to_be_hidden()
    await _claim(wang)
    await chen.get_by_test_id("tab-floor").click()
    await chen.get_by_test_id("floor-item").locator("button").click()
    await expect(chen.get_by_test_id("watch-log")).to_contain_text("手续费多少")
    await expect(chen.get_by_test_id("watch-sub")).to_contain_text("小王正在接待")
    await chen.get_by_test_id("whisper-text").fill("先道歉")
    await _press(chen, "Enter")
    await expect(wang.get_by_test_id("note")).to_contain_text("先道歉")
    await expect(wang.get_by_test_id("toast")).to_contain_text("陈主管提示（*伟）：先道歉")
    assert "道歉" not in str(conversation.messages)
    await chen.get_by_test_id("take-over").click()
    await expect(chen.get_by_test_id("agent-composer")).to_be_focused()
    await expect(wang.get_by_test_id("mine-item")).to_have_count(0)
    assert conversation.agent_name == "陈主管"


async def test_an_auditor_sees_everybody_and_can_press_nothing(world: Any, browser: Browser) -> None:
    _waiting(world)
    wang, auditor = await _sit(world, browser), await _sit(world, browser, "shenji")
    await _claim(wang)
    await expect(auditor.get_by_test_id("presence")).to_be_hidden()
    await expect(auditor.locator("#blank-text")).to_contain_text("不接待客户")
    _waiting(world, "c2")
    await expect(auditor.get_by_test_id("queue-item")).to_be_visible()
    await expect(auditor.get_by_test_id("claim")).to_be_hidden()
    await _press(auditor, "c")
    await expect(auditor.get_by_test_id("toast")).to_contain_text("您的账号只能查看")
    async with world.db.transaction() as session:
        await world.desk.create_ticket(session, "c9", None, "13800000002", "请回电")
    await auditor.get_by_test_id("tab-tickets").click()
    await auditor.get_by_test_id("ticket-item").locator("button").click()
    await expect(auditor.locator("#ticket")).to_contain_text("请回电")
    await expect(auditor.get_by_test_id("facts")).not_to_contain_text("怎么办")
    await expect(auditor.locator("#ticket").get_by_role("button")).to_have_count(0)
    await auditor.get_by_test_id("tab-floor").click()
    await auditor.get_by_test_id("floor-item").first.locator("button").click()
    await expect(auditor.get_by_test_id("watch-log")).to_contain_text("手续费多少")
    await expect(auditor.get_by_test_id("take-over")).to_be_hidden()
    await expect(auditor.get_by_test_id("whisper-text")).to_be_hidden()


async def test_html_in_notes_suggestions_forms_and_cards_stays_words(world: Any, browser: Browser) -> None:
    class Hostile:
        def find(self, text: str, limit: int = 3) -> list[Hit]:
            return [Hit(HOSTILE, HOSTILE, 0.9)]

    form = [{"name": "amount", "label": HOSTILE, "shown": HOSTILE, "asking": False, "question": HOSTILE}]
    order = {
        "number": HOSTILE,
        "kind": HOSTILE,
        "status": HOSTILE,
        "facts": [[HOSTILE, HOSTILE]],
        "verdict": HOSTILE,
        "reasons": [HOSTILE],
        "stopped": True,
    }
    conversation = _waiting(world, "c1", HOSTILE, skill=HOSTILE, form=form, orders=[order])
    conversation.messages[0]["topic"] = HOSTILE
    object.__setattr__(world.deps, "answers", Hostile())
    page = await _sit(world, browser)
    await _claim(page)
    await page.get_by_test_id("mode-note").click()
    await page.get_by_test_id("agent-composer").fill(HOSTILE)
    await page.get_by_test_id("agent-send").click()
    await expect(page.get_by_test_id("note")).to_contain_text("<script>")
    await expect(page.get_by_test_id("suggestion")).to_contain_text("<script>")
    await expect(page.get_by_test_id("risk")).to_contain_text("<script>")
    assert await page.locator("#desk script, img[src=x], b:text-is('粗')").count() == 0
    assert "hacked" not in await page.title()
