"""A call from the chat page: the browser's microphone and loudspeaker over a web socket.

Binary frames both ways are sound: 8 kHz, signed 16-bit little-endian, mono; ours last 20 ms. Text frames are JSON:

    from the page   {"type": "key", "digit": "5"}   {"type": "mark", "name": ...}   {"type": "bye"}
    from us         {"type": "mark", "name": ...}   {"type": "clear"}
                    {"type": "glance", "doing": ..., "heard": ..., "saying": ...}   {"type": "ended"}

A mark comes back when the sound before it has been played; `clear` drops what has not. Who may call, and in which
conversation, the web channel decides before.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from aiohttp import WSMsgType, web

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.alongside import Visitor
from bot.channels.phone.audio import duration_ms
from bot.channels.phone.call import Call, CallInfo, EndReason
from bot.channels.phone.errors import MalformedMessage
from bot.channels.phone.loop import Glance
from bot.channels.phone.marked import MarkedCall
from bot.channels.phone.switchboard import Conversing, Switchboard
from bot.channels.phone.timing import Timer

LINE: Final = "browser"
SOUND_BYTES_MAX: Final = 16_000  # a second at once is no microphone
MESSAGE_BYTES_MAX: Final = 16 * 1024
AHEAD_MS_MAX: Final = 1000  # sound that comes faster than time passes is not listened to
MALFORMED_MAX: Final = 20  # then the other side is not our page


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key of the page's keypad."""

    digit: str

    def __repr__(self) -> str:
        """Never shows the digit."""
        return "Pressed(·)"


@dataclass(frozen=True, slots=True)
class Echo:
    """The page has played everything before this mark."""

    name: str


@dataclass(frozen=True, slots=True)
class Bye:
    """The customer hangs up."""


def parse(raw: str) -> Pressed | Echo | Bye:
    """A text frame of the page. Raises MalformedMessage."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise MalformedMessage("no JSON") from None
    match body:
        case {"type": "key", "digit": str(digit)}:
            return Pressed(digit)
        case {"type": "mark", "name": str(name)}:
            return Echo(name)
        case {"type": "bye"}:
            return Bye()
        case _:
            raise MalformedMessage("unknown frame")


class BrowserCall(MarkedCall):
    """One call over one web socket. `show` is an `Onlooker`."""

    def __init__(self, info: CallInfo, socket: web.WebSocketResponse, timer: Timer) -> None:
        super().__init__(info, timer)
        self._socket = socket
        self._began_s, self._taken_ms = timer.now_s(), 0
        self._glance: Glance | None = None

    def show(self, glance: Glance) -> None:
        """What the page shows of the call; only the latest counts."""
        self._glance = glance
        self._to_say.set()

    async def _read(self) -> None:
        malformed = 0
        async for message in self._socket:
            try:
                self._take(message.type, message.data)
            except MalformedMessage:
                malformed += 1
                if malformed > MALFORMED_MAX:
                    break
            if self.over:
                break

    def _take(self, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.BINARY:
            self._listen_to(data)
            return
        if kind is not WSMsgType.TEXT:
            raise MalformedMessage("neither sound nor text")
        match parse(data):
            case Pressed(digit):
                self.keyed(digit)
            case Echo(name):
                self.echoed(name)
            case Bye():
                self.ended(EndReason.CALLER)

    def _listen_to(self, pcm: bytes) -> None:
        if len(pcm) % 2 or len(pcm) > SOUND_BYTES_MAX:
            raise MalformedMessage("half a sample, or too much at once")
        passed_ms = (self._timer.now_s() - self._began_s) * 1000
        if self._taken_ms + duration_ms(pcm) <= passed_ms + AHEAD_MS_MAX:
            self._taken_ms += duration_ms(pcm)
            self.heard(pcm)

    async def _send_due(self, now_s: float) -> None:
        glance, self._glance = self._glance, None
        if glance is not None:
            words = {"heard": glance.heard, "saying": glance.saying}
            await self._send({"type": "glance", "doing": glance.doing.value, **words})
        await super()._send_due(now_s)

    async def _send_frame(self, pcm: bytes) -> None:
        await self._socket.send_bytes(pcm)

    async def _pass_mark(self, name: str) -> None:
        await self._send({"type": "mark", "name": name})

    async def _send_clear(self) -> None:
        await self._send({"type": "clear"})

    async def _send(self, body: dict[str, str]) -> None:
        await self._socket.send_str(json.dumps(body, ensure_ascii=False))

    async def _close(self) -> None:
        await super()._close()
        with suppress(OSError):
            if self.end_reason is EndReason.US:
                await self._send({"type": "ended"})
            await self._socket.close()


class AssistantMaker(Protocol):
    """Makes the assistant of one call."""

    def __call__(self, info: CallInfo, visitor: Visitor) -> Conversing: ...


class BrowserLine:
    """Takes calls of pages. `board` is made ready with the first one: until then nothing is loaded for it."""

    def __init__(
        self,
        board: Callable[[], Awaitable[Switchboard]],
        assistant: AssistantMaker,
        doorkeeper: Doorkeeper,
        timer: Timer,
    ) -> None:
        self._board, self._assistant, self._door, self._timer = board, assistant, doorkeeper, timer

    async def serve(self, socket: web.WebSocketResponse, visitor: Visitor) -> None:
        """One call, to its end, over an open socket. Raises LineBusy or CallsTooFast."""
        info = CallInfo(LINE, uuid.uuid4().hex, address=visitor.origin.address)
        with self._door.admitted(visitor.caller):
            board = replace(await self._board(), assistant=lambda info: self._assistant(info, visitor))
            call = BrowserCall(info, socket, self._timer)

            async def answer(answered: Call) -> None:
                await board.answer(answered, call.show)

            await call.serve(answer)
