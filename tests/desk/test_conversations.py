"""Who may see, claim and answer a customer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from banking_core.audit import AuditRecord
from desk.custody import Custody
from desk.reasons import reason_text

CLIENT_ID = "0e3f4d6a-1111-2222-3333-444455556666"


async def _audit(world: Any, subject: str) -> list[tuple[str, bool]]:
    async with world.db.snapshot() as session:
        rows = await session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == subject).order_by(AuditRecord.id)
        )
        return [(row.action, row.allowed) for row in rows]


async def test_the_queue_shows_who_waits_why_and_how_long(world: Any) -> None:
    world.hub.add("c1", "你好", "转人工", who={"name": "*伟", "phone": "138****0004", "level": "gold"})
    world.clock.advance(seconds=30)
    world.hub.add("c2", "听不懂", reason="something_new")
    page = await world.seated("xiaowang")
    status, body = await page.get("/queue")
    first, second = body["items"]
    assert status == 200
    assert (first["customer_name"], first["reason_text"], first["waited_s"]) == ("*伟", "客户要求", 30)
    assert (first["level_text"], first["last_text"]) == ("金卡客户", "转人工")
    assert (second["customer_name"], second["reason_text"]) == ("未登录访客", "其他")
    assert body["on_duty"] == 1


async def test_of_two_agents_who_claim_at_once_one_wins_and_the_other_reads_who(world: Any) -> None:
    world.hub.add("c1", "转人工")
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    answers = await asyncio.gather(wang.post("/conversations/c1/claim"), li.post("/conversations/c1/claim"))
    assert sorted(status for status, _ in answers) == [200, 409]
    winner = world.hub.conversations["c1"].agent_name
    [lost] = [body for status, body in answers if status == 409]
    assert lost["error"]["code"] == "claim_lost"
    assert lost["error"]["text"] == f"{winner}已经接了这位客户。"
    assert await _audit(world, "c1") == [("conversation.claimed", False)], "the hub notes the winner's"


async def test_claiming_twice_after_a_lost_answer_is_fine(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    assert [(await page.post("/conversations/c1/claim"))[0] for _ in range(2)] == [200, 200]
    assert len(world.hub.conversations["c1"].messages) == 2


async def test_a_customer_who_left_the_queue_cannot_be_claimed(world: Any) -> None:
    world.hub.add("c1", "转人工").owner = "bot"
    page = await world.seated("xiaowang")
    status, body = await page.post("/conversations/c1/claim")
    assert (status, body["error"]["text"]) == (409, "这位客户已经不在排队了。")


async def test_an_unknown_conversation_is_not_found(world: Any) -> None:
    page = await world.seated("xiaowang")
    assert (await page.post("/conversations/nope/claim"))[0] == 404
    assert (await page.post("/conversations/..%2f/claim"))[0] == 404


async def test_nobody_claims_during_a_break(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/presence", {"state": "break"})
    status, body = await page.post("/conversations/c1/claim")
    assert (status, body["error"]["code"]) == (409, "not_on_duty")
    assert world.hub.conversations["c1"].owner == "queue"


async def test_an_agent_serves_no_more_customers_than_allowed(world: Any) -> None:
    page = await world.seated("xiaowang")
    for i in range(6):
        world.hub.add(f"c{i}", "转人工")
    statuses = [(await page.post(f"/conversations/c{i}/claim"))[0] for i in range(6)]
    assert statuses == [200] * 5 + [409]
    assert world.hub.conversations["c5"].owner == "queue"


async def test_the_claiming_agent_reads_the_whole_story_with_its_facts(world: Any) -> None:
    world.hub.add(
        "c1",
        "给张三转五百",
        "转人工",
        who={"name": "*伟", "phone": "138****0004", "level": "standard"},
        verified="密码+短信验证码 10:03",
        skill="转账",
        slots=[["收款人", "*三"], ["金额", "¥500.00"]],
        order_number="ZG2026101500000001",
    )
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    status, body = await page.get("/conversations/c1")
    assert status == 200
    assert [message["text"] for message in body["messages"]] == ["给张三转五百", "转人工", "小王为您服务。"]
    facts = body["facts"]
    assert (facts["name"], facts["phone"], facts["verified"]) == (
        "*伟",
        "138****0004",
        "密码+短信验证码 10:03",
    )
    assert (facts["skill"], facts["order_number"]) == ("转账", "ZG2026101500000001")
    assert facts["slots"] == [["收款人", "*三"], ["金额", "¥500.00"]]
    assert [item["conversation_id"] for item in (await page.get("/mine"))[1]["items"]] == ["c1"]


@pytest.mark.parametrize("owner", ["queue", "agent", "bot", "closed"])
async def test_the_wrong_agent_reads_nothing_and_the_try_is_noted(world: Any, owner: str) -> None:
    conversation = world.hub.add("c1", "我的秘密")
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    if owner == "agent":
        await wang.post("/conversations/c1/claim")
    else:
        conversation.owner = owner
    status, body = await li.get("/conversations/c1")
    assert (status, body["error"]["code"]) == (403, "not_yours")
    assert "秘密" not in str(body)
    assert (await _audit(world, "c1"))[-1] == ("conversation.read", False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("say", {"client_id": CLIENT_ID, "text": "你好"}),
        ("hand-back", {"note": ""}),
        ("close", {"wrap_up": "done"}),
    ],
)
async def test_the_wrong_agent_writes_nothing(world: Any, path: str, body: dict[str, Any]) -> None:
    world.hub.add("c1", "转人工")
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    await wang.post("/conversations/c1/claim")
    before = len(world.hub.conversations["c1"].messages)
    status, answer = await li.post(f"/conversations/c1/{path}", body)
    assert (status, answer["error"]["code"]) == (403, "not_yours")
    assert len(world.hub.conversations["c1"].messages) == before
    assert world.hub.conversations["c1"].agent_name == "小王"


async def test_only_the_holder_shows_as_typing(world: Any) -> None:
    world.hub.add("c1", "转人工")
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    await wang.post("/conversations/c1/claim")
    await li.post("/conversations/c1/typing")
    assert world.hub.typed == []
    await wang.post("/conversations/c1/typing")
    assert world.hub.typed == [("c1", "agent")]


async def test_every_look_is_noted_with_whose_conversation_it_is_and_from_where(world: Any) -> None:
    world.hub.add("c1", "转人工").customer_id = "customer-1"
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    await page.get("/conversations/c1")
    await page.get("/conversations/c1")
    await page.get("/conversations/c1?after_seq=2")
    assert await _audit(world, "c1") == [
        ("conversation.read", True),
        ("conversation.read", True),
        ("conversation.read_on", True),
    ]
    async with world.db.snapshot() as session:
        first = await session.scalar(select(AuditRecord).where(AuditRecord.object_id == "c1").limit(1))
    assert (first.customer_id, first.channel, first.address) == ("customer-1", "desk", "127.0.0.1")


async def test_a_message_sent_again_is_said_once(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    said = [
        await page.post("/conversations/c1/say", {"client_id": CLIENT_ID, "text": "您好"}) for _ in range(3)
    ]
    assert {(status, body["message"]["seq"], body["message"]["client_id"]) for status, body in said} == {
        (200, 3, CLIENT_ID)
    }
    assert [m["text"] for m in world.hub.conversations["c1"].messages].count("您好") == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"client_id": "x", "text": "您好"},
        {"client_id": CLIENT_ID, "text": "   "},
        {"client_id": CLIENT_ID, "text": "字" * 501},
        {"client_id": CLIENT_ID, "text": "a\0b"},
        {"client_id": CLIENT_ID, "text": {"a": 1}},
    ],
)
async def test_an_unusable_message_is_refused_and_not_said(world: Any, body: dict[str, Any]) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    assert (await page.post("/conversations/c1/say", body))[0] == 400
    assert len(world.hub.conversations["c1"].messages) == 2


async def test_handing_back_gives_the_note_to_the_hub_and_ends_access(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    assert (await page.post("/conversations/c1/hand-back", {"note": "已核实身份"}))[0] == 200
    assert world.hub.notes_to_customers == [("c1", "已核实身份")]
    assert (await page.get("/conversations/c1"))[0] == 403
    assert (await page.get("/mine"))[1]["items"] == []


async def test_closing_ends_access_and_cannot_be_repeated(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    assert (await page.post("/conversations/c1/close", {"wrap_up": "done"}))[0] == 200
    assert (await page.post("/conversations/c1/close", {"wrap_up": "done"}))[0] == 403
    assert (await page.get("/conversations/c1"))[0] == 403


async def test_customers_of_a_vanished_agent_go_back_to_the_queue(world: Any) -> None:
    world.hub.add("c1", "转人工")
    wang = await world.seated("xiaowang")
    await wang.post("/conversations/c1/claim")
    custody = Custody(world.deps)
    world.clock.advance(seconds=180)
    assert await custody.release_absent() == 0
    world.clock.advance(seconds=1)
    assert await custody.release_absent() == 1
    assert world.hub.conversations["c1"].owner == "queue"
    assert reason_text(world.hub.conversations["c1"].reason) == "坐席掉线，重新排队"
    assert await custody.release_absent() == 0


async def test_logging_out_leaves_no_customer_behind(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    status, body = await page.post("/logout")
    assert (status, body["released"]) == (200, 1)
    assert world.hub.conversations["c1"].owner == "queue"


async def test_a_conversation_of_several_pages_is_read_in_order_without_gaps(world: Any) -> None:
    conversation = world.hub.add("c1")
    for i in range(1, 451):
        world.hub.say("c1", "customer", "我", f"第{i}句")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    _, body = await page.get("/conversations/c1")
    seqs = [message["seq"] for message in body["messages"]]
    assert seqs == list(range(2, len(conversation.messages) + 1))


async def test_writing_too_fast_is_slowed_down_and_loses_nothing(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    statuses = [(await page.post("/conversations/c1/typing"))[0] for _ in range(30)]
    assert statuses == [200] * 29 + [429]
    world.clock.advance(seconds=2)
    assert (await page.post("/conversations/c1/typing"))[0] == 200


async def test_the_queue_s_lines_are_noted_once_for_each_agent_who_is_shown_them(world: Any) -> None:
    world.hub.add("c1", "转人工").customer_id = "customer-1"
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    for page in (wang, wang, li):
        await page.get("/queue")
    assert await _audit(world, "c1") == [("conversation.seen_waiting", True)] * 2
    world.clock.advance(seconds=13 * 3600)
    li = await world.seated("xiaoli")
    await li.get("/queue")
    assert len(await _audit(world, "c1")) == 3, "the next day is another look"
    async with world.db.snapshot() as session:
        first = await session.scalar(select(AuditRecord).where(AuditRecord.object_id == "c1").limit(1))
    assert (first.customer_id, first.channel, first.address) == ("customer-1", "desk", "127.0.0.1")


async def test_a_long_queue_is_noted_in_one_transaction_and_one_that_was_seen_in_none(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        world.hub.add(f"c{number}", "转人工")
    page = await world.seated("xiaowang")
    begun, begin = [], world.db.transaction
    monkeypatch.setattr(world.db, "transaction", lambda: begun.append(1) or begin())
    assert len((await page.get("/queue"))[1]["items"]) == 30
    assert len(begun) == 1
    assert await _audit(world, "c29") == [("conversation.seen_waiting", True)]
    await page.get("/queue")
    assert len(begun) == 1
