"""A small hub and a small bank in memory, and the web channel in front of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from banking_core.clock import ManualClock
from banking_core.errors import Refused
from banking_core.storage import Base, Database, after_commit
from bot.channels.web import SmsSeen, WebDependencies, WebSession, build_web_app
from bot.conversation.events import EventBus
from bot.conversation.views import ConversationStatus, Inbound, MessageView, Received

START = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
PHONE, PASSWORD, CODE = "13800000004", "Right-horse-7", "246810"


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
            self.change(talk.id, owner="bot", can_rate=False)
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

    def typing(self, conversation_id: str, who: str) -> None:
        self.publish(conversation_id, {"type": "typing", "who": who})

    async def rate(self, conversation_id: str, score: int, comment: str) -> None:
        self.talks[conversation_id].rating = (score, comment)
        self.change(conversation_id, can_rate=False)


class FakeBank:
    """Passwords with a lock after five wrong ones, codes with three tries, and an SMS tray."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.people = {PHONE: ("customer-wei", PASSWORD), "13800000006": ("customer-jing", PASSWORD)}
        self.wrong = 0
        self.codes: dict[str, dict[str, Any]] = {}
        self.sms: list[SmsSeen] = []
        self.refuse_to_send = False
        self.identity = SimpleNamespace(
            passwords=SimpleNamespace(verify=self._verify_password),
            otp=SimpleNamespace(send=self._send, verify=self._verify_code),
        )
        self.customers = SimpleNamespace(get=self._get)

    async def _get(self, session: Any, customer_id: str) -> Any:
        phone = next(phone for phone, (owner, _) in self.people.items() if owner == customer_id)
        return SimpleNamespace(id=customer_id, phone=phone)

    async def _verify_password(self, session: Any, phone: str, password: str) -> Any:
        locked_until = self.clock.now() + timedelta(minutes=5)
        customer_id, right = self.people.get(phone, (None, None))
        if self.wrong < 5 and password == right:
            return SimpleNamespace(kind="ok", customer_id=customer_id, tries_left=5, locked_until=None)
        self.wrong += 1
        if self.wrong >= 5:
            return SimpleNamespace(kind="locked", customer_id=None, tries_left=0, locked_until=locked_until)
        return SimpleNamespace(kind="wrong", customer_id=None, tries_left=5 - self.wrong, locked_until=None)

    async def _send(self, session: Any, *, customer_id: str, phone: str, purpose: Any, origin: Any) -> Any:
        assert purpose.name == "login"
        assert origin.address == "127.0.0.1"
        if self.refuse_to_send:
            raise Refused(customer_text="验证码刚发过，请30秒后再试。")
        for challenge in self.codes.values():
            challenge["dead"] = True
        challenge_id = uuid.uuid4().hex
        expires_at = self.clock.now() + timedelta(seconds=60)
        self.codes[challenge_id] = {
            "customer_id": customer_id,
            "tries": 3,
            "expires_at": expires_at,
            "dead": False,
        }

        async def deliver() -> None:
            self.sms.append(SmsSeen(phone, f"【掌柜银行】验证码{CODE}", self.clock.now()))

        after_commit(session, deliver)
        masked = f"{phone[:3]}****{phone[-4:]}"
        return SimpleNamespace(
            challenge_id=challenge_id, masked_phone=masked, expires_at=expires_at, resend_after_s=30
        )

    async def _verify_code(
        self, session: Any, challenge_id: str, code: str, *, customer_id: str, purpose: Any, origin: Any
    ) -> Any:
        assert (purpose.name, origin.channel) == ("login", "web")
        challenge = self.codes[challenge_id]
        assert challenge["customer_id"] == customer_id
        if challenge["expires_at"] <= self.clock.now():
            return SimpleNamespace(kind="expired", tries_left=0)
        if challenge["dead"]:
            return SimpleNamespace(kind="used", tries_left=0)
        if code == CODE:
            challenge["dead"] = True
            return SimpleNamespace(kind="ok", tries_left=0)
        challenge["tries"] -= 1
        kind = "wrong" if challenge["tries"] else "exhausted"
        return SimpleNamespace(kind=kind, tries_left=challenge["tries"])

    async def sms_recent(self, limit: int) -> list[SmsSeen]:
        return self.sms[-limit:]


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

    def __init__(self, deps: WebDependencies, hub: FakeHub, bank: FakeBank, clock: ManualClock) -> None:
        self.deps, self.hub, self.bank, self.clock = deps, hub, bank, clock
        self.server = TestServer(build_web_app(deps))
        self._visitors: list[Visitor] = []

    def visitor(self) -> Visitor:
        visitor = Visitor(self)
        self._visitors.append(visitor)
        return visitor

    async def close(self) -> None:
        for visitor in self._visitors:
            await visitor.http.session.close()
        await self.server.close()


@asynccontextmanager
async def running_site(folder: Path, **overrides: Any) -> AsyncIterator[Site]:
    """A site with an empty database in `folder`; `overrides` are fields of WebDependencies."""
    clock = ManualClock(START)
    hub, bank = FakeHub(clock), FakeBank(clock)
    db = Database(f"sqlite+aiosqlite:///{folder / 'web.db'}")
    async with db.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=[WebSession.__table__])
    deps = WebDependencies(hub=hub, db=db, bank=bank, clock=clock, sms_recent=bank.sms_recent)
    site = Site(replace(deps, **overrides), hub, bank, clock)
    await site.server.start_server()
    try:
        yield site
    finally:
        await site.close()
        await db.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def open_site(tmp_path: Path) -> Callable[..., Any]:
    """For tests that need their own settings: `async with open_site(secure_cookies=True) as site`."""
    return lambda **overrides: running_site(tmp_path, **overrides)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path) as running:
        yield running
