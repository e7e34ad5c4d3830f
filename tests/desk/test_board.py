"""What is late and the day in figures, on the real bank with the injected clock; and the page that shows them."""

from __future__ import annotations

import csv
import io
import os
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from banking_core.clock import bank_date
from bot.assembly import Product
from bot.conversation.views import Inbound
from desk.board import Day, Kept, as_csv, board, harmless
from desk.clocks import breaches
from tests.bot.conversation.talking import Talk, product
from tests.browsers import open_browser
from tests.desk.conftest import Page
from tests.desk.doors import browse, door

__all__ = ["door", "product"]


@pytest.fixture
async def wang(product: Product) -> str:
    """小王 is on duty."""
    async with product.database.transaction() as session:
        agent = await product.desk.agent_named(session, "xiaowang")
        assert agent is not None
        await product.desk.set_presence(session, agent.id, "on_duty")
    return agent.id


async def late(product: Product) -> list[tuple[str, str]]:
    async with product.database.snapshot() as session:
        return [(b.kind, b.agent_name) for b in await breaches(session, product.clock.now())]


def wait(product: Product, seconds: float) -> None:
    product.clock.advance(seconds=seconds)  # type: ignore[attr-defined]


async def asks(product: Product, wang: str) -> Talk:
    """A customer who waits for a human; 小王's page is alive."""
    async with product.database.transaction() as session:
        await product.desk.heartbeat(session, wang)
    talk = await Talk(product).begin()
    await talk.say("转人工")
    return talk


async def served(product: Product, wang: str, *, first_s: float, next_s: float = 0) -> Talk:
    """A customer taken at once, answered after `first_s`, and once more after `next_s`."""
    talk = await asks(product, wang)
    await product.handoff.claim(talk.conversation, wang, "小王")
    wait(product, first_s)
    await product.handoff.agent_say(talk.conversation, wang, "您好", "say-0001")
    if next_s:
        await talk.say("卡刷不了")
        wait(product, next_s)
        await product.handoff.agent_say(talk.conversation, wang, "我看看", "say-0002")
    return talk


async def test_each_promise_that_is_broken_shows_until_it_is_made_good(product: Product, wang: str) -> None:
    talk = await Talk(product).begin()
    await talk.say("转人工")
    wait(product, 180)
    assert await late(product) == []
    wait(product, 1)
    assert await late(product) == [("first_reply", "")], "nobody has taken them yet"
    await product.handoff.claim(talk.conversation, wang, "小王")
    assert await late(product) == [("first_reply", "小王")]
    await product.handoff.agent_say(talk.conversation, wang, "您好", "say-0001")
    assert await late(product) == []
    await talk.say("卡刷不了")
    wait(product, 181)
    assert await late(product) == [("next_reply", "小王")]
    await product.handoff.agent_say(talk.conversation, wang, "好的", "say-0002")
    wait(product, 3600)
    assert await late(product) == [("resolution", "小王")]
    await product.handoff.close(talk.conversation, wang)
    assert await late(product) == []


async def test_who_has_to_wait_again_is_owed_a_reply(product: Product, wang: str) -> None:
    """The agent vanished after the first answer; the customer writes on to nobody."""
    talk = await served(product, wang, first_s=10)
    await product.handoff.requeue(talk.conversation, wang, "agent_absent")
    wait(product, 170)
    await talk.say("有人吗")
    assert await late(product) == []
    wait(product, 11)
    assert await late(product) == [("next_reply", "")], "since they wait again, not since they asked again"


async def test_a_call_back_not_made_in_time_is_late(product: Product) -> None:
    async with product.database.transaction() as session:
        await product.desk.create_ticket(session, "c", None, "13800000002", "请回电")
    wait(product, 7200)
    assert await late(product) == []
    wait(product, 1)
    assert await late(product) == [("callback", "")]


async def test_the_day_counts_what_came_and_what_was_kept(product: Product, wang: str) -> None:
    alone = await Talk(product).begin()
    await alone.say("给自己充50话费")
    good = await served(product, wang, first_s=60, next_s=60)
    await product.handoff.close(good.conversation, wang)
    await product.hub.rate(good.conversation, 4, "")
    slow = await served(product, wang, first_s=200, next_s=200)
    left = await asks(product, wang)
    wait(product, 10)
    await left.say("取消排队")
    now = product.clock.now()
    async with product.database.snapshot() as session:
        day = await board(session, now.date(), now)
    assert (day.conversations, day.handed_over, day.solved_alone.percent) == (4, 3, 25.0)
    assert list(day.reasons) == [("客户要求", 3)] and sum(day.hours) == day.hours[10] == 3
    assert dict(day.outcomes) == {"人工办结": 1, "客户取消排队": 1}
    assert (day.first_reply.kept, day.first_reply.of) == (1, 2), "who left in time was promised nothing"
    assert (day.next_reply.kept, day.next_reply.of) == (1, 2)
    assert (day.csat_mean, day.csat_count) == (4.0, 1)
    assert day.replies_mean == 2.0, "of the one that was settled"
    assert (day.wait_mean_s, day.wait_max_s) == (3.3, 10.0), "who gave up waited too"
    assert day.trend[-1][1:] == (4, 3)
    assert slow.conversation in await product.handoff.mine(wang)


async def day_of(product: Product, *, back: int = 0) -> Day:
    now = product.clock.now()
    async with product.database.snapshot() as session:
        return await board(session, bank_date(now) - timedelta(days=back), now)


async def test_who_asked_for_a_person_and_found_nobody_was_not_solved_by_the_assistant(
    product: Product,
) -> None:
    talk = await Talk(product).begin()
    await talk.say("转人工")
    day = await day_of(product)
    assert (day.conversations, day.handed_over, day.solved_alone.kept) == (1, 1, 0)
    assert dict(day.outcomes) == {"无人接待": 1}
    assert (day.wait_max_s, day.first_reply.of, day.resolution.of) == (None, 0, 0), (
        "they were promised nothing"
    )


async def test_who_has_been_with_an_agent_since_yesterday_is_not_solved_by_the_assistant(
    product: Product, wang: str
) -> None:
    talk = await served(product, wang, first_s=10)
    wait(product, 24 * 3600)
    await talk.say("你好")
    today = await day_of(product)
    assert (today.conversations, today.handed_over, today.solved_alone.kept) == (1, 0, 0)


async def test_several_lines_to_one_question_are_one_reply_and_a_close_in_time_breaks_no_promise(
    product: Product, wang: str
) -> None:
    talk = await served(product, wang, first_s=10)
    for number in range(4):
        await product.handoff.agent_say(talk.conversation, wang, "再说一句", f"more-{number}")
    assert (await day_of(product)).next_reply == Kept(0, 0), "the customer asked nothing more"
    await talk.say("卡刷不了")
    assert (await day_of(product)).next_reply == Kept(0, 0), "there is still time"
    wait(product, 60)
    await product.handoff.close(talk.conversation, wang)
    assert (await day_of(product)).next_reply == Kept(0, 0)


async def test_a_reply_owed_for_too_long_is_broken_before_it_comes_and_only_once(
    product: Product, wang: str
) -> None:
    talk = await served(product, wang, first_s=10)
    await talk.say("卡刷不了")
    wait(product, 181)
    assert (await day_of(product)).next_reply == Kept(0, 1)
    await product.handoff.agent_say(talk.conversation, wang, "我看看", "late-0001")
    assert (await day_of(product)).next_reply == Kept(0, 1)


async def test_who_left_was_not_settled_and_who_still_waits_does_wait(product: Product, wang: str) -> None:
    left = await asks(product, wang)
    wait(product, 30)
    await left.say("取消排队")
    waits = await asks(product, wang)
    wait(product, 600)
    day = await day_of(product)
    assert day.resolution == Kept(0, 0)
    assert (day.wait_mean_s, day.wait_p90_s, day.wait_max_s) == (315.0, 600.0, 600.0)
    assert waits.conversation not in await product.handoff.mine(wang)


async def test_yesterday_s_questions_without_an_answer_are_yesterday_s(product: Product) -> None:
    talk = await Talk(product).begin()
    await product.hub.receive(Inbound(talk.conversation, "one", "咕噜咕噜咕噜"))
    wait(product, 24 * 3600)
    await product.hub.receive(Inbound(talk.conversation, "two", "啪嗒啪嗒啪嗒"))
    assert [text for text, _ in (await day_of(product, back=1)).topics] == ["咕噜咕噜咕噜"]
    assert [text for text, _ in (await day_of(product)).topics] == ["啪嗒啪嗒啪嗒"]


async def test_unanswered_topics_are_masked_and_no_formula_reaches_a_spreadsheet(product: Product) -> None:
    talk = await Talk(product).begin()
    for text in ("=1+1 咕噜", "我的手机13812345678咕噜"):
        await product.hub.receive(Inbound(talk.conversation, text, text))
    async with product.database.transaction() as session:
        agent = await product.desk.agent_named(session, "xiaowang")
        assert agent is not None
        await product.desk.set_presence(session, agent.id, "break", "meal")
    wait(product, 90)
    day = await day_of(product)
    assert "小休分钟：小王 用餐 10:30起（还没结束）,1.5" in as_csv(day)
    rows = list(csv.reader(io.StringIO(as_csv(day).removeprefix("\ufeff"))))
    assert all(len(row) == 2 and not row[0].startswith(("=", "+", "-", "@")) for row in rows)
    assert harmless("=1+1") == "'=1+1" and harmless("\t1") == "'\t1" and harmless("好") == "好"
    assert "13812345678" not in as_csv(day) and any("咕噜" in row[0] for row in rows)


@pytest.mark.parametrize("path", ["/board", "/alerts", "/board.csv"])
async def test_figures_are_for_who_leads_or_audits(door: TestServer, path: str) -> None:
    for username, allowed in (("xiaowang", False), ("zhuguan", True), ("shenji", True)):
        page = Page(door)
        await page.login(username)
        async with page.client.get(f"/desk/api{path}") as response:
            assert (response.status == 200) is allowed, username
            assert response.headers["Cache-Control"] == "no-store"
        await page.close()


@pytest.mark.parametrize("day", ["", "today", "2026-13-01", "2019-12-31", "2099-01-01", "2026-11-20x"])
async def test_a_day_that_is_none_is_refused(door: TestServer, day: str) -> None:
    page = Page(door)
    await page.login("zhuguan")
    assert (await page.get(f"/board?day={day}"))[0] == 400
    await page.close()


async def test_an_offer_is_shown_to_its_agent_and_can_be_let_go_by(
    product: Product, door: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = product.desk.matters.rules.model_copy(update={"assignment": "offer"})
    monkeypatch.setattr(product.desk.matters, "rules", rules)
    pages = {name: Page(door) for name in ("xiaowang", "xiaoli")}
    for name, page in pages.items():
        await page.login(name)
    talk = await Talk(product).begin()
    await talk.say("转人工")
    offered = {name: (await page.get("/queue"))[1]["items"][0]["offered"] for name, page in pages.items()}
    assert sorted(offered.values()) == ["me", "other"]
    [first] = [name for name, whose in offered.items() if whose == "me"]
    [second] = set(pages) - {first}
    path = f"/conversations/{talk.conversation}"
    status, refused = await pages[second].post(f"{path}/claim")
    assert (status, refused["error"]["code"]) == (409, "offered_elsewhere")
    assert (await pages[second].post(f"{path}/pass"))[1] == {"passed": False}
    assert (await pages[first].post(f"{path}/pass"))[1] == {"passed": True}
    assert (await pages[second].post(f"{path}/claim"))[0] == 200
    for page in pages.values():
        await page.close()


async def test_a_break_has_a_reason_of_the_list(product: Product, door: TestServer) -> None:
    page = Page(door)
    await page.login("xiaowang")
    assert (await page.post("/presence", {"state": "break", "reason": "meal"}))[0] == 200
    assert (await page.post("/presence", {"state": "break", "reason": "<b>"}))[0] == 400
    await page.close()


async def complains(product: Product, talk: Talk) -> None:
    async with product.database.transaction() as session:
        customer_id = (await product.hub.status(talk.conversation)).customer_id
        assert customer_id is not None
        await product.bank.complaints.file(
            session,
            customer_id=customer_id,
            conversation_id=talk.conversation,
            channel="web",
            content="<b>窗口</b>态度很差，排队两小时",
            key="k",
        )


@pytest.mark.browser
async def test_the_supervisor_sees_what_is_late_reads_the_day_and_works_off_a_complaint_by_keyboard(
    product: Product, door: TestServer, wang: str
) -> None:
    await served(product, wang, first_s=200, next_s=90)
    waiting = await asks(product, wang)
    wait(product, 181)
    await complains(product, waiting)
    async with open_browser() as browser:
        errors: list[str] = []
        page = await browse(browser, door, "zhuguan", errors)
        await expect(page.get_by_test_id("alert")).to_have_count(1)
        await page.get_by_test_id("tab-talks").focus()
        for _ in range(3):
            await page.keyboard.press("ArrowRight")
        await expect(page.get_by_test_id("tab-board")).to_be_focused()
        await expect(page.get_by_test_id("alerts")).to_contain_text("首次回复超时")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("board-card")).to_have_count(10)
        await expect(page.get_by_test_id("board")).to_contain_text("0 / 2")
        await _picture(page, "board")
        async with page.expect_download() as download:
            await page.get_by_test_id("board-csv").click()
        assert (await download.value).suggested_filename == "zhanggui-2026-11-20.csv"

        await page.get_by_test_id("alert").locator("button").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("watch-sub")).to_have_text("排队中")
        await expect(page.locator("#watch-name")).to_be_focused()
        await expect(page.get_by_test_id("floor-item").locator('[aria-current="true"]')).to_have_count(1)

        await page.get_by_test_id("tab-complaints").focus()
        await page.keyboard.press("Enter")
        await page.get_by_test_id("complaint-item").locator("button").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".ticket-content")).to_have_text("<b>窗口</b>态度很差，排队两小时")
        await page.get_by_test_id("complaint-take").focus()
        await page.keyboard.press("Enter")
        await page.get_by_test_id("complaint-words").fill("已调监控核实")
        await page.get_by_test_id("complaint-note").press("Enter")
        await expect(page.get_by_test_id("complaint-log").locator("li")).to_have_count(3)
        await _picture(page, "complaint")
        await page.get_by_test_id("complaint-words").fill("已批评柜员，向您道歉。")
        await page.get_by_test_id("complaint-answer").press("Enter")
        await expect(page.get_by_test_id("dialog-ok")).to_have_text("发给客户")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("complaint")).to_contain_text("已答复，等客户评价")
        await page.get_by_test_id("tab-talks").click()
        await expect(page.get_by_test_id("queue-item").locator('[data-part="wait"]')).to_have_attribute(
            "data-late", "late"
        )
        await _picture(page, "queue")
        assert errors == []
    said = [message["text"] for message in await product.hub.history(waiting.conversation)]
    assert any("已批评柜员" in text for text in said)


async def _picture(page: Any, name: str) -> None:
    """Kept where DESK_PICTURES says, for people to look at."""
    folder_ = os.environ.get("DESK_PICTURES")
    if folder_:
        await page.screenshot(path=f"{folder_}/desk-{name}.png")
