"""Several copies of the understanding service: asked in turn, and one that is gone or frozen is not noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.dialogue.errors import UnderstandingUnavailable
from bot.understanding.client import NluClient


@dataclass
class Copy:
    """A service that answers everything with one intent, as long as it is well."""

    name: str
    asked: int = 0
    status: int = 200
    frozen: asyncio.Event = field(default_factory=asyncio.Event)  # set: it answers
    server: TestServer | None = None

    async def start(self) -> None:
        self.frozen.set()
        app = web.Application()
        app.router.add_post("/model/parse", self._parse)
        app.router.add_get("/health", self._health)
        self.server = TestServer(app)
        await self.server.start_server()

    async def _parse(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.frozen.wait()
        body = {"text": (await request.json())["text"], "intent": {"name": self.name, "confidence": 0.9}}
        return web.json_response(body, status=self.status)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"ready": self.status == 200}, status=self.status)

    async def close(self) -> None:
        self.frozen.set()
        assert self.server is not None
        await self.server.close()


@pytest.fixture
async def copies() -> AsyncIterator[list[Copy]]:
    """Two of them."""
    copies = [Copy("first"), Copy("second")]
    for copy in copies:
        await copy.start()
    yield copies
    for copy in copies:
        await copy.close()


@pytest.fixture
async def client(copies: list[Copy]) -> AsyncIterator[NluClient]:
    """Knows both."""
    urls = [str(copy.server.make_url("")) for copy in copies if copy.server is not None]
    client = NluClient(", ".join(urls), "token", timeout_s=0.4)
    yield client
    await client.close()


async def test_copies_are_asked_in_turn(copies: list[Copy], client: NluClient) -> None:
    heard = {(await client.understand("你好")).intent for _ in range(6)}
    assert heard == {"first", "second"} and [copy.asked for copy in copies] == [3, 3]


async def test_what_one_copy_does_not_answer_another_does(copies: list[Copy], client: NluClient) -> None:
    gone, well = copies
    await gone.close()
    assert {(await client.understand("你好")).intent for _ in range(4)} == {"second"}
    assert well.asked == 4
    assert await client.ready()


async def test_a_frozen_copy_costs_one_sentence_its_share_of_the_time_and_the_next_ones_nothing(
    copies: list[Copy], client: NluClient
) -> None:
    frozen, _ = copies
    frozen.frozen.clear()
    assert {(await client.understand("你好")).intent for _ in range(5)} == {"second"}
    assert frozen.asked == 1


async def test_with_no_copy_left_the_assistant_is_told_so(copies: list[Copy], client: NluClient) -> None:
    for copy in copies:
        copy.status = 503
    with pytest.raises(UnderstandingUnavailable):
        await client.understand("你好")
    assert not await client.ready()
