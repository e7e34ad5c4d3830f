"""The running product with WeChat set up, and simulated followers in front of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from banking_core.clock import ManualClock
from bot.assembly import Product, build_product
from bot.channels.phone.loop import Expect
from bot.channels.wechat import contacts
from bot.channels.wechat.channel import WechatChannel
from bot.channels.wechat.models import WechatContact
from bot.channels.wechat.simulator import Follower, Tencent, build_simulator_app
from bot.dialogue.by_ear import ByEar
from bot.dialogue.understanding import Understanding
from bot.evaluation.demo_bank import settings_for
from bot.knowledge import KnowledgeBase
from bot.running.server import WECHAT, build_app
from bot.settings import Settings
from migrations.runner import upgrade
from tests.banking_core.people import Person, make_person
from tests.bot.channels.wechat.accounts import AES_KEY, NOW, OPENID, TOKEN, account

KNOWLEDGE: list[KnowledgeBase] = []  # one for all: reading it takes longer than any test
TEMPLATE: list[bytes] = []
PHONE, PASSWORD, CODE = "13800000004", "Right-horse-7", "246810"
PATH = "/wechat/callback"


class Ears:
    """Understands what it was told to understand; everything else is small talk. May be made to wait."""

    def __init__(self) -> None:
        self.intents: dict[str, str] = {}
        self.heard: list[str] = []
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def understand(self, text: str) -> Understanding:
        self.heard.append(text)
        self.asked.set()
        await self.go_on.wait()
        intent = self.intents.get(text, "out_of_scope")
        return Understanding(text, intent, 0.99, ranking=((intent, 0.99),))


class Reader:
    """Hears what it is told to hear; knows what it was told to expect."""

    def __init__(self, *heard: ByEar) -> None:
        self.left = list(heard)
        self.expected: list[tuple[Expect, tuple[str, ...]]] = []

    async def hear(self, recording: bytes, expect: Expect, phrases: tuple[str, ...]) -> ByEar:
        self.expected.append((expect, phrases))
        return self.left.pop(0)

    async def close(self) -> None: ...


@dataclass
class Site:
    """Everything at hand."""

    product: Product
    channel: WechatChannel
    tencent: Tencent
    clock: ManualClock
    ears: Ears
    http: aiohttp.ClientSession
    url: str
    lost: list[bool] = field(
        default_factory=list
    )  # whether the answer to the next posts gets lost on its way

    def follower(self, openid: str = OPENID) -> Follower:
        """Somebody with WeChat; the seconds between tries are moved by hand."""

        async def wait(seconds: float) -> None:
            self.clock.advance(seconds=seconds)

        return Follower(self.tencent, openid, self.post, wait)

    async def post(self, query: Mapping[str, str], body: str | bytes) -> tuple[int, str]:
        """One callback, with its answer or without."""
        data = body if isinstance(body, bytes) else body.encode()
        headers = {"Content-Type": "text/xml"}
        async with self.http.post(self.url + PATH, params=dict(query), data=data, headers=headers) as answer:
            text = await answer.text()
        if self.lost and self.lost.pop(0):
            raise TimeoutError
        return answer.status, text

    async def settled(self) -> None:
        """Everything begun so far has come to its end, replies sent included."""
        await self.product.hub.settled()
        await self.channel.settled()

    async def contact(self, openid: str = OPENID) -> WechatContact:
        """The follower's row."""
        async with self.product.database.snapshot() as session:
            found = await contacts.find(session, openid)
            assert found is not None
            return found

    async def history(self, openid: str = OPENID) -> list[dict[str, Any]]:
        """What is in the follower's conversation."""
        return await self.product.hub.history((await self.contact(openid)).conversation_id)


def listen_with(site: Site, reader: Reader) -> None:
    """From now on voice messages are heard by this one."""
    object.__setattr__(site.channel.intake._deps, "voice", reader)


@asynccontextmanager
async def another_process(site: Site) -> AsyncIterator[Site]:
    """The same product once more, on the same database, with connections of its own."""
    product = _product(site.product.settings, site.clock, site.ears)
    app = build_app(product)
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("/")).rstrip("/")
    yield Site(product, app[WECHAT], site.tencent, site.clock, site.ears, site.http, url)
    await server.close()
    await product.close()


class Browser:
    """WeChat's own browser at the secure page."""

    def __init__(self, site: Site, openid: str = OPENID) -> None:
        self.site, self.openid = site, openid
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def open(self) -> str:
        """The page, through Tencent's authorisation; gives its text."""
        url = f"{self.site.url}/wechat/page"
        async with self.http.get(url, allow_redirects=False) as answer:
            if answer.status == 200:
                return await answer.text()
            away = answer.headers["Location"].replace("#wechat_redirect", f"&openid={self.openid}")
        async with self.http.get(away, allow_redirects=False) as answer:
            back = answer.headers["Location"]
        async with self.http.get(back) as answer:
            return await answer.text()

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        async with self.http.get(self.site.url + path) as answer:
            return answer.status, json.loads(await answer.text())

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        sent = {"Origin": self.site.url, **headers}
        async with self.http.post(self.site.url + path, json=body or {}, headers=sent) as answer:
            return answer.status, json.loads(await answer.text())

    async def bind(self) -> None:
        """The whole way: the page, password and code."""
        assert "安全页面" in await self.open()
        status, need = await self.post("/wechat/api/login", {"phone": PHONE, "password": PASSWORD})
        assert status == 200, need
        if "challenge_id" in need:
            proof = {"challenge_id": need["challenge_id"], "code": CODE}
            status, need = await self.post("/wechat/api/login/verify", proof)
        assert (status, need["bound"]) == (200, True), need
        await self.site.settled()

    async def close(self) -> None:
        await self.http.close()


async def make_customer(product: Product, phone: str = PHONE, name: str = "张伟") -> Person:
    """A customer with a password and a thousand yuan."""
    async with product.database.transaction() as session:
        person = await make_person(session, product.bank, name, phone, 100_000)
        await product.bank.identity.passwords.set(session, person.id, PASSWORD)
    return person


async def add_payee(site: Site) -> None:
    """The follower's customer knows 李静, who banks with us too."""
    payee = await make_customer(site.product, "13800000006", "李静")
    customer_id = (await site.contact()).customer_id
    assert customer_id is not None
    async with site.product.database.transaction() as session:
        await site.product.bank.payees.add(
            session, customer_id=customer_id, name="李静", account_number=payee.account.number
        )


async def _migrated(folder: Path, settings: Settings) -> None:
    """The tables, made once and then copied."""
    if "sqlite" not in settings.database_url:
        await upgrade(settings.database_url, vault=settings.open_vault())
    elif not TEMPLATE:
        await upgrade(settings.database_url, vault=settings.open_vault())
        TEMPLATE.append((folder / "bank.db").read_bytes())
    else:
        (folder / "bank.db").write_bytes(TEMPLATE[0])


def _product(settings: Settings, clock: ManualClock, ears: Ears) -> Product:
    load = KnowledgeBase.load

    def kept(*arguments: Any, **more: Any) -> KnowledgeBase:
        if not KNOWLEDGE:
            KNOWLEDGE.append(load(*arguments, **more))
        return KNOWLEDGE[0]

    with patch("bot.assembly.KnowledgeBase.load", kept):
        return build_product(settings, clock=clock, understander=ears)


@asynccontextmanager
async def running(folder: Path, **overrides: Any) -> AsyncIterator[Site]:
    """The product on local ports; `overrides` are settings."""
    clock, ears = ManualClock(NOW), Ears()
    mode = overrides.get("wechat_mode", "safe")
    tencent = Tencent(account(mode), clock)
    outside, inside_port = TestServer(build_simulator_app(tencent)), 0
    await outside.start_server()
    tencent_url = str(outside.make_url("/")).rstrip("/")
    inside = TestServer(aiohttp.web.Application())
    await inside.start_server()
    inside_port = inside.port
    await inside.close()
    settings = settings_for(
        folder,
        **{
            "public_url": f"http://127.0.0.1:{inside_port}",
            "wechat_app_id": account().app_id,
            "wechat_app_secret": SecretStr(account().app_secret),
            "wechat_token": SecretStr(TOKEN),
            "wechat_aes_key": SecretStr(AES_KEY),
            "wechat_api_url": tencent_url,
            "wechat_oauth_url": tencent_url,
            "wechat_alert_template": "template-1",
            "password_time_cost": 1,
            "password_memory_kib": 8192,
            "password_lanes": 1,
        }
        | overrides,
    )
    await _migrated(folder, settings)
    product = _product(settings, clock, ears)
    await product.start()
    app = build_app(product)
    server = TestServer(app, port=inside_port)
    await server.start_server()
    async with aiohttp.ClientSession() as http:
        with patch("banking_core.identity.otp.random_code", return_value=CODE):
            yield Site(product, app[WECHAT], tencent, clock, ears, http, f"http://127.0.0.1:{inside_port}")
    ears.go_on.set()
    await server.close()
    await product.close()
    await outside.close()
