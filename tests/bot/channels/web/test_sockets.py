"""The web socket: order, no loss, no doubling, secrets, refusals."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta

import pytest
from aiohttp import WSServerHandshakeError


async def connected(site):
    visitor = site.visitor()
    me = await visitor.arrive()
    socket = await visitor.connect()
    await socket.hello()
    return visitor, socket, me["conversation_id"]


def messages(frames):
    return [frame["message"]["text"] for frame in frames if frame["type"] == "message"]


def seqs(frames):
    return [frame["message"]["seq"] for frame in frames if frame["type"] == "message"]


async def test_hello_is_answered_by_welcome_then_the_log_then_the_state(site):
    visitor = site.visitor()
    me = await visitor.arrive()
    site.hub.say(me["conversation_id"], "bot", "一")
    site.hub.say(me["conversation_id"], "bot", "二")
    socket = await visitor.connect()

    frames = await socket.hello()

    assert [frame["type"] for frame in frames] == ["welcome", "message", "message", "state"]
    assert frames[0]["conversation_id"] == me["conversation_id"]
    assert messages(frames) == ["一", "二"]
    assert frames[-1]["label"] == "小掌柜"


async def test_a_message_is_acknowledged_and_answered_once(site):
    _, socket, _ = await connected(site)

    await socket.say("你好")
    frames = await socket.until("ack") + await socket.settle()

    assert sorted(seqs(frames)) == seqs(frames) == [1, 2]
    assert messages(frames) == ["你好", "收到：你好"]
    assert frames[[f["type"] for f in frames].index("ack")]["seq"] == 1


async def test_a_resent_message_gets_the_same_ack_and_no_second_effect(site):
    visitor, socket, conversation_id = await connected(site)
    await socket.say("转账", "client-0007")
    first = (await socket.until("ack"))[-1]
    await socket.raw.close()
    again = await visitor.connect()
    await again.hello(after_seq=2, conversation_id=conversation_id)

    await again.say("转账", "client-0007")
    second = (await again.until("ack"))[-1]

    assert second == first
    assert len(site.hub.talks[conversation_id].log) == 2


async def test_after_a_break_only_what_was_missed_is_sent(site):
    visitor, socket, conversation_id = await connected(site)
    for number in range(5):
        site.hub.say(conversation_id, "bot", f"第{number + 1}条")
    await socket.raw.close()
    again = await visitor.connect()

    frames = await again.hello(after_seq=3, conversation_id=conversation_id)

    assert messages(frames) == ["第4条", "第5条"]


async def test_a_page_that_knows_another_conversation_gets_the_whole_log(site):
    visitor, _, conversation_id = await connected(site)
    site.hub.say(conversation_id, "bot", "一")
    again = await visitor.connect()

    frames = await again.hello(after_seq=40, conversation_id="another")

    assert messages(frames) == ["一"]


async def test_a_long_log_is_caught_up_with_in_pages_without_a_gap(site):
    visitor, _, conversation_id = await connected(site)
    for number in range(450):
        site.hub.say(conversation_id, "bot", str(number))
    again = await visitor.connect()

    frames = await again.hello(after_seq=1, conversation_id=conversation_id)

    assert seqs(frames) == list(range(2, 451))


async def test_lost_live_events_are_made_good_by_the_next_ping(site):
    _, socket, conversation_id = await connected(site)
    site.hub.mute = True
    site.hub.say(conversation_id, "agent", "在吗")
    site.hub.change(conversation_id, owner="agent", agent_name="小王")

    await socket.settle()
    frames = await socket.settle()

    assert messages(frames) == ["在吗"]
    assert frames[-1]["label"] == "人工 · 小王"


async def test_live_events_out_of_order_leave_in_order(site):
    _, socket, conversation_id = await connected(site)
    site.hub.mute = True
    views = [site.hub.say(conversation_id, "bot", text) for text in ("一", "二", "三")]
    site.hub.mute = False

    for view in reversed(views):
        site.hub.publish(conversation_id, {"type": "message", "message": view.to_json()})
    frames = []
    while len(seqs(frames)) < 3:
        frames.append(await socket.raw.receive_json(timeout=5))
    frames += await socket.settle()

    assert messages(frames) == ["一", "二", "三"]


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"owner": "queue", "queue_position": 2}, "排队中 · 第2位"),
        ({"owner": "queue"}, "排队中"),
        ({"owner": "agent", "agent_name": "小王"}, "人工 · 小王"),
        ({"owner": "closed", "can_rate": True}, "已结束"),
    ],
)
async def test_a_change_of_owner_is_pushed_with_its_label(site, changes, label):
    _, socket, conversation_id = await connected(site)

    site.hub.change(conversation_id, **changes)
    state = (await socket.until("state"))[-1]

    assert state["label"] == label
    assert state["can_rate"] is changes.get("can_rate", False)


async def test_the_time_left_for_a_code_can_be_told_without_trusting_the_phones_clock(site):
    _, socket, conversation_id = await connected(site)

    until = site.clock.now() + timedelta(seconds=60)
    site.hub.change(conversation_id, expects="otp", expects_until=until)
    state = (await socket.until("state"))[-1]

    assert state["expects"] == "otp"
    assert state["expects_until"] == until.isoformat()
    assert state["server_time"] == site.clock.now().isoformat()


async def test_a_secret_is_flagged_to_the_hub_and_appears_in_no_log_line_nor_frame(site, caplog):
    caplog.set_level(logging.DEBUG)
    _, socket, _ = await connected(site)

    site.hub.answer = lambda _talk, _inbound: [{"text": "好了"}]
    await socket.say("830517", kind="secret")
    frames = await socket.until("ack") + await socket.settle()

    assert site.hub.inbound[-1].secret is True
    assert site.hub.inbound[-1].text == "830517"
    assert "830517" not in json.dumps(frames)
    assert "830517" not in caplog.text


async def test_a_failed_turn_is_admitted_without_an_ack_and_the_log_does_not_quote_the_customer(site, caplog):
    _, socket, _ = await connected(site)

    secret = str(830_000 + 517)

    async def explode():
        raise RuntimeError(f"INSERT ... parameters: ({secret},)")

    site.hub.before_turn = explode
    await socket.say(f"我的密码是{secret}", "client-0042")
    [error] = await socket.until("error")

    assert (error["code"], error["client_id"]) == ("turn_failed", "client-0042")
    assert "不会重复办理" in error["text"]
    assert "RuntimeError" in caplog.text
    assert secret not in caplog.text
    site.hub.before_turn = None
    await socket.say("再来", "client-0043")
    assert (await socket.until("ack"))[-1]["client_id"] == "client-0043"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 5000,
        '{"type":"fly"}',
        '{"type":["say"]}',
        '{"type":"say"}',
        '{"type":"say","client_id":"x","text":"你好"}',
        '{"type":"say","client_id":"client-0001","text":5}',
        '{"type":"say","client_id":"client-0001","text":"a\\u0000b"}',
        '{"type":"say","client_id":"client-0001","text":"\\ud800"}',
        '{"type":"hello","after_seq":-1}',
        '{"type":"hello","after_seq":true}',
        '{"type":"hello","after_seq":"1"}',
        '{"type":"hello","after_seq":1e400}',
        '{"type":"rate","score":6}',
        '{"type":"rate","score":"5"}',
    ],
)
async def test_a_malformed_frame_is_answered_by_an_error_and_the_line_stays_up(site, raw):
    _, socket, conversation_id = await connected(site)

    await socket.raw.send_str(raw)
    [error] = await socket.until("error")

    assert error["code"] == "bad_request"
    assert error["text"].endswith("。")
    await socket.say("还在")
    assert (await socket.until("ack"))[-1]["type"] == "ack"
    assert len(site.hub.talks[conversation_id].log) == 2


async def test_binary_frames_are_refused(site):
    _, socket, _ = await connected(site)

    await socket.raw.send_bytes(b"\x00\x01")

    assert (await socket.until("error"))[-1]["code"] == "bad_request"


async def test_five_hundred_characters_go_through_and_one_more_is_refused(site):
    _, socket, _ = await connected(site)

    await socket.say("𠮷" * 500, "client-0001")
    assert (await socket.until("ack"))[-1]["client_id"] == "client-0001"
    await socket.say("好" * 501, "client-0002")
    [error] = (await socket.settle())[-1:]

    assert error["client_id"] == "client-0002"
    assert error["text"] == "内容太长了，一次最多500个字，请分几条发送。"
    assert len(site.hub.inbound) == 1


async def test_a_frame_far_too_big_closes_the_line(site):
    _, socket, _ = await connected(site)

    await socket.raw.send_str("x" * 40_000)
    code = await socket.closed_with()

    assert code == 1009


async def test_blank_messages_are_refused(site):
    _, socket, _ = await connected(site)

    await socket.say("  \n ")

    assert (await socket.until("error"))[-1]["text"] == "还没有输入内容，请写好再发送。"


async def test_without_a_hello_nothing_is_taken(site):
    visitor = site.visitor()
    await visitor.arrive()
    socket = await visitor.connect()

    await socket.say("你好")

    assert (await socket.until("error"))[-1]["client_id"] == "client-0001"
    assert site.hub.inbound == []


async def test_too_many_messages_are_refused_politely_and_accepted_again_with_time(site):
    _, socket, _ = await connected(site)
    burst = site.deps.limits.messages_session.burst

    for number in range(burst + 1):
        await socket.say("快", f"client-{number:04}")
    frames = []
    while not frames or frames[-1]["type"] != "error":
        frames.append(await socket.raw.receive_json(timeout=5))
    error = frames[-1]
    site.clock.advance(seconds=error["retry_after_s"])
    await socket.say("快", error["client_id"])
    await asyncio.wait_for(_acknowledged(socket, error["client_id"]), 5)

    assert error["code"] == "too_fast"
    assert error["client_id"] == f"client-{burst:04}"
    assert error["text"] == "您发得太快了，请歇几秒再发，刚才这条没有丢。"
    assert len(site.hub.inbound) == burst + 1


async def _acknowledged(socket, client_id):
    while (await socket.until("ack"))[-1]["client_id"] != client_id:
        pass


async def test_an_address_cannot_dodge_the_limit_with_many_sessions(site):
    refused = 0
    for _ in range(6):
        _, socket, _ = await connected(site)
        for number in range(11):
            await socket.say("快", f"client-{number:04}")
        for _ in range(11):
            while True:
                frame = await socket.raw.receive_json(timeout=5)
                if frame["type"] in ("ack", "error"):
                    break
            refused += frame["type"] == "error"

    assert refused == 6 * 11 - site.deps.limits.messages_address.burst


async def test_a_session_may_hold_only_so_many_sockets(site):
    visitor = site.visitor()
    await visitor.arrive()
    for _ in range(site.deps.limits.open_sockets_session_max):
        await (await visitor.connect()).hello()

    extra = await visitor.connect()
    error = await extra.raw.receive_json(timeout=5)
    code = await extra.closed_with()

    assert error["code"] == "too_fast"
    assert code == 4429


async def test_reconnecting_without_end_is_slowed_down(site):
    visitor = site.visitor()
    await visitor.arrive()
    for _ in range(site.deps.limits.sockets_session.burst):
        socket = await visitor.connect()
        await socket.hello()
        await socket.raw.close()

    extra = await visitor.connect()

    assert (await extra.raw.receive_json(timeout=5))["code"] == "too_fast"


async def test_without_a_session_the_socket_says_so_and_closes(site):
    socket = await site.visitor().connect()

    error = await socket.raw.receive_json(timeout=5)
    code = await socket.closed_with()

    assert error["code"] == "no_session"
    assert code == 4401


async def test_a_socket_ends_with_its_session_even_when_another_process_ended_it(site):
    _, socket, _ = await connected(site)
    site.clock.advance(seconds=site.deps.session_ttl_h * 3600)

    await socket.say("你好")
    [error] = await socket.until("error")
    code = await socket.closed_with()

    assert error["code"] == "no_session"
    assert code == 4401
    assert site.hub.inbound == []


async def test_a_page_that_only_listens_hears_nothing_after_its_session(site):
    _, socket, conversation_id = await connected(site)
    site.clock.advance(seconds=site.deps.session_ttl_h * 3600)

    site.hub.say(conversation_id, "agent", "只给客户看的话")
    [error] = await socket.until("error")

    assert error["code"] == "no_session"
    assert await socket.closed_with() == 4401


async def test_two_pages_of_one_browser_see_the_same_conversation(site):
    visitor, one, _ = await connected(site)
    two = await visitor.connect()
    await two.hello()

    await one.say("你好")
    await one.until("ack")

    assert messages(await two.settle() + await two.settle()) == ["你好", "收到：你好"]


async def test_strangers_see_nothing_of_each_other(site):
    _, one, _ = await connected(site)
    _, two, _ = await connected(site)

    await one.say("我的事")
    await one.until("ack")

    assert messages(await two.settle() + await two.settle()) == []


async def test_a_turn_under_way_is_finished_when_the_page_goes_away(site):
    _, socket, conversation_id = await connected(site)
    began, may_end = asyncio.Event(), asyncio.Event()

    async def wait():
        began.set()
        await may_end.wait()

    site.hub.before_turn = wait
    await socket.say("交电费")
    await began.wait()
    await socket.raw.close()
    may_end.set()
    for _ in range(200):
        if site.hub.talks[conversation_id].log:
            break
        await asyncio.sleep(0)

    assert [view.sender for view in site.hub.talks[conversation_id].log] == ["customer", "bot"]


async def test_pings_are_answered_while_messages_wait_their_turn_in_order(site):
    _, socket, _ = await connected(site)

    for number in range(5):
        await socket.say(f"第{number}", f"client-{number:04}")
    frames = await socket.settle()

    assert [inbound.text for inbound in site.hub.inbound] == [f"第{number}" for number in range(5)]
    assert seqs(frames) == list(range(1, 11))


async def test_a_rating_reaches_the_hub_and_the_question_goes_away(site):
    _, socket, conversation_id = await connected(site)
    site.hub.change(conversation_id, owner="closed", can_rate=True)
    await socket.until("state")

    await socket.raw.send_json({"type": "rate", "score": 4, "comment": " 很快 "})
    state = (await socket.until("state"))[-1]

    assert site.hub.talks[conversation_id].rating == (4, "很快")
    assert state["can_rate"] is False


async def test_the_agents_typing_is_shown_and_ones_own_is_not_echoed(site):
    _, socket, conversation_id = await connected(site)

    await socket.raw.send_json({"type": "typing"})
    await socket.settle()
    site.hub.typing(conversation_id, "agent")
    frames = await socket.until("typing")

    assert frames == [{"type": "typing", "who": "agent"}]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_handshake_from_another_site_is_refused(site, headers):
    visitor = site.visitor()
    await visitor.arrive()

    with pytest.raises(WSServerHandshakeError) as refused:
        await visitor.connect(**headers)

    assert refused.value.status == 403


async def test_a_plain_request_to_the_socket_is_told_where_the_page_is(site):
    visitor = site.visitor()
    async with visitor.http.get("/chat/ws", headers={"Origin": visitor.origin}) as answer:
        assert answer.status == 400
        assert "首页" in (await answer.json())["error"]["text"]
