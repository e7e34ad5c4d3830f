"""The sound of a telephone call at the desk: only for the agent who has it, only while there is one."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError
from playwright.async_api import expect
from sqlalchemy import select

from banking_core.audit.models import AuditRecord
from bot.conversation.staffing import Asking
from desk import DEMO_PASSWORD
from desk.calls import CLOSE_NO_CALL, CLOSE_NOT_YOURS
from desk.cases import due_at
from desk.live import CLOSE_NO_SESSION
from desk.models import Case
from tests.browsers import open_browser
from tests.desk.conftest import FakeSound

FRAME = bytes(range(2)) * 160


async def _sound(page: Any, conversation_id: str = "c1", *, origin: str | None = None) -> Any:
    path = f"/desk/api/conversations/{conversation_id}/sound"
    return await page.client.ws_connect(path, headers={"Origin": origin or page.origin})


async def _on_the_phone(world: Any, conversation_id: str = "c1") -> FakeSound:
    world.hub.add(conversation_id, "转人工", channel="phone")
    sound = world.calls.sounds[conversation_id] = FakeSound()
    return sound


async def _closed_with(socket: Any) -> int:
    while (message := await socket.receive(timeout=5)).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
        pass
    return int(socket.close_code if message.type is WSMsgType.CLOSED else message.data)


async def test_caller_and_agent_hear_each_other_and_the_look_is_noted(world: Any) -> None:
    sound, page = await _on_the_phone(world), await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    socket = await _sound(page)
    sound.heard.put_nowait(FRAME)
    assert (await socket.receive(timeout=5)).data == FRAME
    await socket.send_bytes(FRAME)
    assert await asyncio.wait_for(sound.said.get(), 5) == FRAME
    async with world.db.snapshot() as session:
        actions = list(await session.scalars(select(AuditRecord.action)))
    assert "conversation.listened" in actions


async def test_half_samples_and_text_are_no_sound(world: Any) -> None:
    sound, page = await _on_the_phone(world), await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    socket = await _sound(page)
    await socket.send_bytes(b"123")
    await socket.send_str("hello")
    await socket.send_bytes(FRAME)
    assert await asyncio.wait_for(sound.said.get(), 5) == FRAME and sound.said.empty()


async def _owed(world: Any, conversation_id: str = "c1") -> Any:
    async with world.db.snapshot() as session:
        case = await session.scalar(select(Case).where(Case.conversation_id == conversation_id))
    return due_at(case)


async def test_what_the_caller_hears_ends_the_wait_like_a_written_reply_and_a_quiet_room_does_not(
    world: Any,
) -> None:
    sound, page = await _on_the_phone(world), await world.seated("xiaowang")
    async with world.db.transaction() as session:
        asking = Asking("c1", None, "phone", "asked")
        await world.desk.queued(session, asking, await world.desk.place(session, asking))
    await page.post("/conversations/c1/claim")
    socket = await _sound(page)
    room, voice = (np.full(1200, size, "<i2").tobytes() for size in (60, 4000))
    for _ in range(4):
        await socket.send_bytes(room)
        await asyncio.wait_for(sound.said.get(), 5)
    assert await _owed(world) is not None
    async with world.hub.events.subscribe_all() as events:
        await socket.send_bytes(voice)
        await socket.send_bytes(voice)
        while (await asyncio.wait_for(events.get(), 5))["type"] != "queue":
            pass
    assert await _owed(world) is None
    assert await asyncio.wait_for(sound.said.get(), 5) == voice


async def test_a_colleague_hears_nothing(world: Any) -> None:
    await _on_the_phone(world)
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    await wang.post("/conversations/c1/claim")
    assert await _closed_with(await _sound(li)) == CLOSE_NOT_YOURS
    assert world.calls.joined == 0


async def test_a_stranger_and_another_site_hear_nothing(world: Any) -> None:
    await _on_the_phone(world)
    assert await _closed_with(await _sound(world.page())) == CLOSE_NO_SESSION
    page = await world.seated("xiaowang")
    with pytest.raises(WSServerHandshakeError):
        await _sound(page, origin="https://elsewhere.example")


async def test_who_is_not_on_the_telephone_cannot_be_heard(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    assert await _closed_with(await _sound(page)) == CLOSE_NO_CALL


async def test_an_agent_sees_that_a_customer_of_the_page_is_on_a_call(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    for calling in (False, True):
        if calling:
            world.calls.sounds["c1"] = FakeSound()
        status, case = await page.get("/conversations/c1")
        assert (status, case["facts"]["calling"]) == (200, calling)


async def test_the_sound_ends_with_the_call(world: Any) -> None:
    sound, page = await _on_the_phone(world), await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    socket = await _sound(page)
    sound.heard.put_nowait(None)
    await _closed_with(socket)
    assert world.calls.joined == 0


async def test_the_sound_ends_when_the_agent_lets_go_of_the_conversation(world: Any) -> None:
    _, page = await _on_the_phone(world), await world.seated("xiaowang")
    await page.post("/conversations/c1/claim")
    socket = await _sound(page)
    await page.post("/conversations/c1/hand-back", {"note": ""})
    await _closed_with(socket)
    assert world.calls.joined == 0


@pytest.mark.browser
async def test_an_agent_speaks_with_a_caller_from_the_page(world: Any) -> None:
    """Chromium's own beeping microphone, through the page, arrives at the call as sound of the right rate."""
    sound = await _on_the_phone(world)
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with open_browser(*flags) as browser:
        page = await (await browser.new_context()).new_page()
        await page.goto(str(world.server.make_url("/desk/")))
        await page.get_by_test_id("desk-user").fill("xiaowang")
        await page.get_by_test_id("desk-pass").fill(DEMO_PASSWORD)
        await page.get_by_test_id("desk-login").click()
        await page.get_by_test_id("claim").first.click()
        await page.get_by_test_id("call").click()
        await expect(page.get_by_test_id("call")).to_have_text("挂断语音")
        pieces = [await asyncio.wait_for(sound.said.get(), 20) for _ in range(100)]
        assert {len(piece) for piece in pieces} == {320}
        loud = np.abs(np.frombuffer(b"".join(pieces), "<i2").astype(int))
        assert loud.max() > 1000
        for _ in range(25):
            sound.heard.put_nowait(FRAME)
        await page.get_by_test_id("call").click()
        await expect(page.get_by_test_id("call")).to_have_text("接通语音")
        world.hub.add("c2", "在吗")
        await page.get_by_test_id("claim").first.click()
        await expect(page.get_by_test_id("call")).to_be_hidden()
