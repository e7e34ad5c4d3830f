"""Calls from the page: the right page in its own conversation, nobody else, and not too many."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from bot.channels.phone.alongside import Visitor
from bot.channels.phone.errors import LineBusy
from bot.channels.web.calls import ALL_LINES_BUSY_TEXT, CALL_GOES_ON_TEXT, CALLED_TOO_OFTEN_TEXT
from bot.channels.web.limits import WebLimits
from bot.channels.web.registry import CLOSE_SESSION_CHANGED
from bot.channels.web.sockets import CLOSE_NO_SESSION, CLOSE_TOO_MANY
from tests.bot.channels.web.conftest import Site, running_site
from tests.bot.channels.web.conftest import Visitor as Browser


class Line:
    """Takes calls and says back what it hears."""

    def __init__(self) -> None:
        self.visitors: list[Visitor] = []
        self.open = 0
        self.busy = False
        self.begun = asyncio.Event()

    async def serve(self, socket: Any, visitor: Visitor) -> None:
        if self.busy:
            raise LineBusy
        self.visitors.append(visitor)
        self.open += 1
        self.begun.set()
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    await socket.send_bytes(message.data)
        finally:
            self.open -= 1


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def site(tmp_path: Any, line: Line) -> Any:
    async with running_site(tmp_path, calls=line) as running:
        yield running


async def dial(browser: Browser, path: str = "/chat/call", **headers: str) -> Any:
    return await browser.http.ws_connect(path, headers={"Origin": browser.origin, **headers})


async def refused(socket: Any) -> tuple[str, int]:
    """What was said, and the code it was closed with."""
    said = await socket.receive_json(timeout=5)
    closed = await socket.receive(timeout=5)
    assert closed.type is WSMsgType.CLOSE
    return said["text"], closed.data


@asynccontextmanager
async def calling(browser: Browser, line: Line) -> Any:
    line.begun.clear()
    socket = await dial(browser)
    await asyncio.wait_for(line.begun.wait(), 5)
    yield socket
    await socket.close()


async def until_over(line: Line) -> None:
    async with asyncio.timeout(5):
        while line.open:  # noqa: ASYNC110, a server's own end of a socket has no event
            await asyncio.sleep(0.01)


async def test_a_page_calls_in_its_own_conversation_whatever_it_asks_for(site: Site, line: Line) -> None:
    other = site.visitor()
    theirs = (await other.arrive())["conversation_id"]
    browser = site.visitor()
    mine = (await browser.arrive())["conversation_id"]
    socket = await dial(browser, f"/chat/call?conversation_id={theirs}")
    await socket.send_bytes(b"12")
    assert (await socket.receive(timeout=5)).data == b"12"
    assert [visitor.conversation_id for visitor in line.visitors] == [mine]
    await socket.close()


async def test_who_has_logged_in_calls_with_that_session(site: Site, line: Line) -> None:
    browser = site.visitor()
    await browser.arrive()
    await browser.log_in()
    async with calling(browser, line):
        [visitor] = line.visitors
        assert (
            visitor.caller.startswith("web:")
            and visitor.origin.session_id
            and visitor.origin.channel == "web"
        )
        assert site.hub.talks[visitor.conversation_id].customer_id is not None
        assert await visitor.present()


async def test_without_a_cookie_nobody_calls(site: Site, line: Line) -> None:
    text, code = await refused(await dial(site.visitor()))
    assert "刷新" in text and code == CLOSE_NO_SESSION and line.visitors == []


async def test_a_made_up_cookie_opens_nothing(site: Site, line: Line) -> None:
    browser = site.visitor()
    await browser.arrive()
    browser.put_cookie("A" * 43)
    assert (await refused(await dial(browser)))[1] == CLOSE_NO_SESSION and line.visitors == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_call_with_the_customers_cookie(
    site: Site, line: Line, headers: dict[str, str]
) -> None:
    browser = site.visitor()
    await browser.arrive()
    with pytest.raises(WSServerHandshakeError) as refusal:
        await dial(browser, **headers)
    assert refusal.value.status == 403 and line.visitors == []


async def test_a_second_window_is_told_that_the_call_goes_on_in_the_first(site: Site, line: Line) -> None:
    browser = site.visitor()
    await browser.arrive()
    async with calling(browser, line):
        assert await refused(await dial(browser)) == (CALL_GOES_ON_TEXT, CLOSE_TOO_MANY)
    await until_over(line)
    async with calling(browser, line):
        assert len(line.visitors) == 2


async def test_who_calls_too_often_is_told_to_wait(site: Site, line: Line) -> None:
    browser = site.visitor()
    await browser.arrive()
    for _ in range(5):
        async with calling(browser, line):
            pass
        await until_over(line)
    assert await refused(await dial(browser)) == (CALLED_TOO_OFTEN_TEXT, CLOSE_TOO_MANY)
    site.clock.advance(seconds=60)
    async with calling(browser, line):
        pass


async def test_one_address_holds_only_so_many_calls(tmp_path: Any, line: Line) -> None:
    limits = replace(WebLimits(), open_calls_address_max=2)
    async with running_site(tmp_path, calls=line, limits=limits) as site:
        browsers = [site.visitor() for _ in range(3)]
        for browser in browsers:
            await browser.arrive()
        async with calling(browsers[0], line), calling(browsers[1], line):
            assert await refused(await dial(browsers[2])) == (CALLED_TOO_OFTEN_TEXT, CLOSE_TOO_MANY)


async def test_when_all_lines_are_taken_the_page_says_so(site: Site, line: Line) -> None:
    line.busy = True
    browser = site.visitor()
    await browser.arrive()
    assert await refused(await dial(browser)) == (ALL_LINES_BUSY_TEXT, CLOSE_TOO_MANY)


async def test_logging_out_ends_the_call(site: Site, line: Line) -> None:
    browser = site.visitor()
    await browser.arrive()
    await browser.log_in()
    async with calling(browser, line) as socket:
        await browser.post("/api/logout")
        closed = await socket.receive(timeout=5)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, CLOSE_SESSION_CHANGED)
    await until_over(line)


async def test_a_session_that_ended_elsewhere_ends_the_call_at_its_next_word(site: Site, line: Line) -> None:
    browser = site.visitor()
    await browser.arrive()
    async with calling(browser, line) as socket:
        [visitor] = line.visitors
        async with site.deps.db.transaction() as session:
            await site.bank.identity.sessions.end(session, visitor.origin.session_id, "revoked")
        assert not await visitor.present()
        closed = await socket.receive(timeout=5)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, CLOSE_NO_SESSION)


async def test_logging_in_during_a_call_keeps_the_call_and_a_later_log_out_ends_it(
    site: Site, line: Line
) -> None:
    browser = site.visitor()
    await browser.arrive()
    async with calling(browser, line) as socket:
        [visitor] = line.visitors
        await browser.log_in()
        assert await visitor.present() and line.open == 1
        await browser.post("/api/logout")
        assert (await socket.receive(timeout=5)).data == CLOSE_SESSION_CHANGED
    await until_over(line)


async def test_logging_in_as_somebody_else_ends_the_call_of_the_conversation_that_was(
    site: Site, line: Line
) -> None:
    browser = site.visitor()
    await browser.arrive()
    site.hub.change(
        (await browser.post("/api/session"))[1]["conversation_id"], customer_id="another customer"
    )
    async with calling(browser, line) as socket:
        await browser.log_in()
        assert (await socket.receive(timeout=5)).data == CLOSE_SESSION_CHANGED
    await until_over(line)


async def test_the_page_may_use_the_microphone_only_where_it_can_call(site: Site, open_site: Any) -> None:
    async def policy(of: Site) -> str:
        async with of.visitor().http.get("/") as answer:
            return str(answer.headers["Permissions-Policy"])

    assert "microphone=(self)" in await policy(site)
    assert (await site.visitor().arrive())["calls"] is True
    async with open_site() as without:
        assert "microphone=()" in await policy(without)
        assert (await without.visitor().arrive())["calls"] is False
        browser = without.visitor()
        await browser.arrive()
        with pytest.raises(WSServerHandshakeError) as refusal:
            await dial(browser)
        assert refusal.value.status == 404
