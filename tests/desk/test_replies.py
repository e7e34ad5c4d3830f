"""Replies kept ready: for oneself, a team or all; in an order, out of use and back; who may, and what is noted."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select, update

from banking_core.audit.models import AuditRecord
from bot.surfaces.errors import BadRequest
from desk import canned
from desk.models import DeskAgent
from desk.placeholders import PLACEHOLDERS, check_placeholders, fillings
from desk.wording import packaged_wording
from tests.desk.conftest import Page
from tests.desk.test_page import HOSTILE, _claim, _sit, browser

__all__ = ["browser"]
FEE = {"scope": "own", "shortcut": "费", "text": "手续费全免"}


async def _keep(page: Page, **changed: str) -> str:
    """Keeps 手续费全免 under 费, but for what is changed; its id."""
    status, body = await page.post("/replies", FEE | changed)
    assert status == 200, body
    return str(body["id"])


async def _ready(page: Page) -> list[tuple[str, str]]:
    """What is ready beyond what the desk comes with."""
    _, body = await page.get("/replies")
    return [(item["shortcut"], item["text"]) for item in body["items"] if item["id"]]


async def _kept(page: Page, scope: str = "own") -> list[str]:
    _, body = await page.get("/replies/kept")
    return [item["shortcut"] for item in body["items"] if item["scope"] == scope and not item["retired"]]


async def _become(world: Any, username: str, role: str) -> Page:
    async with world.db.transaction() as session:
        await session.execute(update(DeskAgent).where(DeskAgent.username == username).values(role=role))
    page: Page = await world.seated(username)
    return page


async def test_ones_own_are_one_s_own_a_team_s_the_team_s_and_all_s_everybody_s(world: Any) -> None:
    wang, li, chen = [await world.seated(name) for name in ("xiaowang", "xiaoli", "zhuguan")]
    packaged = len(packaged_wording().replies)
    await _keep(wang)
    assert await _ready(wang) == [("费", "手续费全免")]
    assert await _ready(li) == [] and len((await li.get("/replies"))[1]["items"]) == packaged
    await _keep(chen, scope="team:信贷组", shortcut="费", text="信贷业务不收手续费")
    await _keep(chen, scope="all", shortcut="费", text="手续费见价目表")
    assert await _ready(wang) == [("费", "手续费全免")], "one's own goes first"
    assert await _ready(li) == [("费", "信贷业务不收手续费")], "then the team's"
    assert await _ready(chen) == [("费", "手续费见价目表")]
    hello = await _keep(chen, scope="all", shortcut="你好", text="您好，掌柜银行{坐席}为您服务。")
    assert ("你好", "您好，掌柜银行小李为您服务。") in await _ready(li), "in place of the packaged one"
    assert (await li.post(f"/replies/{hello}/retire"))[0] == 403
    assert (await chen.post(f"/replies/{hello}/retire"))[0] == 200
    greeting = next(item for item in (await li.get("/replies"))[1]["items"] if item["shortcut"] == "你好")
    assert greeting["id"] == "" and "小李" in greeting["text"]


async def test_a_shortcut_is_there_once_and_a_reply_is_changed_by_its_id(world: Any) -> None:
    wang = await world.seated("xiaowang")
    fee = await _keep(wang)
    status, body = await wang.post("/replies", FEE | {"text": "又一条"})
    assert (status, body["error"]["code"]) == (409, "reply_taken")
    limit = await _keep(wang, shortcut="限额", text="单日五万")
    assert (await wang.post(f"/replies/{limit}", {"shortcut": "费", "text": "x"}))[0] == 409
    assert (await wang.post(f"/replies/{fee}", {"shortcut": "手续费", "text": "手续费减半"}))[0] == 200
    assert await _ready(wang) == [("手续费", "手续费减半"), ("限额", "单日五万")]


async def test_only_those_in_use_count_toward_the_limit(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canned, "KEPT_MAX", 3)
    wang = await world.seated("xiaowang")
    ids = [await _keep(wang, shortcut=name) for name in ("甲", "乙", "丙")]
    status, body = await wang.post("/replies", FEE | {"shortcut": "丁"})
    assert (status, body["error"]["text"]) == (400, "在用的常用语最多3条，请先停用一条。")
    await wang.post(f"/replies/{ids[0]}/retire")
    await _keep(wang, shortcut="丁")
    assert await _kept(wang) == ["乙", "丙", "丁"]
    assert (await wang.post(f"/replies/{ids[0]}/restore"))[0] == 400, "it would be one too many"
    assert await _kept(wang) == ["乙", "丙", "丁"]


async def test_they_are_put_in_order_taken_out_of_use_and_back(world: Any) -> None:
    wang = await world.seated("xiaowang")
    ids = {name: await _keep(wang, shortcut=name) for name in ("甲", "乙", "丙")}
    assert await _kept(wang) == ["甲", "乙", "丙"]
    assert (await wang.post(f"/replies/{ids['丙']}/move", {"step": -1}))[0] == 200
    assert await _kept(wang) == ["甲", "丙", "乙"] == [shortcut for shortcut, _ in await _ready(wang)]
    for _ in range(3):  # at the end it stays
        await wang.post(f"/replies/{ids['甲']}/move", {"step": 1})
    assert await _kept(wang) == ["丙", "乙", "甲"]
    await wang.post(f"/replies/{ids['乙']}/retire")
    assert await _kept(wang) == ["丙", "甲"] and len((await wang.get("/replies/kept"))[1]["items"]) == 3
    assert (await wang.post("/replies", FEE | {"shortcut": "乙"}))[0] == 409, "it can be had back instead"
    await wang.post(f"/replies/{ids['乙']}/restore")
    assert sorted(await _kept(wang)) == sorted(["丙", "甲", "乙"])
    for step in (0, 2, "1", True, None):
        assert (await wang.post(f"/replies/{ids['乙']}/move", {"step": step}))[0] == 400, step


@pytest.mark.parametrize("act", ["", "/retire", "/restore", "/move"])
async def test_the_wrong_hand_changes_nothing(world: Any, act: str) -> None:
    wang, li, chen = [await world.seated(name) for name in ("xiaowang", "xiaoli", "zhuguan")]
    auditor = await world.seated("shenji")
    own, shared = await _keep(wang), await _keep(chen, scope="all")
    body = {"shortcut": "换", "text": "换", "step": 1}
    assert (await li.post(f"/replies/{own}{act}", body))[0] == 404, "a colleague's own is not there"
    assert (await chen.post(f"/replies/{own}{act}", body))[0] == 404, "not for who leads either"
    assert (await li.post(f"/replies/{shared}{act}", body))[0] == 403
    assert (await auditor.post(f"/replies/{shared}{act}", body))[0] == 403
    assert (await chen.post(f"/replies/{shared}{act}", body, headers={}))[0] == 403, "from another site"
    assert (await chen.post(f"/replies/none{act}", body))[0] == 404
    assert await _ready(wang) == [("费", "手续费全免")] and await _ready(li) == [("费", "手续费全免")]


async def test_who_may_keep_what_for_whom(world: Any) -> None:
    for username, role, scopes in (
        ("xiaowang", "agent", {"own"}),
        ("xiaowang", "senior", {"own", "all", "team:综合组"}),
        ("zhuguan", "supervisor", {"own", "all", "team:综合组", "team:信贷组"}),
    ):
        page = await _become(world, username, role)
        _, body = await page.get("/replies/kept")
        assert {code for code, _ in body["scopes"]} == scopes, role
        for scope in ("own", "all", "team:综合组", "team:信贷组"):
            status, _ = await page.post("/replies", FEE | {"scope": scope, "shortcut": role})
            assert (status == 200) is (scope in scopes), (role, scope)
    assert (await page.post("/replies", FEE | {"scope": "team:没有的组"}))[0] == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"shortcut": ""},
        {"shortcut": "有 空格"},
        {"shortcut": "长" * 17},
        {"text": ""},
        {"text": "字" * 501},
        {"text": "您好，{客户名}"},
        {"text": "您好，{称呼"},
        {"text": "您好，{}"},
        {"text": "您好，{{称呼}}"},
        {"scope": ""},
        {"scope": "team:"},
        {"scope": "everybody"},
        {"scope": 3},
    ],
)
async def test_an_unusable_reply_is_refused_with_a_sentence(world: Any, changed: dict[str, Any]) -> None:
    wang = await world.seated("xiaowang")
    status, body = await wang.post("/replies", FEE | changed)
    assert status == 400 and re.search("[一-鿿]", body["error"]["text"])
    fee = await _keep(wang)
    if "scope" not in changed:
        assert (await wang.post(f"/replies/{fee}", FEE | changed))[0] == 400
    assert await _ready(wang) == [("费", "手续费全免")]


def test_an_unknown_placeholder_is_named_and_the_known_ones_are_told() -> None:
    with pytest.raises(BadRequest) as refused:
        check_placeholders("{问候}，{客户名}，请稍等")
    assert "{客户名}" in refused.value.text
    assert all(f"{{{name}}}" in refused.value.text for name in PLACEHOLDERS)
    check_placeholders("{问候}，{称呼}，我是{坐席}，正在看您的{业务}。")
    for text in packaged_wording().replies.values():
        check_placeholders(text)


@pytest.mark.parametrize(
    ("hour_utc", "greeting"),
    [(22, "早上好"), (1, "上午好"), (4, "中午好"), (6, "下午好"), (10, "晚上好"), (18, "晚上好")],
)
def test_what_stands_in_place_of_a_placeholder_is_the_bank_s_hour_and_the_customer_s_level(
    hour_utc: int, greeting: str
) -> None:
    found = fillings("vip", "转账", datetime(2026, 10, 15, hour_utc, tzinfo=UTC))
    assert found == {"称呼": "尊敬的贵宾客户", "业务": "转账", "问候": greeting}
    assert fillings("standard", "", datetime(2026, 10, 15, tzinfo=UTC))["称呼"] == "尊敬的客户"
    assert set(found) | {"坐席"} == set(PLACEHOLDERS)


async def test_every_change_is_noted_with_who_what_and_how_it_was(world: Any) -> None:
    chen = await world.seated("zhuguan")
    reply = await _keep(chen, scope="team:信贷组")
    await chen.post(f"/replies/{reply}", {"shortcut": "费", "text": "手续费减半"})
    for act in ("move", "retire", "restore"):
        await chen.post(f"/replies/{reply}/{act}", {"step": 1})
    async with world.db.snapshot() as session:
        rows = await session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == reply).order_by(AuditRecord.id)
        )
        noted = [(row.action.removeprefix("desk.reply_"), row.before, row.after or {}) for row in rows]
    assert [act for act, *_ in noted] == ["added", "changed", "moved", "retired", "restored"]
    assert all((after["scope"], after["shortcut"]) == ("team:信贷组", "费") for _, _, after in noted)
    assert (noted[1][1], noted[1][2]["text"]) == ({"text": "手续费全免"}, "手续费减半")


async def test_a_long_reply_is_noted_whole(world: Any) -> None:
    chen = await world.seated("zhuguan")
    reply = await _keep(chen, scope="all", text="字" * 500)
    assert (await chen.post(f"/replies/{reply}", {"shortcut": "费", "text": "词" * 500}))[0] == 200


async def test_keeping_replies_too_fast_is_slowed_down(world: Any) -> None:
    wang = await world.seated("xiaowang")
    fee = await _keep(wang)
    statuses = [(await wang.post(f"/replies/{fee}/retire"))[0] for _ in range(30)]
    assert statuses == [200] * 29 + [429]
    world.clock.advance(seconds=1)
    assert (await wang.post(f"/replies/{fee}/restore"))[0] == 200


@pytest.mark.browser
async def test_a_supervisor_keeps_the_list_by_keyboard(world: Any, browser: Browser) -> None:
    world.hub.add(
        "c1", "手续费多少", who={"name": "*伟", "phone": "138****0004", "level": "vip"}, skill="转账"
    )
    page = await _sit(world, browser, "zhuguan")
    li = await _sit(world, browser, "xiaoli")
    await _claim(li)
    await page.keyboard.press("m")
    shortcut, text = page.get_by_test_id("reply-shortcut"), page.get_by_test_id("reply-text")
    await expect(shortcut).to_be_focused()
    await page.get_by_test_id("replies-scope").select_option("team:信贷组")
    for name, words in (("费", "{问候}，{称呼}，{客户名}"), ("限额", HOSTILE)):
        await shortcut.fill(name)
        await page.keyboard.press("Tab")
        await page.keyboard.type(words)
        await page.get_by_test_id("reply-save").press("Enter")
        if name == "费":
            await expect(page.get_by_test_id("reply-error")).to_contain_text("不认识{客户名}")
            await text.fill("{称呼}，{业务}不收手续费，我是{坐席}。")
            await page.get_by_test_id("reply-save").press("Enter")
        await expect(page.get_by_test_id("reply-done")).to_have_text(f"已保存 /{name}")
    rows = page.get_by_test_id("reply-row")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("<script>")
    await rows.nth(1).locator("button").first.focus()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(rows.first).to_contain_text("/限额")
    await expect(rows.first.locator("button").first).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_test_id("reply-retire").press("Enter")
    await expect(page.get_by_test_id("reply-retire")).to_have_text("恢复使用")
    await expect(rows.last).to_contain_text("已停用")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("replies")).to_be_hidden()

    await li.reload()
    await li.get_by_test_id("mine-item").locator("button").click()
    await expect(li.get_by_test_id("message").first).to_be_visible()
    await li.get_by_test_id("agent-composer").fill("/费")
    await expect(li.get_by_test_id("canned-item")).to_contain_text("小组")
    await li.keyboard.press("Enter")
    await expect(li.get_by_test_id("agent-composer")).to_have_value(
        "尊敬的贵宾客户，转账不收手续费，我是小李。"
    )
    await li.get_by_test_id("canned-manage").click()
    await expect(li.get_by_test_id("replies-scope").locator("option")).to_have_text(["只我自己"])
    await expect(li.get_by_test_id("reply-text")).to_have_value("尊敬的贵宾客户，转账不收手续费，我是小李。")
