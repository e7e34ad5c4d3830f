"""The audit trail at the desk: breaks with reason and length, who may read what, and that nobody can write."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import func, select

from banking_core.audit import Who, acting, note
from banking_core.audit.models import AuditRecord
from desk import trail
from desk.breaks import breaks
from desk.roster import Changes, Roster
from tests.desk.conftest import Page
from tests.desk.test_page import _sit, browser

__all__ = ["browser"]


async def _trail(page: Page, query: str = "") -> list[dict[str, Any]]:
    status, body = await page.get(f"/trail?{query}")
    assert status == 200, body
    items: list[dict[str, Any]] = body["items"]
    return items


async def test_a_break_is_noted_with_who_when_why_and_how_long(world: Any) -> None:
    wang, chen = await world.seated("xiaowang"), await world.seated("zhuguan")
    await wang.post("/presence", {"state": "break", "reason": "meal"})
    world.clock.advance(seconds=1800)
    await wang.unlock()
    await wang.post("/presence", {"state": "break", "reason": "training"})
    world.clock.advance(seconds=65)
    await wang.post("/presence", {"state": "on_duty"})
    await wang.post("/presence", {"state": "on_duty"})
    await chen.unlock()
    items = await _trail(chen, "area=agent.break")
    assert [(item["who"], item["action_text"], item["after"]) for item in items] == [
        ("小王", "结束小休", [["原因", "培训"], ["时长", "1分05秒"]]),
        ("小王", "开始小休", [["原因", "培训"]]),
        ("小王", "结束小休", [["原因", "用餐"], ["时长", "30分00秒"]]),
        ("小王", "开始小休", [["原因", "用餐"]]),
    ]
    assert len({item["at"] for item in items}) == 3, "one ends as the other begins"


async def test_another_reason_at_once_corrects_the_first_and_is_the_same_break(world: Any) -> None:
    wang, chen = await world.seated("xiaowang"), await world.seated("zhuguan")
    await wang.post("/presence", {"state": "break"})
    world.clock.advance(seconds=5)
    _, body = await wang.post("/presence", {"state": "break", "reason": "meal"})
    assert (body["agent"]["break_reason"], body["agent"]["presence_since"][11:19]) == ("meal", "02:00:00")
    world.clock.advance(seconds=1795)
    await wang.unlock()
    await wang.post("/presence", {"state": "on_duty"})
    await chen.unlock()
    ended = [item["after"] for item in await _trail(chen, "area=agent.break") if "ended" in item["action"]]
    assert ended == [[["原因", "用餐"], ["时长", "30分00秒"]]]


@pytest.mark.parametrize("how", ["logout", "login", "off"])
async def test_a_break_ends_with_whatever_ends_it(world: Any, how: str) -> None:
    wang = await world.seated("xiaowang")
    await wang.post("/presence", {"state": "break", "reason": "rest"})
    world.clock.advance(seconds=600)
    if how == "logout":
        await wang.post("/logout")
    elif how == "login":
        await world.seated("xiaowang")
    else:
        await wang.post("/presence", {"state": "off"})
    ended = (await _trail(await world.seated("zhuguan"), "area=agent.break"))[0]
    assert (ended["action"], ended["after"][1]) == ("agent.break_ended", ["时长", "10分00秒"])


async def test_who_lets_somebody_go_is_noted_as_ending_their_break(world: Any) -> None:
    wang = await world.seated("xiaowang")
    await wang.post("/presence", {"state": "break"})
    with acting(Who("operator", "root", channel="cli")):
        async with world.db.transaction() as session:
            await Roster(world.desk, world.clock).change(session, "xiaowang", Changes(active=False))
    async with world.db.snapshot() as session:
        row = await session.scalar(select(AuditRecord).where(AuditRecord.action == "agent.break_ended"))
    assert row is not None and (row.actor_kind, row.actor_id) == ("operator", "root")


async def test_the_day_s_breaks_stand_on_the_board_and_in_its_export(world: Any) -> None:
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    await wang.post("/presence", {"state": "break", "reason": "meal"})
    world.clock.advance(seconds=600)
    await wang.post("/presence", {"state": "on_duty"})
    await li.post("/presence", {"state": "break", "reason": "meeting"})
    world.clock.advance(seconds=120)
    now = world.clock.now()
    async with world.db.snapshot() as session:
        found = await breaks(session, now.replace(hour=0), now.replace(hour=23), now)
    assert [(b.agent_name, b.reason, b.seconds, b.ended_at is None) for b in found] == [
        ("小李", "会议", 120, True),
        ("小王", "用餐", 600, False),
    ]
    assert (found[0].began_at - found[1].began_at).total_seconds() == 600


async def _customers_act(world: Any) -> None:
    with acting(Who("customer", "customer-1", channel="web")):
        async with world.db.transaction() as session:
            note(
                session, "payee.added", at=world.clock.now(), customer_id="customer-1", after={"name": "*四"}
            )


async def test_an_auditor_reads_everything_a_supervisor_what_agents_did_an_agent_nothing(world: Any) -> None:
    wang, chen, auditor = [await world.seated(name) for name in ("xiaowang", "zhuguan", "shenji")]
    await _customers_act(world)
    assert (await wang.get("/trail"))[0] == 403
    assert all(item["who"] in ("小王", "陈主管", "审计员") for item in await _trail(chen))
    assert any(item["action"] == "payee.added" for item in await _trail(auditor))
    [payee] = await _trail(auditor, "kind=customer")
    assert (payee["who"], payee["after"]) == ("客户 customer-1", [["name", "*四"]])
    assert (await chen.get("/trail?kind=customer"))[0] == 403
    refused = [item for item in await _trail(auditor, "agent=xiaowang") if not item["allowed"]]
    assert [item["action_text"] for item in refused] == ["查审计记录"], "a refused look is noted too"


async def test_it_is_narrowed_by_person_matter_and_day_and_read_page_by_page(world: Any) -> None:
    wang, auditor = await world.seated("xiaowang"), await world.seated("shenji")
    for number in range(70):
        await wang.post("/presence", {"state": "break" if number % 2 == 0 else "on_duty"})
        world.clock.advance(seconds=5)
    first = (await auditor.get("/trail?agent=xiaowang&area=agent.break"))[1]
    second = (await auditor.get(f"/trail?agent=xiaowang&area=agent.break&before={first['next_before']}"))[1]
    assert (len(first["items"]), len(second["items"]), second["next_before"]) == (50, 20, None)
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == 70
    assert await _trail(auditor, "agent=xiaowang&area=complaint") == []
    assert await _trail(auditor, "agent=xiaowang&day=2026-10-14") == []
    assert len(await _trail(auditor, "agent=xiaowang&day=2026-10-15")) == 50


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("agent=nemo", 404),
        ("area=payee.", 400),
        ("kind=robot", 400),
        ("day=yesterday", 400),
        ("day=2099-01-01", 400),
        ("before=x", 400),
        ("before=-1", 400),
        ("before=99999999999999999999", 400),
    ],
)
async def test_a_question_that_is_none_is_refused(world: Any, query: str, status: int) -> None:
    auditor = await world.seated("shenji")
    assert (await auditor.get(f"/trail?{query}"))[0] == status


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
async def test_the_trail_can_only_be_read(world: Any, method: str) -> None:
    auditor = await world.seated("shenji")
    before = await _count(world)
    call = getattr(auditor.client, method)
    async with call("/desk/api/trail", json={}, headers={"Origin": auditor.origin}) as response:
        assert response.status in (403, 405)
    assert await _count(world) == before


async def _count(world: Any) -> int:
    async with world.db.snapshot() as session:
        return int(await session.scalar(select(func.count()).select_from(AuditRecord)) or 0)


@pytest.mark.parametrize("path", ["/board", "/board.csv", "/trail"])
async def test_reports_are_for_reading_not_for_hammering(world: Any, path: str) -> None:
    auditor = await world.seated("shenji")
    statuses = []
    for _ in range(21):
        async with auditor.client.get(f"/desk/api{path}?day=2019-01-01") as response:
            statuses.append(response.status)
    assert statuses == [400] * 20 + [429]
    world.clock.advance(seconds=2)
    async with auditor.client.get(f"/desk/api{path}?day=2019-01-01") as response:
        assert response.status == 400
    chen = await world.seated("zhuguan")
    assert (await chen.get("/trail"))[0] == 200, "a colleague is not slowed down by it"


def test_every_act_of_the_desk_has_words() -> None:
    literal = re.compile(r'"((?:agent|desk|tickets?|complaints?|board|audit)\.[a-z_]+)"')
    named = {
        action
        for entry in files("desk").iterdir()
        if entry.name.endswith(".py") and entry.name != "trail.py"
        for action in literal.findall(entry.read_text(encoding="utf-8"))
    }
    assert len(named) > 12
    assert named <= set(trail.ACTION_TEXT)
    assert all(any(action.startswith(area) for area in trail.AREAS if area) for action in trail.ACTION_TEXT)


@pytest.mark.browser
async def test_an_auditor_reads_the_trail_in_the_page(world: Any, browser: Browser) -> None:
    wang = await world.seated("xiaowang")
    await wang.post("/presence", {"state": "break", "reason": "meal"})
    world.clock.advance(seconds=300)
    await wang.post("/presence", {"state": "on_duty"})
    await _customers_act(world)
    page = await _sit(world, browser, "shenji")
    await page.get_by_test_id("tab-board").click()
    await page.get_by_test_id("trail-open").press("Enter")
    await expect(page.locator("#trail-title")).to_be_focused()
    await expect(page.get_by_test_id("trail")).to_contain_text("payee.added")
    await page.get_by_test_id("trail-area").select_option("agent.break")
    await expect(page.get_by_test_id("trail-row")).to_have_count(2)
    await expect(page.get_by_test_id("trail-row").first).to_contain_text("时长：5分00秒")
    await page.get_by_test_id("trail-agent").select_option("xiaoli")
    await expect(page.locator("#trail-empty")).to_be_visible()
    lead = await _sit(world, browser, "zhuguan")
    await lead.get_by_test_id("tab-board").click()
    await lead.get_by_test_id("trail-open").click()
    await expect(lead.get_by_test_id("trail")).to_contain_text("小王")
    await expect(lead.get_by_test_id("trail")).not_to_contain_text("payee.added")
    await expect(lead.get_by_test_id("trail-kind")).to_be_hidden()
