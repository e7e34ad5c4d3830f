"""The chat's web socket: one `ChatConnection` per open page.

Three things run side by side: the reader (checks frames, applies rate limits), the worker (takes messages to
the hub one after the other) and the pump (brings the hub's events). Messages leave in rising `seq`, without
a gap: a live event that does not follow on from the last one only makes the connection read the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import WSMsgType, web

from banking_core.errors import BankError
from banking_core.identity import Origin
from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.errors import NoSession
from bot.channels.web.frames import (
    FRAME_BYTES_MAX,
    Frame,
    Hello,
    Ping,
    Rate,
    Say,
    Typing,
    error_frame,
    parse_frame,
    state_frame,
)
from bot.channels.web.limits import Gates
from bot.channels.web.registry import in_background
from bot.channels.web.sessions import WebSession
from bot.conversation.errors import ConversationError
from bot.conversation.views import Inbound
from bot.surfaces.errors import BadRequest, SurfaceError, TooFast

log = logging.getLogger(__name__)

CLOSE_NO_SESSION = 4401
CLOSE_TOO_MANY = 4429
HEARTBEAT_S = 30.0
CLOSE_WAIT_S = 3.0
INBOX_FRAMES_MAX = 32
TOUCH_EVERY = timedelta(minutes=1)
HISTORY_PAGE = 200

TOO_FAST_TEXT = "您发得太快了，请歇几秒再发，刚才这条没有丢。"
TURN_FAILED_TEXT = "系统刚才没有处理成功，请点一下消息旁的感叹号再发一次，不会重复办理。"


class ChatConnection:
    """One open page, from the handshake to the end."""

    def __init__(
        self,
        deps: WebDependencies,
        gates: Gates,
        socket: web.WebSocketResponse,
        session: WebSession,
        origin: Origin,
    ) -> None:
        self.session, self.address = session, origin.address
        self._origin = origin
        self._touched_at = datetime.min.replace(tzinfo=UTC)
        self._deps, self._gates, self._socket = deps, gates, socket
        self._conversation_id = session.conversation_id
        self._inbox: asyncio.Queue[Frame | None] = asyncio.Queue(INBOX_FRAMES_MAX)
        self._said_hello = False
        self._gone = False
        self._greeted = asyncio.Event()
        self._sending = asyncio.Lock()
        self._last_seq = 0
        self._last_state: dict[str, Any] | None = None

    async def run(self) -> None:
        """Serves the socket until either side closes it."""
        async with self._deps.hub.events.subscribe(self._conversation_id) as events:
            pump = asyncio.create_task(self._pump(events))
            worker = in_background(self._work())
            try:
                await self._read()
            finally:
                pump.cancel()
                self._gone = True
                if not self._inbox.full():
                    self._inbox.put_nowait(None)
                await asyncio.wait({pump, worker})  # a turn under way is finished; what waits is sent again

    async def close(self, code: int) -> None:
        """Closes the socket; harmless when it is closed already."""
        with suppress(ConnectionError):
            await self._socket.close(code=code)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                await self._send(error_frame(BadRequest()))
                continue
            try:
                self._accept(parse_frame(message.data, text_chars_max=self._deps.limits.text_chars_max))
            except SurfaceError as error:
                await self._send(error_frame(error))

    def _accept(self, frame: Frame) -> None:
        """Puts a frame in line for the worker; raises TooFast or BadRequest."""
        gate = self._gates.messages if isinstance(frame, Say | Rate) else self._gates.pings
        wait_s = gate.attempt(self.session.id, self.address)
        if self._inbox.full():
            wait_s = max(wait_s, 1.0)
        if wait_s > 0:
            error = TooFast(TOO_FAST_TEXT, retry_after_s=wait_s)
            error.details.update(_client_id(frame))
            raise error
        self._said_hello = self._said_hello or isinstance(frame, Hello)
        if not self._said_hello:  # without it nobody knows what the page already has
            raise BadRequest(**_client_id(frame))
        self._inbox.put_nowait(frame)

    async def _work(self) -> None:
        while not self._gone and (frame := await self._inbox.get()) is not None:
            try:
                await self._require_session()
                await self._handle(frame)
            except NoSession as error:
                await self._send(error_frame(error))
                await self.close(CLOSE_NO_SESSION)
            except ConnectionError:
                continue
            except Exception as error:
                await self._send(_failure_frame(error) | _client_id(frame))

    async def _handle(self, frame: Frame) -> None:
        match frame:
            case Hello():
                await self._hello(frame)
            case Say():
                await self._say(frame)
            case Rate():
                await self._deps.hub.rate(self._conversation_id, frame.score, frame.comment)
                await self._send_state()
            case Typing():
                self._deps.hub.typing(self._conversation_id, "customer")
            case Ping():
                await self._send({"type": "pong"})
                await self._catch_up()  # mends what an event lost on its way should have told
                await self._send_state()

    async def _hello(self, frame: Hello) -> None:
        same = frame.conversation_id in (None, self._conversation_id)
        self._last_seq = frame.after_seq if same else 0
        await self._send({"type": "welcome", "conversation_id": self._conversation_id})
        await self._catch_up()
        self._last_state = None
        await self._send_state()
        self._greeted.set()

    async def _say(self, frame: Say) -> None:
        inbound = Inbound(self._conversation_id, frame.client_id, frame.text, frame.secret, self._origin)
        await self._touch()
        received = await self._deps.hub.receive(inbound)
        await self._send({"type": "ack", "client_id": frame.client_id, "seq": received.seq})
        await self._catch_up()
        await self._send_state()

    async def _touch(self) -> None:
        """A message is use; what the page sends of its own accord is not."""
        now = self._deps.clock.now()
        if now - self._touched_at < TOUCH_EVERY:
            return
        self._touched_at = now
        async with self._deps.db.transaction() as session:
            await self._deps.bank.identity.sessions.touch(session, self.session.id)

    async def _require_session(self) -> None:
        """A session that ended elsewhere (log-out, another process) ends its sockets with the next frame or event."""
        async with self._deps.db.snapshot() as session:
            live = await self._deps.bank.identity.sessions.live(session, self.session.id)
        if not live:
            raise NoSession()

    async def _pump(self, events: asyncio.Queue[Any]) -> None:
        await self._greeted.wait()
        while True:
            event = await events.get()
            try:
                await self._require_session()
                await self._forward(event)
            except NoSession as error:
                await self._send(error_frame(error))
                await self.close(CLOSE_NO_SESSION)
                return
            except ConnectionError:
                return
            except Exception as error:
                _log_failure("event", error)

    async def _forward(self, event: Any) -> None:
        match event.get("type"):
            case "message":
                await self._send_message(event["message"])
            case "state":
                await self._send_state()
            case "again":  # something may have been lost between the processes
                await self._catch_up()
                await self._send_state()
            case "typing" if event["who"] != "customer":
                await self._send({"type": "typing", "who": event["who"]})

    async def _send_message(self, message: dict[str, Any]) -> None:
        async with self._sending:
            follows_on = message["seq"] == self._last_seq + 1
            if follows_on:
                await self._send({"type": "message", "message": message})
                self._last_seq = message["seq"]
        if not follows_on and message["seq"] > self._last_seq:
            await self._catch_up()

    async def _catch_up(self) -> None:
        async with self._sending:
            while True:
                views = await self._deps.hub.history(
                    self._conversation_id, after_seq=self._last_seq, limit=HISTORY_PAGE
                )
                for view in views:
                    await self._send({"type": "message", "message": view})
                    self._last_seq = view["seq"]
                if len(views) < HISTORY_PAGE:
                    return

    async def _send_state(self) -> None:
        frame = state_frame(await self._deps.hub.status(self._conversation_id))
        if frame != self._last_state:
            self._last_state = frame
            # Phones' clocks are wrong: the page counts down from the difference to our own time.
            await self._send(frame | {"server_time": self._deps.clock.now().isoformat()})

    async def _send(self, frame: dict[str, Any]) -> None:
        with suppress(ConnectionError):
            await self._socket.send_str(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))


async def refuse(socket: web.WebSocketResponse, error: SurfaceError, close_code: int) -> None:
    """Says why on the open socket, since a page cannot read a refused handshake, and closes."""
    with suppress(ConnectionError):
        await socket.send_str(json.dumps(error_frame(error), ensure_ascii=False))
        await socket.close(code=close_code)


def new_socket() -> web.WebSocketResponse:
    """A socket with a heartbeat and a bounded frame size."""
    return web.WebSocketResponse(heartbeat=HEARTBEAT_S, timeout=CLOSE_WAIT_S, max_msg_size=FRAME_BYTES_MAX)


def _client_id(frame: Frame) -> dict[str, str]:
    return {"client_id": frame.client_id} if isinstance(frame, Say) else {}


def _failure_frame(error: Exception) -> dict[str, Any]:
    if isinstance(error, BankError | ConversationError):
        return {"type": "error", "code": error.code, "text": error.customer_text}
    _log_failure("turn", error)
    return {"type": "error", "code": "turn_failed", "text": TURN_FAILED_TEXT}


def _log_failure(what: str, error: Exception) -> None:
    """Logs the kind of error and the place, never its words: they may quote what the customer typed."""
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s failed: %s\n%s", what, type(error).__name__, place)
