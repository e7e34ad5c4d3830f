"""The page's web socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete

from desk.models import AgentSession

Frame = dict[str, Any]


async def _open(page: Any) -> Any:
    return await page.client.ws_connect("/desk/api/ws", headers={"Origin": page.origin})


async def _until(socket: Any, kind: str, fits: Callable[[Frame], bool] = lambda _frame: True) -> Frame:
    while True:
        frame: Frame = await socket.receive_json(timeout=5)
        if frame["type"] == kind and fits(frame):
            return frame


async def test_a_new_customer_in_the_queue_shows_at_once(world: Any) -> None:
    page = await world.seated("xiaowang")
    socket = await _open(page)
    assert (await _until(socket, "queue"))["items"] == []
    world.hub.add("c1", "转人工")
    [item] = (await _until(socket, "queue"))["items"]
    assert (item["conversation_id"], item["reason_text"]) == ("c1", "客户要求")


async def test_a_claimed_customer_leaves_everybody_s_queue(world: Any) -> None:
    world.hub.add("c1", "转人工")
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    socket = await _open(li)
    assert len((await _until(socket, "queue"))["items"]) == 1
    await wang.post("/conversations/c1/claim")
    assert (await _until(socket, "queue"))["items"] == []


async def test_messages_reach_the_agent_who_holds_the_conversation(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    socket = await _open(page)
    await page.post("/conversations/c1/claim")
    assert (await _until(socket, "state"))["first"], "no news: nothing is read that nobody has opened"
    world.hub.events.publish("c1", {"type": "state"})
    assert "first" not in await _until(socket, "state")
    world.hub.say("c1", "customer", "我", "在吗")
    frame = await _until(socket, "message")
    assert (frame["conversation_id"], frame["message"]["text"]) == ("c1", "在吗")


async def test_messages_do_not_reach_anybody_else(world: Any) -> None:
    world.hub.add("c1", "转人工")
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    socket = await _open(li)
    await wang.post("/conversations/c1/claim")
    await _until(socket, "queue", lambda frame: frame["items"] == [])
    world.hub.say("c1", "customer", "我", "我的秘密")
    world.hub.add("c2", "转人工")
    seen: list[Frame] = []
    while not any(frame["type"] == "queue" and frame["items"] for frame in seen):
        seen.append(await socket.receive_json(timeout=5))
    assert "秘密" not in str(seen)


async def test_after_handing_back_the_customer_s_words_no_longer_arrive(world: Any) -> None:
    conversation = world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    socket = await _open(page)
    await page.post("/conversations/c1/claim")
    await _until(socket, "state")
    conversation.owner, conversation.agent_id = "bot", None  # elsewhere, before this page hears of it
    world.hub.say("c1", "customer", "我", "我的秘密")
    frame = await _until(socket, "mine", lambda frame: frame["items"] == [])
    assert "秘密" not in str(frame)


async def test_the_customer_s_typing_shows_and_one_s_own_does_not(world: Any) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    socket = await _open(page)
    await page.post("/conversations/c1/claim")
    await _until(socket, "state")
    world.hub.typing("c1", "agent")
    world.hub.typing("c1", "customer")
    frames = [await socket.receive_json(timeout=5)]
    while frames[-1]["type"] != "typing":
        frames.append(await socket.receive_json(timeout=5))
    world.hub.say("c1", "customer", "我", "好了")
    rest = await _until(socket, "message")
    assert rest["message"]["text"] == "好了"


async def test_a_page_without_a_seat_is_told_so(world: Any) -> None:
    socket = await _open(world.page())
    frame = await socket.receive_json()
    assert (frame["type"], frame["error"]["code"]) == ("error", "no_session")
    await socket.receive()
    assert socket.close_code == 4401


async def test_logging_out_closes_the_open_pages(world: Any) -> None:
    page = await world.seated("xiaowang")
    socket = await _open(page)
    await _until(socket, "queue")
    await page.post("/logout")
    async for _ in socket:
        pass
    assert socket.close_code == 4001


async def test_a_session_that_ended_elsewhere_gets_no_live_page(world: Any) -> None:
    page = await world.seated("xiaowang")
    async with world.db.transaction() as session:
        await session.execute(delete(AgentSession))
    socket = await _open(page)
    assert (await socket.receive_json())["error"]["code"] == "no_session"


async def test_an_agent_holds_no_more_than_six_sockets(world: Any) -> None:
    page = await world.seated("xiaowang")
    sockets = [await _open(page) for _ in range(6)]
    for socket in sockets:
        await _until(socket, "welcome")
    one_more = await _open(page)
    assert (await one_more.receive_json())["error"]["code"] == "too_fast"


async def test_nonsense_on_the_socket_is_ignored_and_a_ping_answered(world: Any) -> None:
    page = await world.seated("xiaowang")
    socket = await _open(page)
    for raw in ("", "[", "[1]", '{"type": 5}', '"x"'):
        await socket.send_str(raw)
    await socket.send_json({"type": "ping"})
    assert await _until(socket, "pong") == {"type": "pong"}


@pytest.mark.parametrize("act", ["transfer", "take-over"])
async def test_whoever_lost_the_customer_hears_no_more_and_whoever_got_them_does(
    world: Any, act: str
) -> None:
    world.hub.add("c1", "转人工")
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    chen = await world.seated("zhuguan")
    losing = await _open(wang)
    await wang.post("/conversations/c1/claim")
    await _until(losing, "state")
    gaining = await _open(li if act == "transfer" else chen)
    if act == "transfer":
        body = {"agent": "xiaoli", "note": "说明"}
        assert (await wang.post("/conversations/c1/transfer", body))[0] == 200
    else:
        assert (await chen.post("/conversations/c1/take-over"))[0] == 200
    await _until(gaining, "state")
    world.hub.say("c1", "customer", "我", "我的秘密")
    assert (await _until(gaining, "message"))["message"]["text"] == "我的秘密"
    world.hub.add("c2", "转人工")
    seen: list[Frame] = []
    while not any(frame["type"] == "queue" and frame["items"] for frame in seen):
        seen.append(await losing.receive_json(timeout=5))
    assert "秘密" not in str(seen)
