"""The open sockets of one process: counted for the limits, closed when their session ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Protocol

from aiohttp import WSCloseCode

from bot.channels.web.sessions import WebSession

CLOSE_SESSION_CHANGED = 4001  # logged in or out elsewhere: come back with the new cookie

_background: set[asyncio.Task[None]] = set()  # the event loop itself holds tasks only weakly


def in_background(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that outlives the handler that began it."""
    task = asyncio.create_task(work)
    _background.add(task)
    task.add_done_callback(_background.discard)
    return task


class Connection(Protocol):
    """What the registry knows of an open page."""

    @property
    def session(self) -> WebSession: ...
    @property
    def address(self) -> str: ...
    async def close(self, code: int) -> None: ...


class SocketRegistry:
    """The open sockets of this process, counted and closable by session."""

    def __init__(self) -> None:
        self._open: dict[Connection, str] = {}
        self._by_address: Counter[str] = Counter()

    def add(self, connection: Connection) -> None:
        """Notes an open socket."""
        self._open[connection] = connection.session.id
        self._by_address[connection.address] += 1

    def remove(self, connection: Connection) -> None:
        """Forgets a closed socket."""
        if self._open.pop(connection, None) is None:
            return
        self._by_address[connection.address] -= 1
        self._by_address += Counter()  # drops addresses that fell to zero

    def count(self, session_id: str, address: str) -> tuple[int, int]:
        """How many sockets this session and this address hold."""
        return sum(owner == session_id for owner in self._open.values()), self._by_address[address]

    def of_session(self, session_id: str) -> list[Connection]:
        """The sockets of a session."""
        return [connection for connection, owner in self._open.items() if owner == session_id]

    def close_session(self, session_id: str) -> None:
        """Closes the sockets of a session that is no more."""
        for connection in self.of_session(session_id):
            in_background(connection.close(CLOSE_SESSION_CHANGED))  # a page that is gone never answers

    async def close_all(self) -> None:
        """Closes everything; the server goes down."""
        await asyncio.gather(*(connection.close(WSCloseCode.GOING_AWAY) for connection in self._open))
