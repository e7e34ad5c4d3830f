"""The whole product for end-to-end tests: a really started app process over a copy of the demo bank."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import func, select

from banking_core.clock import SystemClock
from banking_core.customers.models import Customer
from banking_core.demo import demo_logins
from banking_core.identity import LoginDone
from banking_core.orders.models import Order
from banking_core.providers.sandbox.store import SandboxPayment
from bot.assembly import Product, build_product
from bot.channels.web import COOKIE_NAME
from bot.channels.web.sessions import create_session
from bot.conversation.models import Conversation
from bot.conversation.views import Inbound
from bot.evaluation.demo_bank import SECRET, settings_for
from bot.running.premises import free_port
from bot.settings import ROOT

READY_TIMEOUT_S = 90
FRAME_TIMEOUT_S = 30
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
PASSWORD = demo_logins()[0].password
PHONES = {login.name: login.phone for login in demo_logins()}
# For tests in which a crash may swallow the code on its way: another one may be had at once.
CODES_AT_ONCE = """security:
  otp_resend_wait_s: 1
  otp_phone_minute_times: 1000
  otp_phone_hour_times: 1000
  otp_phone_day_times: 1000
"""


@dataclass
class Counter:
    """One app process on a bank of its own. `start`, `kill` (as a power cut would) and `stop` as often as wished."""

    folder: Path
    nlu_url: str
    database_url: str = ""
    terms: str = "{}\n"
    sandbox_database_url: str = ""
    key_file: Path | None = None  # of another process on the same bank
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        (self.folder / "terms.yml").write_text(self.terms, encoding="utf-8")

    @property
    def url(self) -> str:
        """Where the chat is."""
        return f"http://127.0.0.1:{self.port}"

    def office(self) -> BackOffice:
        """The same bank seen from inside; close it."""
        settings = settings_for(
            self.folder,
            terms_path=self.folder / "terms.yml",
            nlu_url=self.nlu_url,
            database_url=self.database_url,
            sandbox_database_url=self.sandbox_database_url,
            key_file=self.key_file,
        )
        return BackOffice(build_product(settings, clock=SystemClock()))

    async def start(self) -> None:
        """Returns when the app answers."""
        self.launch()
        await self.ready()

    def launch(self) -> None:
        """Begins to start; several may start at once."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHANGGUI_")}
        environment = kept | {
            "ZHANGGUI_DATA_DIR": str(self.folder),
            "ZHANGGUI_CACHE_DIR": str(ROOT / "var" / "cache"),
            "ZHANGGUI_DATABASE_URL": self.database_url,
            "ZHANGGUI_SANDBOX_DATABASE_URL": self.sandbox_database_url,
            "ZHANGGUI_KEY_FILE": str(self.key_file or self.folder / "keys.json"),
            "ZHANGGUI_TERMS_PATH": str(self.folder / "terms.yml"),
            "ZHANGGUI_PORT": str(self.port),
            "ZHANGGUI_NLU_URL": self.nlu_url,
            "ZHANGGUI_NLU_TOKEN": SECRET.get_secret_value(),
            "ZHANGGUI_OTP_KEY": SECRET.get_secret_value(),
            "ZHANGGUI_LOG_LEVEL": "WARNING",
        }
        with (self.folder / "app.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    async def ready(self) -> None:
        """Returns when the app answers."""
        assert self.process is not None
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        async with aiohttp.ClientSession() as http:
            while time.monotonic() < deadline_s:
                assert self.process.poll() is None, self.log()
                try:
                    async with http.get(f"{self.url}/healthz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"the app did not become ready: {self.log()}")

    def kill(self) -> None:
        """kill -9: nothing is finished, nothing is said goodbye to."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, as an operator would."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self) -> str:
        """The end of what the app logged."""
        path = self.folder / "app.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""


class BackOffice:
    """Looks into the books, and opens conversations for customers who logged in before the test began."""

    def __init__(self, product: Product) -> None:
        self.product = product

    async def close(self) -> None:
        """Closes the connections."""
        await self.product.close()

    async def customer(self, name: str) -> Customer:
        """The demo customer of that name, by phone."""
        async with self.product.database.snapshot() as session:
            found = await self.product.bank.customers.by_phone(session, PHONES[name])
        assert found is not None, name
        return found

    async def seat(self, name: str) -> tuple[str, str]:
        """(cookie, conversation id) of a customer who has just logged in with a fresh conversation."""
        customer, hub = await self.customer(name), self.product.hub
        conversation_id = await hub.open("web")
        await hub.attach_customer(conversation_id, customer.id, "密码+短信验证码")
        async with self.product.database.transaction() as session:
            token, _row = await create_session(
                session,
                self.product.bank.identity.sessions,
                conversation_id=conversation_id,
                login=LoginDone(customer.id, None, "密码+短信验证码"),
            )
        return token, conversation_id

    async def queue_up(self, conversation_id: str) -> None:
        """The customer asks for a human, and at least one is there."""
        await self.product.hub.receive(Inbound(conversation_id, uuid.uuid4().hex, "转人工"))
        assert (await self.product.hub.status(conversation_id)).owner == "queue"

    async def newest_conversation(self, customer_id: str) -> str:
        """The conversation the customer spoke in last."""
        async with self.product.database.snapshot() as session:
            found = await session.scalar(
                select(Conversation.id)
                .where(Conversation.customer_id == customer_id)
                .order_by(Conversation.created_at.desc())
                .limit(1)
            )
        assert found is not None
        return str(found)

    async def orders(self, conversation_id: str, kind: str = "transfer") -> list[Order]:
        """Every order of this kind made in the conversation."""
        async with self.product.database.snapshot() as session:
            statement = select(Order).where(Order.conversation_id == conversation_id, Order.kind == kind)
            return list(await session.scalars(statement.order_by(Order.created_at)))

    async def paid_fen(self, conversation_id: str) -> list[int]:
        """The amounts really paid in the conversation, one per payment that came to its end."""
        return [
            order.amount_fen for order in await self.orders(conversation_id) if order.status == "executed"
        ]

    async def delivered(self) -> int:
        """How many payments other banks have received."""
        async with self.product.bank.providers.store.snapshot() as session:
            return int(await session.scalar(select(func.count()).select_from(SandboxPayment)) or 0)

    async def balances_fen(self) -> dict[str, int]:
        """Everybody's money by name; namesakes are added up."""
        totals: dict[str, int] = {}
        async with self.product.database.snapshot() as session:
            for customer in list(await session.scalars(select(Customer))):
                for balance in await self.product.bank.accounts.balances(session, customer.id):
                    totals[customer.name] = totals.get(customer.name, 0) + balance.balance_fen
        return totals

    async def book_problems(self) -> list[str]:
        """What `zhanggui ledger verify` finds wrong."""
        async with self.product.database.snapshot() as session:
            report = await self.product.bank.ledger.verify(session)
        return [f"{problem.code} {problem.row}: {problem.detail}" for problem in report.problems]

    async def codes(self, phone: str) -> list[str]:
        """The one-time codes sent to a phone, newest first."""
        sandbox = self.product.bank.providers.sandbox_sms
        assert sandbox is not None
        messages = await sandbox.recent(50, phone=phone)
        return [found for message in messages for found in CODE.findall(message.text)]

    async def log_of(self, conversation_id: str) -> list[dict[str, Any]]:
        """The conversation's messages."""
        return await self.product.hub.history(conversation_id, 0, 200)


class Line:
    """A customer's web socket without the page: what a page sends and hears."""

    def __init__(self, counter: Counter, token: str) -> None:
        self.counter, self._token = counter, token
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.messages: dict[int, dict[str, Any]] = {}
        self.state: dict[str, Any] = {}

    async def open(self) -> None:
        """Connects, or connects again, and has heard the whole log."""
        await self.close()
        headers = {"Origin": self.counter.url, "Cookie": f"{COOKIE_NAME}={self._token}"}
        self._http = aiohttp.ClientSession(headers=headers)
        self._socket = await self._http.ws_connect(f"{self.counter.url}/chat/ws")
        self.state = {}
        await self._socket.send_json({"type": "hello", "after_seq": 0})
        await self.hear(lambda: bool(self.state))

    async def close(self) -> None:
        """Hangs up."""
        if self._http is not None:
            await self._http.close()
            self._http = self._socket = None

    async def send(self, text: str, client_id: str = "", *, secret: bool = False) -> str:
        """Sends and does not wait; returns the client id, with which to send the very same again."""
        assert self._socket is not None
        client_id = client_id or uuid.uuid4().hex
        kind = "secret" if secret else "say"
        await self._socket.send_json({"type": kind, "client_id": client_id, "text": text})
        return client_id

    async def say(self, text: str, client_id: str = "", *, secret: bool = False) -> str:
        """Sends and waits until the whole turn is heard; returns what the assistant has said since, with cards."""
        before = max(self.messages, default=0)
        client_id = await self.send(text, client_id, secret=secret)
        await self.hear(lambda: False, until_ack=client_id)
        return self.said_after(before)

    def said_after(self, seq: int) -> str:
        """Everything said by the other side after a message."""
        later = [m for at, m in sorted(self.messages.items()) if at > seq and m["sender"] != "customer"]
        return "\n".join(f"{message['text']} {message['card'] or ''}" for message in later)

    async def hear(self, done: Callable[[], bool], *, until_ack: str = "") -> None:
        """Takes frames until `done()`, or until the state that follows an acknowledgement."""
        assert self._socket is not None
        acknowledged = False
        while not done():
            frame = await self._socket.receive_json(timeout=FRAME_TIMEOUT_S)
            match frame["type"]:
                case "message":
                    self.messages[frame["message"]["seq"]] = frame["message"]
                case "state":
                    self.state = frame
                case "ack":
                    acknowledged = frame["client_id"] == until_ack
                case "error":
                    raise AssertionError(frame)
            if acknowledged:
                # The turn's messages may follow the ack; a ping is answered after all of them.
                await self._socket.send_json({"type": "ping"})
                await self._drain()
                return

    async def _drain(self) -> None:
        assert self._socket is not None
        while (frame := await self._socket.receive_json(timeout=FRAME_TIMEOUT_S))["type"] != "pong":
            if frame["type"] == "message":
                self.messages[frame["message"]["seq"]] = frame["message"]
            if frame["type"] == "state":
                self.state = frame
