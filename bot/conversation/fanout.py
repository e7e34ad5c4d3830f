"""Carries live events between app processes over PostgreSQL's LISTEN and NOTIFY.

A notification names what happened, never what was said: the other process reads the message from the log. What was
not sent when a connection broke is sent over the next one; whatever is lost all the same is made up for: after each
reconnection every page of every process looks again. A connection that only seems to live (a firewall forgot it, its
server froze) is found out by the beat: it must bring our own notification back in time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections import deque
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import select

from banking_core.storage import Database
from bot.conversation.events import Event, EventBus
from bot.conversation.models import Message
from bot.conversation.views import message_view

logger = logging.getLogger(__name__)
CHANNEL = "zhanggui_events"
APPLICATION = "zhanggui-events"
OUTBOX_MAX = 1024
RETRY_S_FIRST = 0.2
RETRY_S_MAX = 5.0
BEAT_S = 10.0
ANSWER_S = 10.0
AGAIN = "again"  # a page is to look at everything again
BEAT = "beat"


class PostgresFanout:
    """One connection of its own that listens and notifies; `start` and `close` it with the product."""

    def __init__(
        self, database: Database, bus: EventBus, *, beat_s: float = BEAT_S, answer_s: float = ANSWER_S
    ) -> None:
        """Beats every `beat_s` seconds; a connection that does not answer within `answer_s` is given up."""
        self._database, self._bus = database, bus
        self._beat_s, self._answer_s = beat_s, answer_s
        self._me = uuid.uuid4().hex
        self._outbox: deque[str] = deque(maxlen=OUTBOX_MAX)  # the oldest is sent, then taken out
        self._to_send = asyncio.Event()
        self._inbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_MAX)
        self._beaten = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.listening = asyncio.Event()

    def start(self) -> None:
        """Begins to listen, and to pass on what this process publishes."""
        self._bus.outward = self._pass_on
        self._tasks = [asyncio.create_task(self._connected_for_ever()), asyncio.create_task(self._take_in())]

    async def close(self) -> None:
        """Ends both."""
        self._bus.outward = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pass_on(self, conversation_id: str, event: Event) -> None:
        told: dict[str, Any] = {"conversation": conversation_id, "type": event["type"]}
        if event["type"] == "message":
            told["seq"] = event["message"]["seq"]
        elif "who" in event:
            told["who"] = event["who"]
        self._put(told)

    def _put(self, told: dict[str, Any]) -> None:
        self._outbox.append(json.dumps({"from": self._me} | told))
        self._to_send.set()

    async def _connected_for_ever(self) -> None:
        pause_s = RETRY_S_FIRST
        while True:
            try:
                await self._connected()
            except Exception as error:  # a cut line shows as this or that, asyncpg's InternalClientError too
                logger.warning("events between processes are interrupted: %s", type(error).__name__)
            pause_s = RETRY_S_FIRST if self.listening.is_set() else min(pause_s * 2, RETRY_S_MAX)
            self.listening.clear()
            await asyncio.sleep(pause_s)

    async def _connected(self) -> None:
        """Listens and notifies until the connection ends or no longer answers."""
        url = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(
            url,
            server_settings={"application_name": APPLICATION},
            timeout=self._answer_s,
            command_timeout=self._answer_s,
        )
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        work: list[asyncio.Task[Any]] = []
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._look_again()
            self._put({"conversation": "", "type": AGAIN})
            self.listening.set()
            work = [
                asyncio.create_task(each) for each in (ended.wait(), self._send(connection), self._beat())
            ]
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            with suppress(Exception):
                await connection.close(timeout=1)

    async def _send(self, connection: Any) -> None:
        """What is not known to have been sent is sent over the next connection: once too often does no harm."""
        while True:
            self._to_send.clear()
            while self._outbox:
                told = self._outbox[0]
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, told)
                if self._outbox and self._outbox[0] is told:
                    self._outbox.popleft()
            await self._to_send.wait()

    async def _beat(self) -> None:
        """Raises TimeoutError when our own notification does not come back."""
        while True:
            await asyncio.sleep(self._beat_s)
            self._beaten.clear()
            self._put({"conversation": "", "type": BEAT})
            await asyncio.wait_for(self._beaten.wait(), self._answer_s)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        if self._inbox.full():
            self._inbox.get_nowait()
        self._inbox.put_nowait(payload)

    async def _take_in(self) -> None:
        while True:
            payload = await self._inbox.get()
            try:
                await self._deliver(json.loads(payload))
            except Exception as error:
                logger.error("an event of another process was lost: %s", type(error).__name__)

    async def _deliver(self, told: dict[str, Any]) -> None:
        conversation_id, kind = told["conversation"], told["type"]
        if told["from"] == self._me:
            if kind == BEAT:
                self._beaten.set()
        elif kind == "queue":
            self._bus.deliver_queue()
        elif kind == AGAIN:
            self._look_again()
        elif conversation_id not in self._bus.watched:
            return
        elif kind == "message":
            await self._bring_message(conversation_id, told["seq"])
        else:
            self._bus.deliver(conversation_id, {key: told[key] for key in ("type", "who") if key in told})

    async def _bring_message(self, conversation_id: str, seq: int) -> None:
        async with self._database.snapshot() as session:
            message = await session.scalar(
                select(Message).where(Message.conversation_id == conversation_id, Message.seq == seq)
            )
        if message is not None:
            event = {"type": "message", "message": message_view(message).to_json()}
            self._bus.deliver(conversation_id, event)

    def _look_again(self) -> None:
        self._bus.deliver_queue()
        for conversation_id in self._bus.watched:
            self._bus.deliver(conversation_id, {"type": AGAIN})
