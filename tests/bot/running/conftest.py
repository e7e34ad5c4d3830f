"""The whole HTTP surface as it runs, over an empty bank with two customers and the demo agents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.web_urldispatcher import PrefixedSubAppResource
from pydantic import SecretStr

from banking_core.clock import ManualClock
from banking_core.customers.id_numbers import complete_id_number
from banking_core.identity import LoginDone
from bot.assembly import Product, build_product
from bot.channels.web import COOKIE_NAME as CUSTOMER_COOKIE
from bot.channels.web.sessions import create_session
from bot.channels.wechat.page import COOKIE as FOLLOWER_COOKIE
from bot.dialogue.understanding import Understanding
from bot.evaluation.demo_bank import SECRET, settings_for
from bot.running.server import WECHAT, build_app
from desk.api import COOKIE_NAME as AGENT_COOKIE
from desk.service import DEMO_PASSWORD
from migrations.runner import upgrade

NOW = datetime(2026, 11, 4, 4, 0, tzinfo=UTC)
PARAMETERS = {
    "name": "app.js",
    "conversation_id": "c1",
    "number": "GD20261104000001",
    "reply_id": "r1",
    "key": "k1",
    "seq": "1",
}


class Deaf:
    """Understands nothing for sure."""

    async def understand(self, text: str) -> Understanding:
        return Understanding(text, "out_of_scope", 0.9, ranking=(("out_of_scope", 0.9),))


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str = field(repr=False)

    @property
    def code(self) -> str:
        """The machine-readable reason of a refusal."""
        return str(json.loads(self.text)["error"]["code"])


@dataclass(frozen=True)
class Caller:
    """Somebody with a cookie: `token` opens one of the two surfaces."""

    token: str
    conversation_id: str = ""
    cookies: dict[str, str] = field(default_factory=dict)


@dataclass
class Surface:
    """The running server, and who may call it."""

    product: Product
    clock: ManualClock
    app: web.Application
    server: TestServer
    http: aiohttp.ClientSession

    @property
    def origin(self) -> str:
        """Our own."""
        return str(self.server.make_url("/").origin())

    def routes(self) -> list[tuple[str, str]]:
        """(method, path) of every route there is, with values for the parameters."""
        return sorted(set(_routes(self.app)))

    async def call(
        self,
        method: str,
        path: str,
        *,
        by: Caller | None = None,
        headers: dict[str, str] | None = None,
        after_s: int = 20,
        **content: Any,
    ) -> Answer:
        """One request; our own origin unless `headers` say otherwise. By default long enough after the last one
        that no limit is hit.
        """
        self.clock.advance(seconds=after_s)
        sent = {"Origin": self.origin} if headers is None else headers
        if by is not None:
            sent = sent | {"Cookie": "; ".join(f"{name}={value}" for name, value in by.cookies.items())}
        url = f"{self.origin}{path}"
        async with self.http.request(method, url, headers=sent, allow_redirects=False, **content) as response:
            body = await response.read()
            return Answer(response.status, dict(response.headers), body.decode("utf-8", "replace"))

    @asynccontextmanager
    async def socket(
        self, by: Caller, path: str = "/chat/ws"
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A web socket of our own page."""
        cookies = "; ".join(f"{name}={value}" for name, value in by.cookies.items())
        headers = {"Origin": self.origin, "Cookie": cookies}
        async with self.http.ws_connect(f"{self.origin}{path}", headers=headers) as socket:
            yield socket

    async def customer(self, name: str = "", phone: str = "") -> Caller:
        """A browser with a conversation; with a name and a phone number it has logged in."""
        hub, db = self.product.hub, self.product.database
        conversation_id, customer_id = await hub.open("web"), None
        if name:
            async with db.transaction() as session:
                id_number = complete_id_number(f"11010119900307{phone[-3:]}")
                person = await self.product.bank.customers.create(
                    session, phone=phone, name=name, id_number=id_number
                )
            customer_id = person.id
            await hub.attach_customer(conversation_id, customer_id, "密码+短信验证码")
        async with db.transaction() as session:
            token, _row = await create_session(
                session,
                self.product.bank.identity.sessions,
                conversation_id=conversation_id,
                login=LoginDone(customer_id, None, "密码+短信验证码") if customer_id else None,
            )
        return Caller(token, conversation_id, {CUSTOMER_COOKIE: token})

    async def follower(self) -> Caller:
        """A browser inside WeChat at the secure page."""
        token = await self.app[WECHAT].page.open_visit("oDF3iYx0ro3_7jD4HFRDfrjdCM58")
        return Caller(token, cookies={FOLLOWER_COOKIE: token})

    async def agent(self, username: str = "xiaowang") -> Caller:
        """An agent at the desk."""
        outcome = await self.product.desk.login(self.product.database, username, DEMO_PASSWORD)
        assert outcome.kind == "ok"
        return Caller(outcome.token, cookies={AGENT_COOKIE: outcome.token})


def _routes(app: web.Application) -> Iterator[tuple[str, str]]:
    for resource in app.router.resources():
        if isinstance(resource, PrefixedSubAppResource):
            yield from _routes(resource._app)
            continue
        for route in resource:
            yield route.method, resource.canonical.format(**PARAMETERS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def surface(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Surface]:
    settings = settings_for(
        tmp_path_factory.mktemp("bank"),
        messages_per_s=50,
        allowed_origins="https://bank.example",
        trusted_proxies="127.0.0.1",
        public_url="https://wechat.example",
        wechat_app_id="wx5823bf96d3bd56c7",
        wechat_app_secret=SECRET,
        wechat_token=SecretStr("a1" * 16),
        wechat_aes_key=SecretStr("a" * 43),
        session_ttl_h=700,
        session_idle_min=720,
    )
    await upgrade(settings.database_url, vault=settings.open_vault())
    clock = ManualClock(NOW)
    product = build_product(settings, clock=clock, understander=Deaf())
    await product.start()
    async with product.database.transaction() as session:
        await product.desk.seed_demo_agents(session)
    app = build_app(product)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Surface(product, clock, app, server, http)
    await server.close()
    await product.close()
