"""A call from a page: sound both ways, keys, marks, silence at once, and no message that could break it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.clock import ManualClock
from banking_core.identity import Origin
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.alongside import Visitor
from bot.channels.phone.browser import (
    AHEAD_MS_MAX,
    MALFORMED_MAX,
    MESSAGE_BYTES_MAX,
    BrowserLine,
    Bye,
    Echo,
    Pressed,
    parse,
)
from bot.channels.phone.call import Call, Ended, EndReason, Key, Played, Sound
from bot.channels.phone.conductor import Onlooker
from bot.channels.phone.errors import CallRefused, MalformedMessage
from bot.channels.phone.loop import Doing, Glance
from bot.channels.phone.marked import MARK_WAIT_S
from tests.bot.channels.phone.manual import ManualTimer, settle, tone


@dataclass(frozen=True)
class Board:
    """A switchboard that keeps what it sees."""

    calls: list[tuple[Call, Onlooker]] = field(default_factory=list)
    seen: list[object] = field(default_factory=list)
    picked_up: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    assistant: Any = None

    async def answer(self, call: Call, onlooker: Onlooker) -> None:
        self.calls.append((call, onlooker))
        self.picked_up.set()
        async for event in call.events():
            self.seen.append(event)
        self.ended.set()


async def _present() -> bool:
    return True


class Site:
    """The line on a test server."""

    def __init__(self, **limits: Any) -> None:
        self.timer, self.board = ManualTimer(), Board()
        self.door = Doorkeeper(ManualClock(datetime(2026, 11, 2, tzinfo=UTC)), LineLimits(**limits))
        self.line = BrowserLine(self._board, self._assistant, self.door, self.timer)
        self.refused: list[str] = []

    async def _board(self) -> Any:
        return self.board

    def _assistant(self, info: Any, visitor: Visitor) -> Any:
        raise AssertionError("the board here makes no assistant")

    async def call(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MESSAGE_BYTES_MAX, compress=False)
        await socket.prepare(request)
        try:
            await self.line.serve(socket, Visitor("c1", Origin(channel="web"), "web:1", _present))
        except CallRefused as error:
            self.refused.append(error.code)
        await socket.close()
        return socket

    async def dial(self) -> Any:
        self.board.picked_up.clear()
        socket = await self.client.ws_connect("/chat/call")
        await asyncio.wait_for(self.board.picked_up.wait(), 5)
        return socket

    @property
    def active(self) -> Any:
        return self.board.calls[-1][0]


@asynccontextmanager
async def page(**limits: Any) -> AsyncIterator[Site]:
    site = Site(**limits)
    app = web.Application()
    app.router.add_get("/chat/call", site.call)
    async with asyncio.timeout(20), TestClient(TestServer(app)) as client:
        site.client = client
        yield site


async def test_a_call_brings_its_sound_its_keys_and_its_end() -> None:
    async with page() as site:
        socket = await site.dial()
        await socket.send_bytes(tone(2, value=7))
        await socket.send_json({"type": "key", "digit": "5"})
        await socket.send_json({"type": "key", "digit": "55"})
        await socket.send_json({"type": "bye"})
        await site.board.ended.wait()
        assert site.board.seen == [Sound(tone(1, value=7))] * 2 + [Key("5"), Ended(EndReason.CALLER)]
        assert site.active.info.line == "browser"


async def test_speech_goes_out_in_frames_and_is_heard_when_the_page_says_so() -> None:
    async with page() as site:
        socket = await site.dial()
        site.active.say(tone(3, value=9))
        site.active.mark("1.0")
        await site.timer.advance(0.2)
        frames = [await socket.receive() for _ in range(4)]
        assert [message.data for message in frames[:3]] == [tone(1, value=9)] * 3
        assert json.loads(frames[3].data) == {"type": "mark", "name": "1.0"}
        assert site.board.seen == []
        await socket.send_json({"type": "mark", "name": "1.0"})
        await socket.send_json({"type": "mark", "name": "never sent"})
        await socket.close()
        await site.board.ended.wait()
        assert site.board.seen == [Played("1.0"), Ended(EndReason.LOST)]


async def test_silence_is_told_to_the_page_at_once_and_what_it_held_was_never_heard() -> None:
    async with page() as site:
        socket = await site.dial()
        site.active.say(tone(50, value=9))
        site.active.mark("1.0")
        await site.timer.advance(0.1)
        site.active.clear()
        await site.timer.advance(0.02)
        kinds = []
        while not kinds or kinds[-1] != {"type": "clear"}:
            message = await socket.receive()
            kinds.append(json.loads(message.data) if message.type is WSMsgType.TEXT else len(message.data))
        assert len(kinds) < 15
        await socket.send_json({"type": "mark", "name": "1.0"})
        await site.timer.advance(MARK_WAIT_S + 1)
        await socket.close()
        await site.board.ended.wait()
        assert site.board.seen == [Ended(EndReason.LOST)]


async def test_a_page_that_echoes_no_mark_is_not_waited_for() -> None:
    async with page() as site:
        await site.dial()
        site.active.mark("1.0")
        await site.timer.advance(0.1)
        assert site.board.seen == []
        await site.timer.advance(MARK_WAIT_S)
        assert site.board.seen == [Played("1.0")]


async def test_the_page_is_shown_what_the_call_does_and_only_the_latest() -> None:
    async with page() as site:
        socket = await site.dial()
        _, show = site.board.calls[0]
        show(Glance(Doing.SPEAKING, saying="您好。"))
        show(Glance(Doing.LISTENING, heard="查余额"))
        assert await socket.receive_json() == {
            "type": "glance",
            "doing": "listening",
            "heard": "查余额",
            "saying": "",
        }


async def test_hanging_up_tells_the_page_and_closes() -> None:
    async with page() as site:
        socket = await site.dial()
        await site.active.hang_up()
        assert await socket.receive_json() == {"type": "ended"}
        assert (await socket.receive()).type is WSMsgType.CLOSE


async def test_sound_faster_than_time_passes_is_not_listened_to() -> None:
    async with page() as site:
        socket = await site.dial()
        second = tone(50, value=3)
        for _ in range(20):
            await socket.send_bytes(second)
        await socket.send_json({"type": "bye"})
        await site.board.ended.wait()
        heard = [event for event in site.board.seen if isinstance(event, Sound)]
        assert len(heard) * 20 == AHEAD_MS_MAX


async def test_who_sends_rubbish_is_hung_up_on() -> None:
    async with page() as site:
        socket = await site.dial()
        for _ in range(MALFORMED_MAX + 1):
            await socket.send_bytes(b"odd")
        await site.board.ended.wait()
        assert site.board.seen == [Ended(EndReason.LOST)]


async def test_a_page_that_is_gone_ends_the_call_and_frees_the_line() -> None:
    async with page() as site:
        socket = await site.dial()
        assert site.door.calls == 1
        await socket.close()
        await site.board.ended.wait()
        await settle()
        assert site.door.calls == 0


async def test_when_all_lines_are_taken_a_page_is_refused() -> None:
    async with page(calls_max=1) as site:
        await site.dial()
        socket = await site.client.ws_connect("/chat/call")
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert site.refused == ["line_busy"] and len(site.board.calls) == 1


async def test_the_digits_of_a_key_are_not_shown_by_accident() -> None:
    assert "7" not in repr(Pressed("7"))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
            ),
            max_leaves=8,
        ).map(json.dumps),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["key", "mark", "bye", "clear"])},
            optional={"digit": st.none() | st.text(max_size=3), "name": st.integers() | st.text(max_size=3)},
        ).map(json.dumps),
    )
)
def test_any_text_is_understood_or_refused(raw: str) -> None:
    try:
        assert isinstance(parse(raw), Pressed | Echo | Bye)
    except MalformedMessage:
        return


@pytest.mark.parametrize("raw", ["[" * 100_000, '{"type": "key"}', "null", '{"type": ["key"], "digit": "1"}'])
def test_nonsense_is_no_frame(raw: str) -> None:
    with pytest.raises(MalformedMessage):
        parse(raw)
