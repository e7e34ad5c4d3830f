"""A small hub and a small bank in memory, and the web channel in front of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from banking_core.clock import ManualClock
from banking_core.core import Core, build_core
from banking_core.settings import BankSettings
from banking_core.storage import Base, Database
from bot.channels.web import SmsSeen, WebDependencies, build_web_app
from bot.conversation.events import EventBus
from bot.conversation.views import ConversationStatus, Inbound, MessageView, Received
from bot.dialogue.reply import Reply
from tests.banking_core.people import make_person
from tests.keys import vault

VAULT = vault()  # one for all: a second site in the same folder reads what the first has sealed
START = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
PHONE, OTHER_PHONE, PASSWORD, CODE = "13800000004", "13800000006", "Right-horse-7", "246810"


@dataclass
class Talk:
    """One conversation of the fake hub."""

    id: str
    customer_id: str | None = None
    owner: str = "bot"
    agent_name: str | None = None
    queue_position: int | None = None
    expects: str = "text"
    expects_until: datetime | None = None
    can_rate: bool = False
    log: list[MessageView] = field(default_factory=list)
    rating: tuple[int, str] | None = None


class FakeHub:
    """Keeps the promises of the real hub that a channel relies on: order, at most once, events."""

    def __init__(self, clock: ManualClock) -> None:
        self.events, self.clock = EventBus(), clock
        self.talks: dict[str, Talk] = {}
        self.inbound: list[Inbound] = []
        self.attached: list[tuple[str, str, str]] = []
        self.answer: Callable[[Talk, Inbound], list[dict[str, Any]]] = lambda _talk, inbound: [
            {"text": f"收到：{inbound.text}"}
        ]
        self.before_turn: Callable[[], Awaitable[None]] | None = None
        self.mute = False  # loses every live event

    async def open(self, channel: str, *, customer_id: str | None = None) -> str:
        talk = Talk(id=uuid.uuid4().hex, customer_id=customer_id)
        self.talks[talk.id] = talk
        return talk.id

    async def receive(self, inbound: Inbound) -> Received:
        self.inbound.append(inbound)
        if self.before_turn is not None:
            await self.before_turn()
        talk = self.talks[inbound.conversation_id]
        known = next((m for m in talk.log if m.client_id == inbound.channel_message_id), None)
        if known is not None:
            return Received(True, known.seq, [])
        if talk.owner == "closed":
            self.change(talk.id, owner="bot")
        text = "（已隐去）" if inbound.secret else inbound.text
        mine = self.say(talk.id, "customer", text, client_id=inbound.channel_message_id)
        replies = [self.say(talk.id, "bot", **reply) for reply in self.answer(talk, inbound)]
        return Received(False, mine.seq, replies)

    def say(
        self,
        conversation_id: str,
        sender: str,
        text: str,
        *,
        card: dict[str, Any] | None = None,
        choices: list[dict[str, str]] | None = None,
        client_id: str | None = None,
        name: str = "",
    ) -> MessageView:
        talk = self.talks[conversation_id]
        names = {"bot": "小掌柜", "agent": talk.agent_name or "", "customer": "客户", "system": "系统"}
        at = self.clock.now().isoformat()
        view = MessageView(
            seq=len(talk.log) + 1,
            id=uuid.uuid4().hex,
            sender=sender,
            sender_name=name or names[sender],
            text=text,
            card=card,
            choices=choices or [],
            client_id=client_id,
            created_at=at,
        )
        talk.log.append(view)
        self.publish(talk.id, {"type": "message", "message": view.to_json()})
        return view

    def publish(self, conversation_id: str, event: dict[str, Any]) -> None:
        if not self.mute:
            self.events.publish(conversation_id, event)

    def change(self, conversation_id: str, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self.talks[conversation_id], name, value)
        self.publish(conversation_id, {"type": "state"})

    async def history(
        self, conversation_id: str, after_seq: int = 0, limit: int = 200
    ) -> list[dict[str, Any]]:
        log = self.talks[conversation_id].log
        page = log[-limit:] if after_seq == 0 else [m for m in log if m.seq > after_seq][:limit]
        return [view.to_json() for view in page]

    async def status(self, conversation_id: str) -> ConversationStatus:
        talk = self.talks[conversation_id]
        return ConversationStatus(
            id=talk.id,
            owner=talk.owner,
            agent_name=talk.agent_name,
            queue_position=talk.queue_position,
            customer_id=talk.customer_id,
            customer_name_masked="*伟" if talk.customer_id else None,
            expects=talk.expects,
            expects_until=talk.expects_until,
            can_rate=talk.can_rate,
        )

    async def attach_customer(self, conversation_id: str, customer_id: str, how: str) -> str:
        self.attached.append((conversation_id, customer_id, how))
        if self.talks[conversation_id].customer_id not in (None, customer_id):
            return await self.open("web", customer_id=customer_id)
        self.change(conversation_id, customer_id=customer_id)
        return conversation_id

    async def announce(self, conversation_id: str, reply: Reply, once_key: str) -> None:
        if all(view.client_id != once_key for view in self.talks[conversation_id].log):
            data = reply.to_json()
            self.say(conversation_id, "bot", reply.text, choices=data["choices"], client_id=once_key)

    async def note_arrival(self, conversation_id: str, text: str, once_key: str) -> None:
        if all(view.client_id != once_key for view in self.talks[conversation_id].log):
            self.say(conversation_id, "customer", text, client_id=once_key)

    def typing(self, conversation_id: str, who: str) -> None:
        self.publish(conversation_id, {"type": "typing", "who": who})

    async def rate(self, conversation_id: str, score: int, comment: str) -> None:
        self.talks[conversation_id].rating = (score, comment)
        self.change(conversation_id, can_rate=False)


class Socket:
    """A page's web socket, without the page."""

    def __init__(self, raw: ClientWebSocketResponse) -> None:
        self.raw = raw

    async def hello(self, after_seq: int = 0, conversation_id: str | None = None) -> list[dict[str, Any]]:
        """Says hello and gives everything up to the first state."""
        await self.raw.send_json(
            {"type": "hello", "after_seq": after_seq, "conversation_id": conversation_id}
        )
        return await self.until("state")

    async def say(self, text: str, client_id: str = "client-0001", kind: str = "say") -> None:
        await self.raw.send_json({"type": kind, "client_id": client_id, "text": text})

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """Frames up to and including the first of this kind."""
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["type"] != kind:
            frames.append(await self.raw.receive_json(timeout=5))
        return frames

    async def closed_with(self) -> int:
        """The code with which the server closes; frames before it are passed over."""
        while (message := await self.raw.receive(timeout=5)).type is WSMsgType.TEXT:
            pass
        assert message.type is WSMsgType.CLOSE
        return int(message.data)

    async def settle(self) -> list[dict[str, Any]]:
        """Everything the server had to say up to now."""
        await self.raw.send_json({"type": "ping"})
        return (await self.until("pong"))[:-1]


class Visitor:
    """One browser: a cookie jar and the headers a browser sends."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.http = TestClient(site.server)

    @property
    def origin(self) -> str:
        return str(self.site.server.make_url("")).rstrip("/")

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        sent = {"Origin": self.origin, **headers}
        async with self.http.post(path, json={} if body is None else body, headers=sent) as answer:
            return answer.status, await answer.json()

    async def arrive(self) -> dict[str, Any]:
        status, me = await self.post("/api/session")
        assert status == 200
        return me

    async def connect(self, **headers: str) -> Socket:
        return Socket(await self.http.ws_connect("/chat/ws", headers={"Origin": self.origin, **headers}))

    async def log_in(self, phone: str = PHONE) -> dict[str, Any]:
        status, sent = await self.post("/api/login", {"phone": phone, "password": PASSWORD})
        assert status == 200, sent
        status, me = await self.post(
            "/api/login/verify", {"challenge_id": sent["challenge_id"], "code": CODE}
        )
        assert status == 200, me
        return me

    def cookie(self) -> str:
        cookies = self.http.session.cookie_jar.filter_cookies(self.site.server.make_url("/"))
        return cookies["zg_session"].value

    def put_cookie(self, token: str) -> None:
        self.http.session.cookie_jar.update_cookies({"zg_session": token}, self.site.server.make_url("/"))


class Site:
    """The web channel running on a local port, with its fakes at hand."""

    def __init__(
        self, deps: WebDependencies, hub: FakeHub, bank: Core, people: dict[str, str], clock: ManualClock
    ) -> None:
        self.deps, self.hub, self.bank, self.clock = deps, hub, bank, clock
        self.people = people  # phone number to customer id
        self.server = TestServer(build_web_app(deps))
        self._visitors: list[Visitor] = []

    def visitor(self) -> Visitor:
        visitor = Visitor(self)
        self._visitors.append(visitor)
        return visitor

    async def messages(self) -> list[SmsSeen]:
        """Every text message sent, the newest first."""
        assert self.deps.sms_recent is not None
        return list(await self.deps.sms_recent(200))

    async def close(self) -> None:
        for visitor in self._visitors:
            await visitor.http.session.close()
        await self.server.close()


async def open_bank(folder: Path, db: Database, clock: ManualClock) -> tuple[Core, dict[str, str]]:
    """A bank with two customers who have a password; argon2 costs next to nothing."""
    bank = build_core(
        BankSettings(
            database_url=str(db.url),
            sandbox_database_url=f"sqlite+aiosqlite:///{folder / 'sandbox.db'}",
            otp_key=b"a server key used by tests only!",
            password_time_cost=1,
            password_memory_kib=8,
            password_lanes=1,
        ),
        clock,
    )
    await bank.start(db)
    people = {}
    async with db.transaction() as session:
        for name, phone in (("张伟", PHONE), ("李静", OTHER_PHONE)):
            known = await bank.customers.by_phone(session, phone)  # a second site in the same folder
            people[phone] = known.id if known else (await make_person(session, bank, name, phone)).id
            if known is None:
                await bank.identity.passwords.set(session, people[phone], PASSWORD)
    return bank, people


@asynccontextmanager
async def running_site(folder: Path, **overrides: Any) -> AsyncIterator[Site]:
    """A site on a bank of its own in `folder`; every code is CODE. `overrides` are fields of WebDependencies."""
    clock = ManualClock(START)
    hub = FakeHub(clock)
    db = Database(f"sqlite+aiosqlite:///{folder / 'web.db'}", vault=VAULT)
    async with db.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    bank, people = await open_bank(folder, db, clock)

    async def sms_recent(limit: int) -> list[SmsSeen]:
        assert bank.providers.sandbox_sms is not None
        recent = await bank.providers.sandbox_sms.recent(limit)
        return [SmsSeen(message.phone, message.text, message.sent_at) for message in recent]

    deps = WebDependencies(hub=hub, db=db, bank=bank, clock=clock, sms_recent=sms_recent)
    site = Site(replace(deps, **overrides), hub, bank, people, clock)
    await site.server.start_server()
    try:
        with patch("banking_core.identity.otp.random_code", return_value=CODE):
            yield site
    finally:
        await site.close()
        await bank.close()
        await db.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def open_site(tmp_path: Path) -> Callable[..., Any]:
    """For tests that need their own settings: `async with open_site(trust=Trust(secure=True)) as site`."""
    return lambda **overrides: running_site(tmp_path, **overrides)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path) as running:
        yield running
