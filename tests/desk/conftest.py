"""The desk on a hub that lives in memory, and pages that talk to it over real HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from banking_core.audit.models import AuditChain, AuditRecord
from banking_core.clock import ManualClock
from banking_core.complaints import Complaint
from banking_core.storage import Base, Database
from desk import DEMO_PASSWORD, Desk, DeskDependencies, build_desk_app
from desk.models import AgentLoginGuard, AgentSession, CannedReply, Case, DeskAgent, Presence, Ticket
from desk.passwords import AgentPasswords
from tests.keys import vault

START = datetime(2026, 10, 15, 2, 0, tzinfo=UTC)
TABLES = (
    *(Case, DeskAgent, AgentSession, AgentLoginGuard, Presence, Ticket, CannedReply),
    *(AuditRecord, AuditChain, Complaint),
)


class HubRefusal(Exception):
    """What the hub raises: an exception with a code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class FakeNothingHeld(Exception):
    code = "nothing_held"
    customer_text = "现在没有等您核实的业务。"


class FakeProposalRefused(Exception):
    """A refusal with words of its own."""

    code = "proposal_refused"
    customer_text = "金额要大于零，请再说一个金额。"


@dataclass
class FakeConversation:
    """One conversation of the hub in memory."""

    id: str
    owner: str
    reason: str
    queued_at: datetime
    messages: list[dict[str, Any]]
    facts: dict[str, Any]
    agent_id: str | None = None
    agent_name: str | None = None
    customer_id: str | None = None
    team: str = ""
    wrap_up: str = ""
    staff_notes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class FakeLine:
    """A queue line."""

    conversation_id: str
    reason: str
    queued_at: datetime
    waited_s: int
    customer_name_masked: str | None
    last_text: str
    level: str
    team: str = ""


@dataclass(frozen=True)
class FakeServed:
    """A customer whom an agent has."""

    conversation_id: str
    agent_id: str
    agent_name: str
    customer_name_masked: str | None
    level: str
    last_text: str
    last_sender: str
    updated_at: datetime


@dataclass
class FakeLook:
    """What is in a conversation, of one moment."""

    session: AsyncSession
    conversation: FakeConversation

    def __post_init__(self) -> None:
        self.conversation_id, self.owner = self.conversation.id, self.conversation.owner
        self.agent_id, self.agent_name = self.conversation.agent_id, self.conversation.agent_name
        self.customer_id = self.conversation.customer_id

    async def history(self, after_seq: int = 0, limit: int = 200) -> list[dict[str, Any]]:
        """Ascending; the newest with after_seq 0."""
        messages = self.conversation.messages
        if after_seq > 0:
            return [m for m in messages if m["seq"] > after_seq][:limit]
        return messages[-limit:]

    async def facts(self) -> dict[str, Any]:
        """What is known."""
        return self.conversation.facts

    async def notes(self) -> list[dict[str, Any]]:
        """In order."""
        return self.conversation.staff_notes


class FakeEvents:
    """Subscribe and publish within the process."""

    def __init__(self) -> None:
        self.queues: dict[str, list[asyncio.Queue[dict[str, Any]]]] = {}

    def subscribe(self, conversation_id: str) -> Any:
        """Events of one conversation."""
        return self._subscribed(conversation_id)

    def subscribe_all(self) -> Any:
        """Changes of ownership."""
        return self._subscribed("*")

    def publish_queue(self) -> None:
        """Lists are to be looked at again."""
        self.publish("*", {"type": "queue"})

    def publish(self, conversation_id: str, event: dict[str, Any]) -> None:
        """To everybody who watches."""
        for queue in self.queues.get(conversation_id, []):
            queue.put_nowait(event)

    @asynccontextmanager
    async def _subscribed(self, key: str) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.queues.setdefault(key, []).append(queue)
        try:
            yield queue
        finally:
            self.queues[key].remove(queue)


class FakeHub:
    """Keeps the hub's promises about ownership, in memory."""

    def __init__(self, clock: Any, desk: Desk, db: Database) -> None:
        self.clock, self.desk, self.db = clock, desk, db
        self.events = FakeEvents()
        self.conversations: dict[str, FakeConversation] = {}
        self.typed: list[tuple[str, str]] = []
        self.notes_to_customers: list[tuple[str, str]] = []

    def add(self, conversation_id: str, *texts: str, reason: str = "asked", **facts: Any) -> FakeConversation:
        """A customer who waits, having said `texts`."""
        known = {"channel": "web", "reason": reason, "who": None, "verified": "未登录", "slots": []} | facts
        conversation = FakeConversation(conversation_id, "queue", reason, self.clock.now(), [], known)
        self.conversations[conversation_id] = conversation
        for text in texts:
            self.say(conversation_id, "customer", "我", text)
        self.events.publish("*", {"type": "queue"})
        return conversation

    def say(
        self,
        conversation_id: str,
        sender: str,
        name: str,
        text: str,
        client_id: str | None = None,
        *,
        card: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Appends a message and tells whoever watches."""
        conversation = self._get(conversation_id)
        seq = len(conversation.messages) + 1
        message = {
            "seq": seq,
            "id": f"{conversation_id}-{seq}",
            "sender": sender,
            "sender_name": name,
            "text": text,
            "card": card,
            "choices": [],
            "client_id": client_id,
            "created_at": self.clock.now().isoformat(),
        }
        conversation.messages.append(message)
        self.events.publish(conversation_id, {"type": "message", "message": message})
        return message

    async def queue(self) -> list[FakeLine]:
        """Everybody waiting, longest first."""
        waiting = [c for c in self.conversations.values() if c.owner == "queue"]
        return [self._line(c) for c in sorted(waiting, key=lambda c: c.queued_at)]

    async def loads(self) -> dict[str, int]:
        """How many customers each agent has."""
        return dict(Counter(c.agent_id or "" for c in self.conversations.values() if c.owner == "agent"))

    async def mine(self, agent_id: str) -> list[str]:
        """Ids of what the agent owns."""
        return [c.id for c in self.conversations.values() if c.owner == "agent" and c.agent_id == agent_id]

    async def status(self, conversation_id: str) -> FakeConversation:
        """Who owns it."""
        return self._get(conversation_id)

    @asynccontextmanager
    async def look(self, conversation_id: str, *, noted: bool = True) -> AsyncIterator[FakeLook]:
        """Nothing else happens meanwhile: there is one process and no pause."""
        conversation = self._get(conversation_id)
        async with self.db.transaction() if noted else self.db.snapshot() as session:
            yield FakeLook(session, conversation)

    async def claim(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """queue -> agent."""
        conversation = self._get(conversation_id)
        if conversation.owner == "agent" and conversation.agent_id != agent_id:
            raise HubRefusal("already_claimed")
        if conversation.owner != "queue":
            raise HubRefusal("not_queued")
        async with self.db.transaction() as session:
            await self.desk.admit(
                session, conversation_id, agent_id, lambda: self._would_hold(agent_id), team=conversation.team
            )
        if conversation.owner != "queue":
            raise HubRefusal("already_claimed")
        conversation.owner, conversation.agent_id, conversation.agent_name = "agent", agent_id, agent_name
        self.say(conversation_id, "system", "系统", f"{agent_name}为您服务。")
        self.events.publish("*", {"type": "queue"})

    async def agent_say(
        self, conversation_id: str, agent_id: str, text: str, client_id: str
    ) -> dict[str, Any]:
        """Once per client id."""
        conversation = self._owned(conversation_id, agent_id)
        key = f"agent:{agent_id}:{client_id}"
        for message in conversation.messages:
            if message["client_id"] == key:
                return message
        return self.say(conversation_id, "agent", conversation.agent_name or "", text, key)

    async def propose(
        self, conversation_id: str, agent_id: str, slot: str, text: str, client_id: str
    ) -> dict[str, Any]:
        """Put before the customer; 不行 cannot be used."""
        conversation = self._owned(conversation_id, agent_id)
        if text == "不行":
            raise FakeProposalRefused
        conversation.facts["proposal"] = {"slot": slot, "label": slot, "shown": text}
        return self.say(
            conversation_id, "agent", conversation.agent_name or "", f"我帮您填了：{text}", client_id
        )

    async def vouch(self, conversation_id: str, agent_id: str, grounds: str) -> None:
        """Only while something is held."""
        conversation = self._owned(conversation_id, agent_id)
        async with self.db.transaction() as session:
            await self.desk.assert_certified(session, agent_id)
        if not conversation.facts.get("held"):
            raise FakeNothingHeld
        conversation.facts["held"] = False

    async def add_note(self, conversation_id: str, agent_id: str, text: str) -> list[dict[str, Any]]:
        """Kept apart from the messages."""
        conversation = self._owned(conversation_id, agent_id)
        self._keep(conversation, "note", (agent_id, conversation.agent_name or ""), text)
        return conversation.staff_notes

    async def whisper(self, conversation_id: str, author: tuple[str, str], text: str) -> list[dict[str, Any]]:
        """To the agent only."""
        conversation = self._get(conversation_id)
        if conversation.owner != "agent":
            raise HubRefusal("not_owner")
        self._keep(conversation, "whisper", author, text)
        return conversation.staff_notes

    def _keep(self, conversation: FakeConversation, kind: str, author: tuple[str, str], text: str) -> None:
        number = len(conversation.staff_notes) + 1
        note = {
            "id": f"n{number}",
            "after_seq": len(conversation.messages),
            "kind": kind,
            "author_id": author[0],
            "author_name": author[1],
            "text": text,
            "created_at": self.clock.now().isoformat(),
        }
        conversation.staff_notes.append(note)
        self.events.publish(conversation.id, {"type": "state"})

    async def served(self) -> list[FakeServed]:
        """Everybody an agent has."""
        held = [c for c in self.conversations.values() if c.owner == "agent"]
        return [
            FakeServed(
                c.id,
                c.agent_id or "",
                c.agent_name or "",
                (c.facts.get("who") or {}).get("name"),
                "",
                c.messages[-1]["text"] if c.messages else "",
                c.messages[-1]["sender"] if c.messages else "",
                self.clock.now(),
            )
            for c in held
        ]

    async def pass_on(
        self, conversation_id: str, agent_id: str, colleague: tuple[str, str], note: str
    ) -> None:
        """agent -> agent."""
        conversation = self._owned(conversation_id, agent_id)
        self._keep(conversation, "transfer", (agent_id, conversation.agent_name or ""), note)
        conversation.agent_id, conversation.agent_name = colleague
        self.say(conversation_id, "system", "系统", f"{colleague[1]}为您服务。")
        self.events.publish("*", {"type": "queue"})

    async def pass_to_team(self, conversation_id: str, agent_id: str, team: str, note: str) -> None:
        """agent -> queue."""
        conversation = self._owned(conversation_id, agent_id)
        async with self.db.transaction() as session:
            await self.desk.assert_team_there(session, team, agent_id)
        self._keep(conversation, "transfer", (agent_id, conversation.agent_name or ""), note)
        await self.requeue(conversation_id, agent_id, "transferred")
        conversation.team = team

    async def take_over(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """queue or agent -> agent."""
        conversation = self._get(conversation_id)
        if conversation.owner not in ("queue", "agent"):
            raise HubRefusal("not_queued")
        conversation.owner, conversation.agent_id, conversation.agent_name = "agent", agent_id, agent_name
        self.say(conversation_id, "system", "系统", f"{agent_name}为您服务。")
        self.events.publish("*", {"type": "queue"})

    async def hand_back(self, conversation_id: str, agent_id: str, note: str, summary: str = "") -> None:
        """agent -> bot."""
        conversation = self._owned(conversation_id, agent_id)
        if summary:
            self._keep(conversation, "summary", (agent_id, conversation.agent_name or ""), summary)
        conversation.owner, conversation.agent_id, conversation.agent_name = "bot", None, None
        self.notes_to_customers.append((conversation_id, note))
        self.events.publish("*", {"type": "queue"})

    async def requeue(self, conversation_id: str, agent_id: str, reason: str) -> None:
        """agent -> queue."""
        conversation = self._owned(conversation_id, agent_id)
        conversation.owner, conversation.agent_id, conversation.agent_name = "queue", None, None
        conversation.reason = conversation.facts["reason"] = reason
        self.events.publish("*", {"type": "queue"})

    async def close(self, conversation_id: str, agent_id: str, wrap_up: str) -> None:
        """agent -> closed."""
        conversation = self._owned(conversation_id, agent_id)
        conversation.owner, conversation.wrap_up = "closed", wrap_up
        self.events.publish("*", {"type": "queue"})

    async def tell_answers(self) -> int:
        """Nothing: there is no bank."""
        return 0

    def typing(self, conversation_id: str, who: str) -> None:
        """Remembers who typed where."""
        self.typed.append((conversation_id, who))
        self.events.publish(conversation_id, {"type": "typing", "who": who})

    async def _would_hold(self, agent_id: str) -> int:
        return len(await self.mine(agent_id)) + 1

    def _line(self, conversation: FakeConversation) -> FakeLine:
        who = conversation.facts.get("who") or {}
        said = [m["text"] for m in conversation.messages if m["sender"] == "customer"]
        waited = self.clock.now() - conversation.queued_at
        return FakeLine(
            conversation.id,
            conversation.reason,
            conversation.queued_at,
            int(waited.total_seconds()),
            who.get("name"),
            said[-1] if said else "",
            who.get("level", ""),
            conversation.team,
        )

    def _get(self, conversation_id: str) -> FakeConversation:
        if conversation_id not in self.conversations:
            raise HubRefusal("not_found")
        return self.conversations[conversation_id]

    def _owned(self, conversation_id: str, agent_id: str) -> FakeConversation:
        conversation = self._get(conversation_id)
        if conversation.owner != "agent" or conversation.agent_id != agent_id:
            raise HubRefusal("not_owner")
        return conversation


class FakeSound:
    """An agent's end of a call that lives in memory."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.said: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(self) -> AsyncIterator[bytes]:
        """What the test puts into `heard`, until None."""
        while (pcm := await self.heard.get()) is not None:
            yield pcm

    def say(self, pcm: bytes) -> None:
        """Kept."""
        self.said.put_nowait(pcm)


class FakeCalls:
    """Calls by conversation; `joined` says how many agents hear one."""

    def __init__(self) -> None:
        self.sounds: dict[str, FakeSound] = {}
        self.joined = 0

    def on(self, conversation_id: str) -> bool:
        """Whether a test has put a sound there."""
        return conversation_id in self.sounds

    @contextmanager
    def join(self, conversation_id: str) -> Iterator[FakeSound | None]:
        """The sound, if there is a call."""
        self.joined += 1
        try:
            yield self.sounds.get(conversation_id)
        finally:
            self.joined -= 1


class Page:
    """A browser at the desk: keeps cookies and proves its origin."""

    def __init__(self, server: TestServer) -> None:
        self.client: TestClient[Any, Any] = TestClient(server)
        self.origin = str(server.make_url("/").origin())

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON body."""
        async with self.client.get(f"/desk/api{path}") as response:
            return response.status, await response.json()

    async def post(
        self, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON body."""
        sent = {"Origin": self.origin} if headers is None else headers
        async with self.client.post(f"/desk/api{path}", json=body or {}, headers=sent) as response:
            return response.status, await response.json()

    async def login(self, username: str, password: str = DEMO_PASSWORD) -> tuple[int, dict[str, Any]]:
        """Logs in."""
        return await self.post("/login", {"username": username, "password": password})

    async def unlock(self) -> None:
        """Back at a desk that has locked itself."""
        assert (await self.post("/unlock", {"password": DEMO_PASSWORD}))[0] == 200

    def token(self) -> str | None:
        """The session cookie's value."""
        cookies = self.client.session.cookie_jar.filter_cookies(URL(f"{self.origin}/desk/"))
        return cookies["zg_desk"].value if "zg_desk" in cookies else None

    async def close(self) -> None:
        """Ends the browser, not the server."""
        await self.client.session.close()


class DeskWorld:
    """Everything a test of the desk touches."""

    def __init__(self, deps: DeskDependencies, hub: FakeHub, clock: ManualClock, server: TestServer) -> None:
        self.deps, self.hub, self.clock, self.server = deps, hub, clock, server
        self.db, self.desk, self.calls = deps.db, deps.desk, deps.calls
        self.pages: list[Page] = []

    def page(self) -> Page:
        """A fresh browser."""
        page = Page(self.server)
        self.pages.append(page)
        return page

    async def seated(self, username: str) -> Page:
        """A browser in which this demo agent is logged in and on duty."""
        page = self.page()
        status, _ = await page.login(username)
        assert status == 200
        return page


@pytest.fixture
def clock() -> ManualClock:
    """Ten in the morning at the bank."""
    return ManualClock(START)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with the desk's tables only."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", vault=vault())
    tables = [model.__table__ for model in TABLES]
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: Base.metadata.create_all(sync, tables=tables))
    yield database
    await database.close()


@pytest.fixture
def desk(clock: ManualClock) -> Desk:
    """The desk with the cheapest argon2id there is."""
    return Desk(clock, passwords=AgentPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))


@pytest.fixture
async def world(db: Database, desk: Desk, clock: ManualClock) -> AsyncIterator[DeskWorld]:
    """The desk mounted in an application and served on a port of its own."""
    async with db.transaction() as session:
        await desk.seed_demo_agents(session)
    hub = FakeHub(clock, desk, db)
    deps = DeskDependencies(desk=desk, hub=hub, db=db, clock=clock, beat_s=3600, calls=FakeCalls())
    app = web.Application()
    app.add_subapp("/desk", build_desk_app(deps))
    server = TestServer(app)
    await server.start_server()
    made = DeskWorld(deps, hub, clock, server)
    yield made
    for page in made.pages:
        await page.close()
    await server.close()
