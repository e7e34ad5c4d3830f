"""A page whose agent has left the seat: covered, and deaf to its cookie, until the password is typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from desk import DEMO_PASSWORD
from desk.custody import Custody
from tests.browsers import open_browser
from tests.desk.conftest import FakeSound

browser_test = pytest.mark.browser
IDLE_S = 15 * 60
SECRET = "我的秘密"
CLIENT_ID = "0e3f4d6a-1111-2222-3333-444455556666"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


async def _serving(world: Any) -> Any:
    world.hub.add("c1", SECRET, who={"name": "*伟", "phone": "138****0004", "level": "gold"})
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    return page


READS = (
    "/me",
    "/queue",
    "/mine",
    "/conversations/c1",
    "/conversations/c1/card",
    "/tickets",
    "/colleagues",
    "/replies",
)
WRITES = (
    ("/conversations/c1/say", {"client_id": CLIENT_ID, "text": "您好"}),
    ("/conversations/c1/note", {"text": "备注"}),
    ("/conversations/c1/close", {"wrap_up": "done"}),
    ("/presence", {"state": "break"}),
    ("/active", {}),
)


async def test_after_fifteen_minutes_without_input_a_login_reads_and_does_nothing(world: Any) -> None:
    page = await _serving(world)
    world.clock.advance(seconds=IDLE_S - 1)
    assert (await page.get("/mine"))[0] == 200, "looking is no input"
    world.clock.advance(seconds=1)
    for path in READS:
        status, body = await page.get(path)
        assert (status, body["error"]["code"]) == (423, "seat_locked"), path
        assert SECRET not in str(body)
    for path, body in WRITES:
        assert (await page.post(path, body))[0] == 423, path
    assert len(world.hub.conversations["c1"].messages) == 2


async def test_input_told_by_the_page_or_an_act_puts_the_lock_off(world: Any) -> None:
    page = await _serving(world)
    for path, body in (("/active", {}), ("/conversations/c1/typing", {}), ("/active", {})):
        world.clock.advance(seconds=IDLE_S - 60)
        assert (await page.post(path, body))[0] == 200
    world.clock.advance(seconds=IDLE_S - 60)
    assert (await page.get("/mine"))[0] == 200


async def test_only_the_password_unlocks_and_the_customer_is_still_there(world: Any) -> None:
    page = await _serving(world)
    assert (await page.post("/lock"))[0] == 200
    assert (await page.get("/mine"))[0] == 423
    token = page.token()
    status, body = await page.post("/unlock", {"password": "falsch"})
    assert (status, body["error"]["text"]) == (401, "密码不对，还可以试4次。")
    assert (await page.get("/conversations/c1"))[0] == 423
    status, body = await page.post("/unlock", {"password": DEMO_PASSWORD})
    assert (status, body["agent"]["presence"]) == (200, "on_duty")
    assert page.token() == token
    assert SECRET in str(await page.get("/conversations/c1"))


async def test_guessing_at_the_lock_counts_as_guessing_at_the_door(world: Any) -> None:
    page = await _serving(world)
    await page.post("/lock")
    for _ in range(5):
        await page.post("/unlock", {"password": "falsch"})
    status, body = await page.post("/unlock", {"password": DEMO_PASSWORD})
    assert (status, body["error"]["code"]) == (423, "login_locked")
    assert (await page.get("/mine"))[0] == 423


async def test_without_a_seat_there_is_nothing_to_unlock(world: Any) -> None:
    page = world.page()
    assert (await page.post("/unlock", {"password": DEMO_PASSWORD}))[0] == 401


async def test_an_auditor_s_page_is_locked_too_and_they_may_lock_it(world: Any) -> None:
    page = await world.seated("shenji")
    assert (await page.post("/active"))[0] == 200
    assert (await page.post("/lock"))[0] == 200
    assert (await page.get("/board"))[0] == 423


async def test_a_locked_agent_keeps_customers_and_presence_while_the_page_lives(world: Any) -> None:
    page = await _serving(world)
    await page.post("/lock")
    async with page.client.ws_connect("/desk/api/ws", headers={"Origin": page.origin}) as socket:
        kinds = [(await socket.receive_json())["type"] for _ in range(3)]
        assert sorted(kinds) == ["beat", "locked", "welcome"], "and nothing else"
        world.hub.say("c1", "customer", "我", "还在吗")
        await page.post("/unlock", {"password": DEMO_PASSWORD})
        frames = {}
        while not {"me", "mine", "state"} <= frames.keys():
            frame = await socket.receive_json()
            frames[frame["type"]] = frame
        assert "message" not in frames, "what was said meanwhile is asked for, not told to a locked page"
    assert await Custody(world.deps).release_absent() == 0
    assert world.hub.conversations["c1"].agent_name == "小王"


async def test_a_call_goes_on_while_the_page_is_locked_and_none_is_joined(world: Any) -> None:
    page = await _serving(world)
    sound = world.calls.sounds["c1"] = FakeSound()
    address, headers = "/desk/api/conversations/c1/sound", {"Origin": page.origin}
    async with page.client.ws_connect(address, headers=headers) as socket:
        sound.heard.put_nowait(bytes(320))
        assert await socket.receive_bytes() == bytes(320)
        await page.post("/lock")
        sound.heard.put_nowait(bytes(range(200)) + bytes(120))
        assert (await socket.receive_bytes())[:3] == b"\0\1\2"
        async with page.client.ws_connect(address, headers=headers) as second:
            assert (await second.receive_json())["error"]["code"] == "seat_locked"
            assert (await second.receive()).data == 4401


async def _sit(world: Any, browser: Browser) -> Page:
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await page.goto(str(world.server.make_url("/desk/")))
    await page.get_by_test_id("desk-user").fill("xiaowang")
    await page.get_by_test_id("desk-pass").fill(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    return page


async def _serving_on_the_page(world: Any, browser: Browser) -> Page:
    world.hub.add("c1", SECRET)
    page = await _sit(world, browser)
    await page.get_by_test_id("claim").click()
    await expect(page.get_by_test_id("transcript")).to_contain_text(SECRET)
    return page


@browser_test
async def test_locked_and_unlocked_with_the_keyboard_the_draft_is_where_it_was(
    world: Any, browser: Browser
) -> None:
    world.hub.add("c1", SECRET)
    page = await _sit(world, browser)
    await page.keyboard.press("Alt+j")
    composer = page.get_by_test_id("agent-composer")
    await expect(composer).to_be_focused()
    await page.keyboard.type("写到一半")
    await page.keyboard.press("Alt+l")
    cover = page.get_by_test_id("lock")
    await expect(page.get_by_test_id("lock-pass")).to_be_focused()
    await expect(page).to_have_title("已锁定 · 掌柜坐席台")
    box = await cover.bounding_box()
    assert box is not None and (box["width"], box["height"]) == (1280, 800), "covers the whole page"
    for _ in range(3):
        await page.keyboard.press("Escape")
    await expect(cover).to_be_visible()
    world.hub.say("c1", "customer", "我", "锁定时说的话")
    await page.keyboard.type("falsch")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("lock-error")).to_have_text("密码不对，还可以试4次。")
    assert await page.get_by_text("锁定时说的话").count() == 0
    await page.keyboard.type(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(cover).to_be_hidden()
    await expect(composer).to_be_focused()
    await expect(composer).to_have_value("写到一半")
    await expect(page.get_by_test_id("transcript")).to_contain_text("锁定时说的话")
    assert world.hub.conversations["c1"].agent_name == "小王"


@browser_test
async def test_what_was_still_on_its_way_when_the_page_was_locked_does_not_change_its_title(
    world: Any, browser: Browser
) -> None:
    page = await _serving_on_the_page(world, browser)
    held = asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await held.wait()
        await route.fulfill(response=answer)

    await page.route("**/conversations/c1?after_seq=*", late)
    async with page.expect_request("**/conversations/c1?after_seq=*"):
        world.hub.events.publish("c1", {"type": "state"})
    await page.keyboard.press("Alt+l")
    async with page.expect_response("**/conversations/c1?after_seq=*"):
        held.set()
    await page.get_by_test_id("lock-pass").fill(DEMO_PASSWORD)
    await expect(page).to_have_title("已锁定 · 掌柜坐席台")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("lock")).to_be_hidden()
    await expect(page).to_have_title("掌柜坐席台")


@browser_test
async def test_a_page_opened_again_while_locked_shows_nothing_but_the_lock(
    world: Any, browser: Browser
) -> None:
    page = await _serving_on_the_page(world, browser)
    world.clock.advance(seconds=IDLE_S)
    await page.reload()
    await expect(page.get_by_test_id("lock-pass")).to_be_focused()
    assert await page.get_by_text(SECRET).count() == 0
    await page.keyboard.type(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("mine-item")).to_have_count(1)


@browser_test
async def test_the_page_covers_itself_when_nobody_touches_it(world: Any, browser: Browser) -> None:
    world.hub.add("c1", SECRET)
    page = await (await browser.new_context()).new_page()
    await page.clock.install()
    await page.goto(str(world.server.make_url("/desk/")))
    await page.get_by_test_id("desk-user").fill("xiaowang")
    await page.get_by_test_id("desk-pass").fill(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    world.clock.advance(seconds=IDLE_S)
    await expect(page.get_by_test_id("lock")).to_be_hidden()
    await page.clock.run_for((IDLE_S + 2) * 1000)
    await expect(page.get_by_test_id("lock")).to_be_visible()
