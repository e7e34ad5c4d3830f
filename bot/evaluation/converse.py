"""Plays scripted conversations against the whole product: real NLU service, real database, injected time."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.clock import ManualClock
from banking_core.customers.models import Customer
from banking_core.orders.models import Order
from banking_core.vault import sealed_attributes
from bot.assembly import Product
from bot.conversation.errors import ConversationError
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import BLOT
from bot.conversation.views import Inbound
from bot.dialogue.reading.pay_codes import scanned
from bot.dialogue.understanding import Understander
from bot.evaluation.demo_bank import open_copy
from bot.evaluation.script import Script, Step
from desk.service import DEMO_AGENTS

MOMENT = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # a Friday, 10:30 at the bank
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_ACCOUNT = re.compile(r"\{account:([^}]+)\}")
_PAY_CODE = re.compile(r"\{code:([^}:]+)(?::(\d+))?\}")


@dataclass(slots=True)
class ScriptResult:
    """What came of one script; `failures` is empty when every expectation held."""

    name: str
    kind: str
    failures: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True when nothing failed."""
        return not self.failures


async def play(script: Script, template: Path, understander: Understander) -> ScriptResult:
    """Plays one script on a fresh copy of the demo bank."""
    with tempfile.TemporaryDirectory(prefix="zhanggui-") as folder:
        product = open_copy(template, Path(folder), MOMENT, understander)
        try:
            await product.start()
            return await _Player(product, script).play()
        finally:
            await product.close()


class _Player:
    def __init__(self, product: Product, script: Script) -> None:
        self.product = product
        self.script = script
        self.result = ScriptResult(script.name, script.kind)
        self.conversation_id = ""
        self.customer_id: str | None = None
        self.sent = 0
        self.last: Inbound | None = None
        self.seen = 0
        self.codes: list[str] = []  # the one-time codes that were typed
        self.numbers: dict[str, str] = {}  # demo customer -> number of the current account
        self.clock = product.clock
        self.balances: dict[str, int] = {}
        self.agent: tuple[str, str] | None = None

    async def play(self) -> ScriptResult:
        self.conversation_id = await self.product.hub.open("script")
        self.balances = await self._balances()
        self.numbers = await self._account_numbers()
        if self.script.staff:
            await self._staff(self.script.staff)
        if self.script.customer:
            await self._log_in(self.script.customer)
            self.seen = await self._newest()
        for number, step in enumerate(self.script.steps, start=1):
            try:
                action = await self._act(step)
            except ConversationError as error:
                self._fail(number, f"refused with {error.code}")
                continue
            await self.product.hub.settled()
            await self._check(number, step, action)
        await self._check_end()
        return self.result

    async def _act(self, step: Step) -> str:
        if step.say is not None or step.secret is not None:
            return await self._send(
                step.say if step.say is not None else step.secret or "", step.secret is not None
            )
        if step.again:
            assert self.last is not None, "nothing was sent before"
            return (await self.product.hub.receive(self.last)).action
        if step.wait_s is not None:
            assert isinstance(self.clock, ManualClock)
            self.clock.advance(seconds=step.wait_s)
            if self.agent is not None:
                await self._staff(1)  # the agent's page keeps giving signs of life
            await self.product.maintain()
        elif step.log_in is not None:
            await self._log_in(step.log_in)
        elif step.staff is not None:
            await self._staff(step.staff)
            await self.product.maintain()
        else:
            await self._desk_act(step)
        return ""

    async def _send(self, words: str, secret: bool) -> str:
        words = await self._with_codes(self._numbered(words))
        if "{otp}" in words or "{wrong_otp}" in words:
            code = await self._code()
            wrong = f"{(int(code) + 1) % 1_000_000:06d}"
            self.codes.append(code if "{otp}" in words else wrong)
            words = words.replace("{otp}", code).replace("{wrong_otp}", wrong)
        self.sent += 1
        self.last = Inbound(self.conversation_id, f"m{self.sent}", words, secret)
        self.result.transcript.append(f"客户: {BLOT if secret else words}")
        received = await self.product.hub.receive(self.last)
        return received.action

    def _numbered(self, words: str) -> str:
        """{account:张伟} becomes the number of that customer's current account."""
        return _ACCOUNT.sub(lambda match: self.numbers[match[1]], words)

    async def _with_codes(self, words: str) -> str:
        """{code:李四} becomes that customer's receiving code as a scan tells it, {code:李四:500} one of 5 yuan."""
        while (found := _PAY_CODE.search(words)) is not None:
            payee, codes = await self._customer(found[1]), self.product.bank.receive_codes
            async with self.product.database.transaction() as session:
                account = await self.product.bank.accounts.default_for(session, payee.id)
                assert account is not None, "whom a script pays has an account"
                code = (
                    await codes.for_amount(session, payee.id, account.id, int(found[2]))
                    if found[2]
                    else await codes.fixed(session, payee.id, account.id)
                )
            words = words.replace(found[0], scanned(code.token))
        return words

    async def _desk_act(self, step: Step) -> None:
        assert self.agent is not None, "no agent is on duty"
        agent_id, name = self.agent
        desk = self.product.handoff
        if step.claim:
            await desk.claim(self.conversation_id, agent_id, name)
        elif step.agent_says is not None:
            await desk.agent_say(
                self.conversation_id, agent_id, step.agent_says, f"a{self.sent}{step.agent_says}"
            )
        elif step.hand_back is not None:
            await desk.hand_back(self.conversation_id, agent_id, step.hand_back)
        elif step.close:
            await desk.close(self.conversation_id, agent_id)

    async def _staff(self, count: int) -> None:
        desk = self.product.desk
        async with self.product.database.transaction() as session:
            for index, (username, name) in enumerate(DEMO_AGENTS):
                agent_id = await desk.add_agent(session, username, name, "")
                await desk.set_presence(session, agent_id, "on_duty" if index < count else "off")
                if index < count:
                    await desk.heartbeat(session, agent_id)
                    self.agent = self.agent or (agent_id, name)

    async def _log_in(self, name: str) -> None:
        customer = await self._customer(name)
        self.customer_id = customer.id
        went_on = await self.product.hub.attach_customer(self.conversation_id, customer.id, "密码+短信验证码")
        if went_on != self.conversation_id:  # somebody else's conversation is not gone on with
            self.conversation_id, self.seen = went_on, 0

    async def _customer(self, name: str) -> Customer:
        async with self.product.database.snapshot() as session:
            everybody = list(await session.scalars(select(Customer)))
        found = sorted((c for c in everybody if c.name == name), key=lambda customer: customer.phone)
        assert found, f"the demo bank has no customer {name}"
        return found[0]

    async def _code(self) -> str:
        sandbox = self.product.bank.providers.sandbox_sms
        assert sandbox is not None, "scripts are played with the SMS sandbox"
        for message in await sandbox.recent(20):
            found = _CODE.search(message.text)
            if found:
                return found[0]
        return "000000"

    async def _newest(self) -> int:
        history = await self.product.hub.history(self.conversation_id, 0, 1)
        return int(history[-1]["seq"]) if history else 0

    async def _check(self, number: int, step: Step, action: str) -> None:
        messages = (
            await self.product.hub.history(self.conversation_id, self.seen, 200)
            if self.seen
            else (await self.product.hub.history(self.conversation_id, 0, 200))
        )
        if messages:
            self.seen = int(messages[-1]["seq"])
        replies = [m for m in messages if m["sender"] in ("bot", "system", "agent")]
        for reply in replies:
            self.result.transcript.append(f"{reply['sender_name']}: {reply['text']}")
        shown = "\n".join(m["text"] + json.dumps(m["card"], ensure_ascii=False) for m in replies)
        for words in map(self._numbered, step.expect):
            if words not in shown:
                self._fail(number, f"missing {words!r}", shown)
        if step.expect_any and not any(words in shown for words in step.expect_any):
            self._fail(number, f"none of {step.expect_any}", shown)
        for words in map(self._numbered, step.expect_not):
            if words in shown:
                self._fail(number, f"must not say {words!r}", shown)
        if step.silent and replies:
            self._fail(number, "should be silent", shown)
        if (
            not replies
            and (step.say or step.secret)
            and not step.silent
            and step.owner not in ("queue", "agent")
        ):
            self._fail(number, "no reply at all")
        if step.action is not None and not action.startswith(step.action):
            self._fail(number, f"action {action!r}, not {step.action!r}", shown)
        await self._check_shape(number, step, replies)

    async def _check_shape(self, number: int, step: Step, replies: list[dict[str, Any]]) -> None:
        cards = [m["card"]["kind"] for m in replies if m["card"]]
        if step.card is not None and step.card not in cards:
            self._fail(number, f"card {step.card!r} not among {cards}")
        offered = [choice["label"] for m in replies for choice in m["choices"]]
        for label in step.choices:
            if label not in offered:
                self._fail(number, f"choice {label!r} not among {offered}")
        status = await self.product.hub.status(self.conversation_id)
        if step.expects is not None and status.expects != step.expects:
            self._fail(number, f"expects {status.expects}, not {step.expects}")
        if step.owner is not None and status.owner != step.owner:
            self._fail(number, f"owner {status.owner}, not {step.owner}")

    async def _check_end(self) -> None:
        end = self.script.end
        if end.owner is not None:
            status = await self.product.hub.status(self.conversation_id)
            self._expect_equal("owner", status.owner, end.owner)
        if end.paid_fen is not None:
            after = await self._balances()
            for name, paid_fen in end.paid_fen.items():
                self._expect_equal(f"paid by {name}", self.balances[name] - after[name], paid_fen)
        async with self.product.database.snapshot() as session:
            if end.orders is not None:
                rows = await session.execute(
                    select(Order.kind, func.count())
                    .where(Order.conversation_id == self.conversation_id, Order.status == "executed")
                    .group_by(Order.kind)
                )
                self._expect_equal("orders", {row[0]: row[1] for row in rows}, end.orders)
            if end.never_logged:
                stored = await _stored(session)
                for words in self._secrets(end.never_logged):
                    if words in stored:
                        self.result.failures.append(f"end: {words!r} was stored")
            await self._check_security(session)

    async def _check_security(self, session: Any) -> None:
        end = self.script.end
        if self.customer_id is None:
            return
        if end.card_status is not None:
            cards = await self.product.bank.cards.list_for(session, self.customer_id)
            found = {card.kind: card.status for card in cards if card.kind in end.card_status}
            self._expect_equal("cards", found, end.card_status)
        if end.locks is not None:
            locks = await self.product.bank.locks.active(session, self.customer_id)
            self._expect_equal("locks", sorted(lock.scope for lock in locks), sorted(end.locks))

    def _secrets(self, never_logged: list[str]) -> list[str]:
        """{otp} stands for every code that was typed."""
        plain = [self._numbered(words) for words in never_logged if words != "{otp}"]
        return plain + (self.codes if "{otp}" in never_logged else [])

    async def _account_numbers(self) -> dict[str, str]:
        async with self.product.database.snapshot() as session:
            rows = await session.execute(
                select(Customer, Account)
                .join(Account, Account.customer_id == Customer.id)
                .where(Account.kind == "current")
            )
            return {customer.name: account.number for customer, account in rows}

    async def _balances(self) -> dict[str, int]:
        """Everybody's money in fen by name; namesakes are added up."""
        accounts = self.product.bank.accounts
        totals: dict[str, int] = {}
        async with self.product.database.snapshot() as session:
            for customer in await session.scalars(select(Customer)):
                for balance in await accounts.balances(session, customer.id):
                    totals[customer.name] = totals.get(customer.name, 0) + balance.balance_fen
        return totals

    def _expect_equal(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.result.failures.append(f"end: {what} is {found}, not {wanted}")

    def _fail(self, number: int, why: str, shown: str = "") -> None:
        self.result.failures.append(
            f"step {number}: {why}" + (f"\n      said: {shown[:600]}" if shown else "")
        )


async def _stored(session: AsyncSession) -> str:
    """Everything that is kept of what was said, opened."""
    kept: list[str] = []
    for model in (Message, Conversation):
        rows = list(await session.scalars(select(model)))
        kept += (str(getattr(row, attribute.name)) for row in rows for attribute in sealed_attributes(model))
    return "\n".join(kept)
