"""An agent's browser without the page: what it asks for, and what it hears by its web socket."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

from desk.service import DEMO_PASSWORD
from tests.e2e.counter import Counter

HEARD_WITHIN_S = 5.0  # three times quicker than a page that only looks again now and then


class Agent:
    """Logged in at one process, and perhaps moved to another with the same cookie."""

    def __init__(self, counter: Counter, username: str) -> None:
        self.counter, self.username = counter, username
        self.http = self._browser()
        self.lists: dict[str, list[dict[str, Any]]] = {"queue": [], "mine": []}
        self.messages: dict[str, dict[int, str]] = {}
        self.on_duty = 0
        self.unseated = False
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._listening: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def _browser(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            headers={"Origin": self.counter.url}, cookie_jar=aiohttp.CookieJar(unsafe=True)
        )

    async def sit_down(self) -> None:
        """Logs in."""
        status, _ = await self.post("login", username=self.username, password=DEMO_PASSWORD)
        assert status == 200

    async def begin_work(self) -> None:
        """Logged in, with an open page, on duty."""
        await self.sit_down()
        await self.open()
        assert (await self.post("presence", state="on_duty"))[0] == 200

    async def move_to(self, counter: Counter) -> None:
        """The page comes back at another process: the cookie is the same, the log-in is not done again."""
        cookies = {cookie.key: cookie.value for cookie in self.http.cookie_jar}
        await self.leave()
        self.counter = counter
        self.http = self._browser()
        self.http.cookie_jar.update_cookies(cookies)
        await self.open()

    async def open(self) -> None:
        """Opens the page's socket, and listens."""
        self._socket = await self.http.ws_connect(f"{self.counter.url}/desk/api/ws")
        self._listening = asyncio.create_task(self._listen(self._socket))

    async def leave(self) -> None:
        """Closes the page; the log-in stays."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        await self.http.close()

    async def post(self, path: str, **body: str) -> tuple[int, str]:
        """Status and error code of an act."""
        async with self.http.post(f"{self.counter.url}/desk/api/{path}", json=body) as response:
            answer = await response.json()
            return response.status, answer.get("error", {}).get("code", "")

    async def get(self, path: str) -> int:
        """Status of a look."""
        async with self.http.get(f"{self.counter.url}/desk/api/{path}") as response:
            return response.status

    async def claim(self, conversation_id: str) -> None:
        """Sees the customer wait, and takes them."""
        await self.sees(lambda: conversation_id in self.waiting())
        assert await self.post(f"conversations/{conversation_id}/claim") == (200, "")
        await self.sees(lambda: conversation_id in self.holds())

    async def say(self, conversation_id: str, text: str, client_id: str = "") -> None:
        """Says it; with the client id of an earlier try it is the same words."""
        body = {"text": text, "client_id": client_id or uuid.uuid4().hex}
        assert await self.post(f"conversations/{conversation_id}/say", **body) == (200, "")

    def waiting(self) -> set[str]:
        """The conversations in the queue, as the page shows them."""
        return {item["conversation_id"] for item in self.lists["queue"]}

    def holds(self) -> set[str]:
        """The agent's own conversations, as the page shows them."""
        return {item["conversation_id"] for item in self.lists["mine"]}

    def heard(self, conversation_id: str) -> list[str]:
        """The live messages of a conversation, in order."""
        return [text for _seq, text in sorted(self.messages.get(conversation_id, {}).items())]

    async def sees(self, done: Callable[[], bool], within_s: float = HEARD_WITHIN_S) -> None:
        """Waits until the page shows it."""
        async with asyncio.timeout(within_s):
            while not done():
                self._news.clear()
                await self._news.wait()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with suppress(aiohttp.ClientError, ConnectionError):
            async for frame in socket:
                self._take(frame.json())
                self._news.set()

    def _take(self, frame: dict[str, Any]) -> None:
        self.on_duty = frame.get("on_duty", self.on_duty)
        self.unseated = self.unseated or frame["type"] == "error"
        if frame["type"] in self.lists:
            self.lists[frame["type"]] = frame["items"]
        elif frame["type"] == "message":
            message = frame["message"]
            self.messages.setdefault(frame["conversation_id"], {})[message["seq"]] = message["text"]
