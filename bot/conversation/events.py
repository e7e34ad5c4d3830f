"""Tells open pages what happened, within one process; `fanout` carries it to the others.

Lost events are harmless: pages ask for what they missed, by themselves now and then and when told to look `again`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

QUEUE_LENGTH_MAX = 256
Event = dict[str, Any]
T = TypeVar("T")


class EventBus:
    """Publish and subscribe, per conversation and for the desk's queue."""

    def __init__(self) -> None:
        self._by_conversation: dict[str, set[asyncio.Queue[Event]]] = defaultdict(set)
        self._all: set[asyncio.Queue[Event]] = set()
        self._followers: set[asyncio.Queue[str]] = set()
        self.outward: Callable[[str, Event], None] | None = None  # told of everything published here

    @asynccontextmanager
    async def subscribe(self, conversation_id: str) -> AsyncIterator[asyncio.Queue[Event]]:
        """Events of one conversation for as long as the context is open."""
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_LENGTH_MAX)
        self._by_conversation[conversation_id].add(queue)
        try:
            yield queue
        finally:
            self._by_conversation[conversation_id].discard(queue)
            if not self._by_conversation[conversation_id]:
                del self._by_conversation[conversation_id]

    @asynccontextmanager
    async def subscribe_all(self) -> AsyncIterator[asyncio.Queue[Event]]:
        """{"type": "queue"} whenever the ownership of any conversation changes."""
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_LENGTH_MAX)
        self._all.add(queue)
        try:
            yield queue
        finally:
            self._all.discard(queue)

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[asyncio.Queue[str]]:
        """The id of every conversation in which something was said; for channels that have no page open."""
        queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_LENGTH_MAX)
        self._followers.add(queue)
        try:
            yield queue
        finally:
            self._followers.discard(queue)

    def publish(self, conversation_id: str, event: Event) -> None:
        """To everybody who watches this conversation; a full queue drops its oldest event."""
        self.deliver(conversation_id, event)
        if self.outward is not None:
            self.outward(conversation_id, event)
        if event.get("type") == "message":
            for follower in tuple(self._followers):
                _put(follower, conversation_id)

    def publish_queue(self) -> None:
        """Tells the desk to look at the queue again."""
        self.deliver_queue()
        if self.outward is not None:
            self.outward("", {"type": "queue"})

    def deliver(self, conversation_id: str, event: Event) -> None:
        """To the pages of this process only."""
        for queue in tuple(self._by_conversation.get(conversation_id, ())):
            _put(queue, event)

    def deliver_queue(self) -> None:
        """To the desk pages of this process only."""
        for queue in tuple(self._all):
            _put(queue, {"type": "queue"})

    @property
    def watched(self) -> tuple[str, ...]:
        """The conversations somebody watches in this process."""
        return tuple(self._by_conversation)


def _put(queue: asyncio.Queue[T], event: T) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(event)
