"""A complaint from the chat to the desk and back, filed, taken, looked into, answered, judged, again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import expect
from sqlalchemy import select

from banking_core.audit.models import AuditRecord
from banking_core.complaints import Complaint
from banking_core.notices.models import Notice
from banking_core.telling import AGAIN_S_FIRST, AGAIN_S_MAX
from bot.assembly import Product
from bot.dialogue.reply import Reply
from bot.dialogue.understanding import Understanding
from desk.clocks import breaches
from tests.bot.conversation.talking import Talk, product
from tests.browsers import open_browser
from tests.desk.conftest import Page
from tests.desk.doors import browse, door

__all__ = ["door", "product"]

STORY = "昨天上午在海淀支行排队两小时，窗口的人态度很差还骂人"
HEARD = {"投诉进度": "complaint_status", "满意": "complaint_feedback", "投诉": "complaint_file"}


async def _hears(text: str) -> Understanding:
    intent = next((intent for word, intent in HEARD.items() if word in text), "nlu_fallback")
    return Understanding(text, intent, 0.95, ranking=((intent, 0.95),))


@pytest.fixture
async def talk(product: Product, monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.setattr(product.understander, "understand", _hears)
    return await Talk(product).begin()


@pytest.fixture
async def pages(door: TestServer) -> AsyncIterator[dict[str, Page]]:
    """Two agents, the supervisor and the auditor, each at a browser."""
    found = {name: Page(door) for name in ("xiaowang", "xiaoli", "zhuguan", "shenji")}
    yield found
    for page in found.values():
        await page.close()


async def _sit(pages: dict[str, Page], name: str) -> Page:
    status, body = await pages[name].login(name)
    assert status == 200, body
    return pages[name]


async def _newest(talk: Talk) -> Complaint:
    async with talk.product.database.snapshot() as session:
        row = await session.scalar(select(Complaint).order_by(Complaint.filed_at.desc()).limit(1))
    assert row is not None
    return row


async def test_a_complaint_gets_a_number_a_category_and_dates_and_its_progress_is_told(talk: Talk) -> None:
    assert "经过" in await talk.say("我要投诉")
    told = await talk.say(STORY)
    row = await _newest(talk)
    assert row.number in told and row.number.startswith("TS20261120")
    assert (row.category, row.content, row.status, row.round) == ("staff", STORY, "filed", 1)
    assert "正在等同事受理" in await talk.say("投诉进度")
    history = await talk.product.hub.history(talk.conversation)
    facts = {fact["label"]: fact["value"] for m in history if m["card"] for fact in m["card"]["facts"]}
    assert facts["类别"] == "服务态度"
    assert (facts["联系您"], facts["答复"]) == ("11月24日17:00前", "12月11日17:00前"), "working days"


async def test_a_sentence_that_tells_the_story_is_not_asked_for_again(talk: Talk) -> None:
    told = await talk.say(f"我要投诉，{STORY}")
    assert (await _newest(talk)).number in told


async def test_with_somebody_at_the_desk_the_complaint_is_filed_and_a_human_comes(talk: Talk) -> None:
    product = talk.product
    async with product.database.transaction() as session:
        agent = await product.desk.agent_named(session, "xiaowang")
        assert agent is not None
        await product.desk.set_presence(session, agent.id, "on_duty")
    told = await talk.say(f"我要投诉，{STORY}")
    assert (await _newest(talk)).number in told and "转接人工" in told
    [line] = await product.handoff.queue()
    assert line.reason == "complaint"


async def test_an_answer_that_cannot_be_told_is_tried_later_and_later_and_told_once(
    talk: Talk, pages: dict[str, Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    product, hub = talk.product, talk.product.hub
    announce = hub.announce
    tries: list[str] = []

    async def refuses(conversation_id: str, reply: Reply, once_key: str) -> None:
        tries.append(once_key)
        raise ConnectionError

    async def breaks_just_after(conversation_id: str, reply: Reply, once_key: str) -> None:
        await announce(conversation_id, reply, once_key)
        raise ConnectionError

    async def wait(seconds: float) -> int:
        product.clock.advance(seconds=seconds)  # type: ignore[attr-defined]
        return await product.handoff.tell_answers()

    await talk.say(f"我要投诉，{STORY}")
    number = (await _newest(talk)).number
    wang = await _sit(pages, "xiaowang")
    await wang.post(f"/complaints/{number}/take")
    monkeypatch.setattr(hub, "announce", refuses)
    assert (await wang.post(f"/complaints/{number}/answer", {"text": "已向您道歉。"}))[0] == 200
    assert await wait(AGAIN_S_FIRST - 1) == 0, "not at every sweep"
    assert await wait(1) == 1
    assert await wait(AGAIN_S_FIRST * 2 - 1) == 0, "twice as long the next time"
    assert await wait(1) == 1
    assert tries == [f"complaint:{number}:1"] * 3
    monkeypatch.setattr(hub, "announce", breaks_just_after)
    assert await wait(AGAIN_S_FIRST * 4) == 1
    monkeypatch.setattr(hub, "announce", announce)
    assert await wait(AGAIN_S_FIRST * 8) == 1
    assert await wait(AGAIN_S_MAX) == 0
    said = [m["text"] for m in await hub.history(talk.conversation)]
    assert sum("已向您道歉" in text for text in said) == 1


async def test_the_answer_reaches_the_conversation_once_and_an_unhappy_customer_gets_another_look(
    talk: Talk, pages: dict[str, Page]
) -> None:
    await talk.say(f"我要投诉，{STORY}")
    number = (await _newest(talk)).number
    wang, li = await _sit(pages, "xiaowang"), await _sit(pages, "xiaoli")
    assert (await wang.post(f"/complaints/{number}/answer", {"text": "抱歉"}))[0] == 409, "nobody has it yet"
    assert (await wang.post(f"/complaints/{number}/take"))[0] == 200
    assert (await li.post(f"/complaints/{number}/take"))[0] == 409, "a colleague has it"
    assert "小王处理" in await talk.say("投诉进度")
    await wang.post(f"/complaints/{number}/note", {"text": "调了监控，情况属实"})
    assert (await wang.post(f"/complaints/{number}/answer", {"text": "已批评柜员并向您道歉。"}))[0] == 200
    assert await talk.product.handoff.tell_answers() == 0, "told already"
    said = [m["text"] for m in await talk.product.hub.history(talk.conversation)]
    assert sum("已批评柜员" in text for text in said) == 1
    assert not any("监控" in text for text in said), "the log is the bank's own"
    async with talk.product.database.snapshot() as session:
        notice = await session.scalar(select(Notice).where(Notice.kind == "complaint"))
    assert notice is not None and number in notice.text and "监控" not in notice.text

    assert "哪里没有解决" in await talk.say("我对投诉处理结果不满意")
    assert "另一位同事复核" in await talk.say("没有说怎么补偿我")
    assert (await wang.post(f"/complaints/{number}/take"))[0] == 409, "the second look is somebody else's"
    assert (await li.post(f"/complaints/{number}/take"))[0] == 200
    await li.post(f"/complaints/{number}/answer", {"text": "减免您本月的年费。"})
    await talk.say("投诉进度")
    assert "已办结" in await talk.say("我对投诉处理结果满意")
    row = await _newest(talk)
    assert (row.status, row.round, row.score) == ("closed", 2, 5)
    _, body = await li.get(f"/complaints/{number}")
    assert [entry["kind_text"] for entry in body["complaint"]["log"]] == [
        "提交", "受理", "调查", "答复", "评价", "复核", "受理", "答复", "评价",
    ]  # fmt: skip


async def test_words_and_log_are_for_whom_they_concern_and_each_look_is_noted(
    talk: Talk, pages: dict[str, Page]
) -> None:
    await talk.say(f"我要投诉，{STORY}")
    number = (await _newest(talk)).number
    wang, li = await _sit(pages, "xiaowang"), await _sit(pages, "xiaoli")
    boss, auditor = await _sit(pages, "zhuguan"), await _sit(pages, "shenji")
    await wang.post(f"/complaints/{number}/take")
    assert (await li.get(f"/complaints/{number}"))[0] == 403
    [listed] = (await li.get("/complaints"))[1]["items"]
    assert (listed["content"], listed["assignee"]) == ("", "小王")
    for page in (wang, boss, auditor):
        _, body = await page.get(f"/complaints/{number}")
        assert body["complaint"]["content"].endswith(STORY)
    async with talk.product.database.snapshot() as session:
        looks = await session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == number, AuditRecord.action == "complaint.read")
        )
        assert [look.allowed for look in looks] == [False, True, True, True]


@pytest.mark.parametrize("act", ["take", "assign", "note", "category", "answer"])
async def test_the_wrong_agent_and_the_auditor_change_nothing(
    talk: Talk, pages: dict[str, Page], act: str
) -> None:
    await talk.say(f"我要投诉，{STORY}")
    number = (await _newest(talk)).number
    wang, li, auditor = [await _sit(pages, name) for name in ("xiaowang", "xiaoli", "shenji")]
    await wang.post(f"/complaints/{number}/take")
    body = {"text": "fees" if act == "category" else "好的", "username": "xiaoli"}
    assert (await li.post(f"/complaints/{number}/{act}", body))[0] in (403, 409)
    assert (await auditor.post(f"/complaints/{number}/{act}", body))[0] == 403
    assert (await li.post(f"/complaints/{number}/{act}", body, headers={}))[0] == 403, "cross site"
    row = await _newest(talk)
    assert (row.status, row.assignee_name, row.category, row.answer) == ("working", "小王", "staff", None)


async def test_a_supervisor_gives_a_complaint_to_a_colleague_and_the_late_ones_show(
    talk: Talk, pages: dict[str, Page]
) -> None:
    await talk.say(f"我要投诉，{STORY}")
    number = (await _newest(talk)).number
    boss = await _sit(pages, "zhuguan")
    assert (await boss.post(f"/complaints/{number}/assign", {"username": "shenji"}))[0] == 404
    status, body = await boss.post(f"/complaints/{number}/assign", {"username": "xiaoli"})
    assert (status, body["complaint"]["assignee"], body["complaint"]["late"]) == (200, "小李", False)
    talk.product.clock.advance(seconds=22 * 86_400)  # type: ignore[attr-defined]
    [listed] = (await (await _sit(pages, "zhuguan")).get("/complaints"))[1]["items"]
    assert listed["late"] is True


async def _two(talk: Talk, boss: Page) -> tuple[str, str]:
    """Two complaints of a customer, their numbers: 小李 has the first, nobody the other."""
    numbers = []
    async with talk.product.database.transaction() as session:
        customer_id = (await talk.product.hub.status(talk.conversation)).customer_id
        assert customer_id is not None
        for text in (STORY, "柜台乱收费"):
            row = await talk.product.bank.complaints.file(
                session,
                customer_id=customer_id,
                conversation_id=talk.conversation,
                channel="web",
                content=text,
                key=text,
            )
            numbers.append(row.number)
    assert (await boss.post(f"/complaints/{numbers[0]}/assign", {"username": "xiaoli"}))[0] == 200
    return numbers[0], numbers[1]


async def test_the_list_is_narrowed_by_state_and_by_who_looks_into_it(
    talk: Talk, pages: dict[str, Page]
) -> None:
    boss, li, wang = [await _sit(pages, name) for name in ("zhuguan", "xiaoli", "xiaowang")]
    mine, nobodys = await _two(talk, boss)

    async def numbers(page: Page, query: str) -> list[str]:
        status, body = await page.get(f"/complaints?{query}")
        assert status == 200, body
        return [item["number"] for item in body["items"]]

    assert await numbers(boss, "whose=agent:xiaoli") == [mine] == await numbers(li, "whose=me")
    assert await numbers(boss, "whose=nobody") == [nobodys] == await numbers(wang, "whose=nobody")
    assert sorted(await numbers(boss, "")) == sorted([mine, nobodys])
    assert await numbers(wang, "whose=me") == [] == await numbers(boss, "status=closed&whose=agent:xiaoli")
    assert (await wang.get("/complaints?whose=agent:xiaoli"))[0] == 403
    for odd in ("xiaoli", "team:a"):
        assert (await boss.get(f"/complaints?whose={odd}"))[0] == 400, odd
    assert (await boss.get("/complaints?whose=agent:nemo"))[0] == 404
    assert (await boss.get("/complaints"))[1]["agents"] and not (await wang.get("/complaints"))[1]["agents"]


async def test_whom_to_give_it_to_is_shown_with_what_they_have_to_do(
    talk: Talk, pages: dict[str, Page]
) -> None:
    boss, li, auditor = [await _sit(pages, name) for name in ("zhuguan", "xiaoli", "shenji")]
    mine, nobodys = await _two(talk, boss)
    _, body = await boss.get(f"/complaints/{mine}/agents")
    rows = {row["username"]: row for row in body["items"]}
    assert set(rows) == {"xiaowang", "xiaoli", "zhuguan"}, "an auditor handles nothing"
    assert [rows[name]["complaints"] for name in ("xiaowang", "xiaoli")] == [0, 1]
    assert [rows[name]["has_it"] for name in ("xiaowang", "xiaoli")] == [False, True]
    assert rows["xiaoli"]["on_duty"] and not rows["xiaowang"]["on_duty"]
    for page in (li, auditor):
        assert (await page.get(f"/complaints/{nobodys}/agents"))[0] == 403
    assert (await boss.get("/complaints/TS20261120000000/agents"))[0] == 404

    await li.post(f"/complaints/{mine}/answer", {"text": "已批评柜员。"})
    async with talk.product.database.transaction() as session:
        row = await talk.product.bank.complaints.get(session, mine)
        await talk.product.bank.complaints.judge(session, row.customer_id, 1)
    rows = {row["username"]: row for row in (await boss.get(f"/complaints/{mine}/agents"))[1]["items"]}
    assert not rows["xiaoli"]["allowed"] and rows["xiaowang"]["allowed"], "the second look is somebody else's"
    assert (await boss.post(f"/complaints/{mine}/assign", {"username": "xiaoli"}))[0] == 409


async def test_a_complaint_is_given_to_somebody_else_and_the_trail_says_to_whom(
    talk: Talk, pages: dict[str, Page]
) -> None:
    boss, li, wang = [await _sit(pages, name) for name in ("zhuguan", "xiaoli", "xiaowang")]
    mine, _ = await _two(talk, boss)
    assert (await boss.post(f"/complaints/{mine}/assign", {"username": "xiaowang"}))[0] == 200
    assert (await li.post(f"/complaints/{mine}/note", {"text": "我再看看"}))[0] == 409, "no longer theirs"
    assert (await wang.post(f"/complaints/{mine}/note", {"text": "我来"}))[0] == 200
    async with talk.product.database.snapshot() as session:
        given = await session.scalars(
            select(AuditRecord)
            .where(AuditRecord.object_id == mine, AuditRecord.action == "complaint.assigned")
            .order_by(AuditRecord.id)
        )
        names = [(record.after or {})["assignee_id"] for record in given]
        li_id, wang_id = [
            (await talk.product.desk.agent_named(session, name)).id  # type: ignore[union-attr]
            for name in ("xiaoli", "xiaowang")
        ]
    assert names == [li_id, wang_id]


async def test_a_complaint_that_nobody_takes_in_time_is_late_before_its_answer_is(talk: Talk) -> None:
    await talk.say(f"我要投诉，{STORY}")
    row = await _newest(talk)

    async def late() -> list[str]:
        async with talk.product.database.snapshot() as session:
            return [
                b.kind for b in await breaches(session, talk.product.clock.now()) if b.number == row.number
            ]

    wait_s = (row.ack_due_at - talk.product.clock.now()).total_seconds()
    talk.product.clock.advance(seconds=wait_s)  # type: ignore[attr-defined]
    assert await late() == []
    talk.product.clock.advance(seconds=1)  # type: ignore[attr-defined]
    assert await late() == ["complaint_ack"]
    wait_s = (row.answer_due_at - talk.product.clock.now()).total_seconds()
    talk.product.clock.advance(seconds=wait_s + 1)  # type: ignore[attr-defined]
    assert await late() == ["complaint"], "one line for one complaint"


@pytest.mark.browser
async def test_a_supervisor_assigns_by_keyboard_and_the_colleague_hears_of_it(
    talk: Talk, door: TestServer
) -> None:
    await talk.say(f"我要投诉，{STORY}")
    async with open_browser() as browser:
        boss, li = [await browse(browser, door, name) for name in ("zhuguan", "xiaoli")]
        await expect(li.locator("#badge-complaints")).to_have_text("1")
        await boss.get_by_test_id("tab-complaints").click()
        await expect(boss.get_by_test_id("complaint-item")).to_have_count(1)
        await boss.keyboard.press("j")
        await boss.keyboard.press("Enter")
        await expect(boss.get_by_test_id("complaint-clock").first).to_contain_text("还剩")
        await boss.keyboard.press("a")
        await expect(boss.get_by_test_id("dialog-ok")).to_be_disabled()
        await expect(boss.get_by_test_id("dialog-username")).to_contain_text("投诉 0 件，会话 0/5")
        for _ in range(5):
            if await boss.get_by_test_id("username-xiaoli").is_checked():
                break
            await boss.keyboard.press("ArrowDown")
        await boss.keyboard.press("Enter")
        await expect(boss.get_by_test_id("complaint-log")).to_contain_text("由小李处理")
        await expect(boss.get_by_test_id("complaint-assign")).to_have_text("改派")
        await expect(boss.get_by_test_id("complaint-assign")).to_be_focused()
        await expect(li.get_by_test_id("toast")).to_contain_text("给您分派了 1 件投诉")
        await boss.keyboard.press("a")
        await expect(boss.get_by_test_id("username-xiaoli")).to_be_disabled()
        await boss.keyboard.press("Escape")
        await boss.get_by_test_id("complaints-whose").select_option("nobody")
        await expect(boss.get_by_test_id("complaint-item")).to_have_count(0)
        await expect(boss.locator("#complaints-empty")).to_have_text("没有符合条件的投诉")
        await boss.get_by_test_id("complaints-whose").select_option("agent:xiaoli")
        await expect(boss.get_by_test_id("complaint-item")).to_contain_text("小李")
        await li.keyboard.press("a")
        await expect(li.get_by_test_id("dialog-ok")).to_be_hidden()


async def test_who_asks_or_writes_too_often_is_slowed_down(talk: Talk, pages: dict[str, Page]) -> None:
    await talk.say(f"我要投诉，{STORY}")
    number = (await _newest(talk)).number
    wang, li = await _sit(pages, "xiaowang"), await _sit(pages, "xiaoli")
    looks = [(await wang.get(f"/complaints/{number}"))[0] for _ in range(30)]
    looks += [(await wang.get("/complaints"))[0] for _ in range(31)]
    assert looks == [200] * 60 + [429]
    notes = [(await wang.post(f"/complaints/{number}/note", {"text": "一"}))[0] for _ in range(31)]
    assert notes == [409] * 30 + [429]
    assert (await wang.post(f"/complaints/{number}/take"))[0] == 429, "not in time to take it either"
    assert (await li.post(f"/complaints/{number}/take"))[0] == 200
    talk.product.clock.advance(seconds=1)  # type: ignore[attr-defined]
    assert (await wang.get("/complaints"))[0] == 200


async def test_an_unknown_number_or_a_malformed_one_is_not_found(talk: Talk, pages: dict[str, Page]) -> None:
    wang = await _sit(pages, "xiaowang")
    for number in ("TS20261120000000", "TS1", "..%2f", "GD20261120000000"):
        status, answer = await wang.get(f"/complaints/{number}")
        assert status == 404, answer
    status, answer = await wang.get("/complaints?status=all")
    assert status == 400, answer


async def test_html_in_a_complaint_stays_words(talk: Talk, pages: dict[str, Any]) -> None:
    await talk.say("我要投诉")
    await talk.say("<script>alert(1)</script>态度差")
    wang = await _sit(pages, "xiaowang")
    [listed] = (await wang.get("/complaints"))[1]["items"]
    assert listed["content"].startswith("<script>")
