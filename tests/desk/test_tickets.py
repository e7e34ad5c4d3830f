"""Call-back tickets."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from banking_core.audit import AuditRecord
from banking_core.errors import BankError
from desk import tickets as tickets_module


async def _file(world: Any, content: str = "请回电", phone: str = "13800000004") -> str:
    async with world.db.transaction() as session:
        return str(await world.desk.create_ticket(session, "c1", "customer-1", phone, content))


async def test_a_ticket_number_carries_the_bank_date(world: Any) -> None:
    world.clock.advance(seconds=15 * 3600)  # one in the morning at the bank, the 15th still in UTC
    assert re.fullmatch(r"GD20261016\d{6}", await _file(world))


async def test_ticket_numbers_are_unique_even_when_the_draw_repeats(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([7, 7, 7, 8, 7, 8, 9])
    monkeypatch.setattr(tickets_module.secrets, "randbelow", lambda _limit: next(draws))
    numbers = [await _file(world) for _ in range(3)]
    assert [number[-6:] for number in numbers] == ["000007", "000008", "000009"]


async def test_the_phone_is_masked_until_somebody_asks_for_it_and_that_is_noted(world: Any) -> None:
    number = await _file(world, "卡丢了")
    page = await world.seated("xiaowang")
    _, body = await page.get("/tickets")
    assert [(item["number"], item["phone"], item["content"]) for item in body["items"]] == [
        (number, "138****0004", "卡丢了")
    ]
    status, body = await page.post(f"/tickets/{number}/phone")
    assert (status, body["phone"]) == (200, "13800000004")
    async with world.db.snapshot() as session:
        rows = await session.scalars(select(AuditRecord).where(AuditRecord.object_id == number))
        assert [(row.action, row.customer_id) for row in rows] == [
            ("ticket.read", "customer-1"),
            ("ticket.phone_read", "customer-1"),
        ]
        listed = await session.scalar(select(AuditRecord).where(AuditRecord.action == "tickets.read"))
        assert listed is not None and listed.after == {"status": "open", "numbers": [number]}


@pytest.mark.parametrize(
    ("filed_h", "promised_h"),
    [(0, 2), (11, 22 + 1), (15, 22 + 2)],  # at ten; at nine in the evening; at one in the morning
)
async def test_a_call_back_is_promised_within_the_desk_s_hours(
    world: Any, filed_h: int, promised_h: int
) -> None:
    began = world.clock.now()
    world.clock.advance(seconds=3600 * filed_h)
    await _file(world)
    async with world.db.snapshot() as session:
        [ticket] = await world.desk.list_tickets(session, "a1")
    assert ticket.promised_at == began + timedelta(hours=promised_h)


async def test_a_ticket_is_finished_once_and_the_second_agent_reads_by_whom(world: Any) -> None:
    number = await _file(world)
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    status, body = await wang.post(f"/tickets/{number}/finish", {"note": "已回电说明"})
    assert (status, body["ticket"]["status"], body["ticket"]["answer"]) == (200, "done", "已回电说明")
    status, body = await li.post(f"/tickets/{number}/finish", {"note": "我也打了"})
    assert (status, body["error"]["text"]) == (409, "小王已经办结了这张工单。")
    assert (await li.get("/tickets"))[1]["items"] == []
    [done] = (await li.get("/tickets?status=done"))[1]["items"]
    assert (done["number"], done["answer"], done["finished_by"]) == (number, "已回电说明", "小王")


async def test_a_ticket_is_not_finished_without_a_word(world: Any) -> None:
    number = await _file(world)
    page = await world.seated("xiaowang")
    assert (await page.post(f"/tickets/{number}/finish", {"note": "  "}))[0] == 400
    assert len((await page.get("/tickets"))[1]["items"]) == 1


@pytest.mark.parametrize("number", ["GD20261015000000", "GD1", "..", "GD2026101500000x"])
async def test_an_unknown_ticket_is_not_found(world: Any, number: str) -> None:
    page = await world.seated("xiaowang")
    assert (await page.post(f"/tickets/{number}/finish", {"note": "好"}))[0] == 404


@pytest.mark.parametrize(("phone", "content"), [("", "请回电"), ("abc", "请回电"), ("13800000004", " ")])
async def test_a_ticket_nobody_could_answer_is_refused(world: Any, phone: str, content: str) -> None:
    with pytest.raises(BankError) as caught:
        await _file(world, content, phone)
    assert caught.value.code == "ticket_invalid"
    async with world.db.snapshot() as session:
        assert await world.desk.open_ticket_count(session) == 0


async def test_of_two_agents_one_calls_and_a_supervisor_may_step_in(world: Any) -> None:
    number = await _file(world)
    wang, li, lead = [await world.seated(name) for name in ("xiaowang", "xiaoli", "zhuguan")]
    assert (await wang.post(f"/tickets/{number}/phone"))[1]["ticket"]["taken_by"] == "小王"
    for act, body in (("phone", {}), ("put-back", {}), ("finish", {"note": "我也打了"})):
        status, answer = await li.post(f"/tickets/{number}/{act}", body)
        assert (status, answer["error"]["text"]) == (409, "小王正在处理这张工单。"), act
    assert [item["taken_by"] for item in (await li.get("/tickets"))[1]["items"]] == ["小王"]
    assert (await lead.post(f"/tickets/{number}/phone"))[1]["ticket"]["taken_by"] == "陈主管"
    assert (await wang.post(f"/tickets/{number}/finish", {"note": "打过了"}))[0] == 409
    assert (await lead.post(f"/tickets/{number}/put-back"))[1]["ticket"]["taken_by"] == ""
    assert (await li.post(f"/tickets/{number}/phone"))[0] == 200
    status, answer = await li.post(f"/tickets/{number}/finish", {"note": "已回电"})
    assert (status, answer["ticket"]["finished_by"]) == (200, "小李")
    for act in ("phone", "put-back"):
        assert (await wang.post(f"/tickets/{number}/{act}"))[0] == 409, (
            "whole numbers of finished ones stay hidden"
        )


async def test_what_the_bank_wants_to_know_is_called_first(world: Any) -> None:
    await _file(world, "先来的")
    async with world.db.transaction() as session:
        await world.desk.ask_for(session, customer_id="customer-1", phone="13800000004", what="请核实身份")
    page = await world.seated("xiaowang")
    items = (await page.get("/tickets"))[1]["items"]
    assert [(item["kind"], item["urgent"]) for item in items] == [("bank", True), ("callback", False)]


async def test_a_customer_is_owed_one_call_for_all_the_bank_wants_to_know(world: Any) -> None:
    page = await world.seated("xiaowang")

    async def owed(what: str, phone: str = "13800000004") -> list[dict[str, Any]]:
        async with world.db.transaction() as session:
            await world.desk.ask_for(session, customer_id="customer-1", phone=phone, what=what)
        items: list[dict[str, Any]] = (await page.get("/tickets"))[1]["items"]
        return sorted(items, key=lambda item: item["number"])

    await owed("声纹核实失败")
    [ticket] = await owed("声纹核实失败")
    assert ticket["content"] == "声纹核实失败", "said twice is one matter"
    async with world.db.transaction() as session:
        call = await world.desk.owe_call(session, "talk", "customer-1", "13800000004", "risk")
    assert call is not None and call.number == ticket["number"]
    [ticket] = (await page.get("/tickets"))[1]["items"]
    assert ticket["content"].startswith("声纹核实失败\n") and call.promised_at.isoformat() in str(ticket)
    assert len(await owed("别的号码", phone="13800000009")) == 2, "never at another number than the matter's"
    assert (await page.post(f"/tickets/{ticket['number']}/phone"))[0] == 200
    assert len(await owed("高风险登录")) == 3, "who is being called for one matter is called anew for another"
