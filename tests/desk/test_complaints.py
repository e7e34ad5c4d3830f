"""A complaint from the chat to the desk and back, filed, taken, looked into, answered, judged, again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from banking_core.audit.models import AuditRecord
from banking_core.complaints import Complaint
from banking_core.notices.models import Notice
from bot.assembly import Product
from bot.dialogue.understanding import Understanding
from tests.bot.conversation.talking import Talk, folder, product
from tests.desk.conftest import Page
from tests.desk.doors import door

__all__ = ["door", "folder", "product"]

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
