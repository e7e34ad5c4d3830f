"""Carries live events between app processes over PostgreSQL's LISTEN and NOTIFY.

A notification names what happened, never what was said: the other process reads the message from the log. Whatever is
lost while a connection is down is made up for: after each reconnection every page looks again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
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


class PostgresFanout:
    """One connection of its own that listens and notifies; `start` and `close` it with the product."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database, self._bus = database, bus
        self._me = uuid.uuid4().hex
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_MAX)
        self._inbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_MAX)
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
        told: dict[str, Any] = {"from": self._me, "conversation": conversation_id, "type": event["type"]}
        if event["type"] == "message":
            told["seq"] = event["message"]["seq"]
        elif "who" in event:
            told["who"] = event["who"]
        _put(self._outbox, json.dumps(told))

    async def _connected_for_ever(self) -> None:
        pause_s = RETRY_S_FIRST
        while True:
            try:
                await self._connected()
                pause_s = RETRY_S_FIRST
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("events between processes are interrupted: %s", type(error).__name__)
            self.listening.clear()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_S_MAX)

    async def _connected(self) -> None:
        """Listens and notifies until the connection ends."""
        url = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(url, server_settings={"application_name": APPLICATION})
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._look_again()
            self.listening.set()
            gone = asyncio.create_task(ended.wait())
            try:
                while not ended.is_set():
                    told = asyncio.create_task(self._outbox.get())
                    await asyncio.wait((told, gone), return_when=asyncio.FIRST_COMPLETED)
                    if not told.done():
                        told.cancel()
                        return
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, told.result())
            finally:
                gone.cancel()
        finally:
            with suppress(Exception):
                await connection.close(timeout=1)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        _put(self._inbox, payload)

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
            return
        if kind == "queue":
            self._bus.deliver_queue()
        elif conversation_id not in self._bus.watched:
            return
        elif kind == "message":
            async with self._database.snapshot() as session:
                message = await session.scalar(
                    select(Message).where(
                        Message.conversation_id == conversation_id, Message.seq == told["seq"]
                    )
                )
            if message is not None:
                event = {"type": "message", "message": message_view(message).to_json()}
                self._bus.deliver(conversation_id, event)
        else:
            self._bus.deliver(conversation_id, {key: told[key] for key in ("type", "who") if key in told})

    def _look_again(self) -> None:
        self._bus.deliver_queue()
        for conversation_id in self._bus.watched:
            self._bus.deliver(conversation_id, {"type": "state"})


def _put(queue: asyncio.Queue[str], told: str) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(told)
