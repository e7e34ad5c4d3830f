"""The page's web socket. It only tells; everything the agent does goes by REST.

server: {"type": "welcome", now} | {"type": "me", agent} | {"type": "queue", items, on_duty, open_tickets}
        | {"type": "mine", items} | {"type": "message", conversation_id, message}
        | {"type": "typing", conversation_id} | {"type": "state", conversation_id, first: true at the beginning}
        | {"type": "complaints", mine, nobody} | {"type": "alerts", items} (for who sees all)
        | {"type": "beat", now} | {"type": "pong"} | {"type": "error", error: {code, text}}
        | {"type": "locked"}, and nothing else but the beat until the password has been typed
client: {"type": "ping"}

The server beats, not the page: browsers slow the timers of a page in the background down to once a minute,
which would make an agent who reads another window look absent. While the socket lives (aiohttp's own ping
proves it), so does the agent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from bot.surfaces.errors import SurfaceError
from desk.custody import Custody
from desk.dependencies import DeskDependencies
from desk.errors import NoSession
from desk.logins import Seat
from desk.ports import EventsPort
from desk.snapshots import alert_snapshot, complaint_counts, held_snapshot, queue_snapshot
from desk.views import message_view, seat_view

log = logging.getLogger(__name__)

CLOSE_SEAT_TAKEN = 4001  # logged out, or logged in elsewhere
CLOSE_NO_SESSION = 4401
CLOSE_TOO_MANY = 4429
PING_S = 20.0
AGAIN_S = 2.0
FRAME_BYTES_MAX = 4096


class LiveSeats:
    """The open sockets of this process."""

    def __init__(self, events: EventsPort) -> None:
        self._events = events
        self._open: set[DeskConnection] = set()

    def add(self, connection: DeskConnection) -> None:
        """Notes an open socket."""
        self._open.add(connection)

    def remove(self, connection: DeskConnection) -> None:
        """Forgets a closed one."""
        self._open.discard(connection)

    def count(self, agent_id: str) -> int:
        """How many sockets this agent holds."""
        return sum(connection.seat.agent_id == agent_id for connection in self._open)

    def refresh_all(self) -> None:
        """Every page, of other processes too, looks at its lists and its seat again, soon and once."""
        self._events.publish_queue()

    async def close_agent(self, agent_id: str, *, keep_session: str = "") -> None:
        """Closes this agent's sockets, but for those of one session."""
        for connection in tuple(self._open):
            if connection.seat.agent_id == agent_id and connection.seat.session_id != keep_session:
                await connection.close(CLOSE_SEAT_TAKEN)

    async def close_all(self) -> None:
        """The server goes down."""
        for connection in tuple(self._open):
            await connection.close(WSCloseCode.GOING_AWAY)


class DeskConnection:
    """One open page, from the handshake to the end."""

    def __init__(
        self, deps: DeskDependencies, custody: Custody, socket: web.WebSocketResponse, seat: Seat
    ) -> None:
        self.seat = seat
        self._deps, self._custody, self._socket = deps, custody, socket
        self._dirty = asyncio.Event()
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._sent: dict[str, Any] = {}  # the last frame of each list, so that only changes travel

    async def run(self) -> None:
        """Serves the socket until either side closes it."""
        await self._send({"type": "welcome", "now": self._now()})
        self._dirty.set()
        tasks = [
            asyncio.create_task(work) for work in (self._beat(), self._listen(), self._refresh_when_dirty())
        ]
        try:
            await self._read()
        finally:
            tasks += self._watchers.values()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """The lists may have changed."""
        self._dirty.set()

    async def close(self, code: int) -> None:
        """Closes the socket; harmless when it is closed already."""
        with suppress(ConnectionError):
            await self._socket.close(code=code)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT and _is_ping(message.data):
                await self._send({"type": "pong"})

    async def _beat(self) -> None:
        """A sign of life, and a fresh look at the lists in case another process changed them."""
        while True:
            try:
                if not await self._sign_of_life():
                    await self._unseat()
                    return
                await self._send({"type": "beat", "now": self._now()})
            except Exception as error:
                _log_fault("beat", error)
            self.wake()
            await asyncio.sleep(self._deps.beat_s)

    def _now(self) -> str:
        """The bank's clock, by which the page's run: a workplace whose clock is wrong shows the same waits."""
        return self._deps.clock.now().isoformat()

    async def _unseat(self) -> None:
        """The log-in has ended: here, at another process, or because the agent logged in elsewhere."""
        await self._send(NoSession().body() | {"type": "error"})
        await self.close(CLOSE_NO_SESSION)

    async def _sign_of_life(self) -> bool:
        async with self._deps.db.transaction() as session:
            if await self._deps.desk.seat_now(session, self.seat) is None:
                return False
            await self._deps.desk.heartbeat(session, self.seat.agent_id)
        return True

    async def _listen(self) -> None:
        async with self._deps.hub.events.subscribe_all() as events:
            while True:
                await events.get()
                self.wake()

    async def _refresh_when_dirty(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                await self._refresh()
            except Exception as error:
                _log_fault("refresh", error)
                asyncio.get_running_loop().call_later(AGAIN_S, self.wake)  # not only with the next beat

    async def _refresh(self) -> None:
        async with self._deps.db.snapshot() as session:
            seat = await self._deps.desk.seat_now(session, self.seat)
            if seat is None:
                await self._unseat()
                return
            presence = await self._deps.desk.presence_of(session, self.seat.agent_id)
        if seat.locked:
            await self._lock()
            return
        held = await held_snapshot(self._deps, self.seat)
        self._watch({item["conversation_id"] for item in held})
        me = seat_view(seat, presence, self._deps.desk.matters.rules)
        await self._send_if_new({"type": "me", "agent": me})
        await self._send_if_new({"type": "mine", "items": held})
        queue = await queue_snapshot(self._deps, self.seat.agent_id)
        await self._custody.note_queue(self.seat, [line["conversation_id"] for line in queue["items"]])
        await self._send_if_new({"type": "queue"} | queue)
        counts = await complaint_counts(self._deps, self.seat)
        await self._send_if_new({"type": "complaints"} | counts)
        if self.seat.rights.sees_all:
            await self._send_if_new({"type": "alerts", "items": await alert_snapshot(self._deps)})

    async def _lock(self) -> None:
        """Nothing more is shown; what was shown counts as unseen, so that an unlocked page gets everything anew."""
        self._watch(set())
        self._sent.clear()
        await self._send({"type": "locked"})

    def _watch(self, conversation_ids: set[str]) -> None:
        for conversation_id in set(self._watchers) - conversation_ids:
            self._watchers.pop(conversation_id).cancel()
        for conversation_id in conversation_ids - set(self._watchers):
            self._watchers[conversation_id] = asyncio.create_task(self._follow(conversation_id))

    async def _follow(self, conversation_id: str) -> None:
        async with self._deps.hub.events.subscribe(conversation_id) as events:
            # What was said between the list and this subscription is asked for by the page.
            await self._send({"type": "state", "conversation_id": conversation_id, "first": True})
            while True:
                event = await events.get()
                try:
                    await self._forward(conversation_id, event)
                except Exception as error:
                    _log_fault("event", error)

    async def _forward(self, conversation_id: str, event: dict[str, Any]) -> None:
        """Passes an event on, but not once the agent has let go of the conversation."""
        kind = event.get("type")
        if kind == "typing" and event.get("who") == "agent":
            return
        if not await self._custody.shows(self.seat, conversation_id):
            self.wake()
            return
        if kind == "message":
            frame = {"type": "message", "message": message_view(event["message"])}
        elif kind == "typing":
            frame = {"type": kind}
        elif kind in ("state", "again"):
            frame = {"type": "state"}
        else:
            return
        await self._send(frame | {"conversation_id": conversation_id})

    async def _send_if_new(self, frame: dict[str, Any]) -> None:
        essence = _without_clock(frame)
        if self._sent.get(frame["type"]) != essence:
            self._sent[frame["type"]] = essence
            await self._send(frame)

    async def _send(self, frame: dict[str, Any]) -> None:
        with suppress(ConnectionError):
            await self._socket.send_str(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))


def new_socket() -> web.WebSocketResponse:
    """A socket with a heartbeat and a bounded frame size."""
    return web.WebSocketResponse(heartbeat=PING_S, max_msg_size=FRAME_BYTES_MAX)


async def refuse(socket: web.WebSocketResponse, error: SurfaceError, close_code: int) -> None:
    """Says why on the open socket, since a page cannot read a refused handshake, and closes."""
    with suppress(ConnectionError):
        await socket.send_str(json.dumps(error.body() | {"type": "error"}, ensure_ascii=False))
        await socket.close(code=close_code)


def _without_clock(frame: dict[str, Any]) -> dict[str, Any]:
    """A list frame without the waiting times, which change by themselves."""
    if "items" not in frame:
        return frame
    items = [{key: value for key, value in item.items() if key != "waited_s"} for item in frame["items"]]
    return frame | {"items": items}


def _is_ping(raw: str) -> bool:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("type") == "ping"


def _log_fault(what: str, error: Exception) -> None:
    """The kind of fault only: its words may quote a customer."""
    log.error("desk %s failed: %s", what, type(error).__name__)
