"""A counter with four made-up skills and no bank behind it, to prove what the engine promises."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.dialogue.announced import Announced
from bot.dialogue.by_ear import ByEar
from bot.dialogue.engine import DialogueEngine
from bot.dialogue.errors import SlotRefused
from bot.dialogue.outcome import DEFAULT_POLICY, Outcome, Policy
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.reply import Card, Fact, Reply, choices
from bot.dialogue.skill import (
    Accepted,
    AskSecret,
    Checked,
    Done,
    Manner,
    Prove,
    ReadBack,
    Skill,
    SkillRefused,
    Step,
    Turn,
    WhichOne,
)
from bot.dialogue.slots import ChoiceSlot, DateSlot, MoneySlot, PayeeSlot, PhoneSlot, TextSlot
from bot.dialogue.state import DialogueState, Frame, state_from_json
from bot.dialogue.understanding import KnowledgeHit, Understanding
from bot.dialogue.wishes import split_wishes

NOON = datetime(2026, 11, 4, 4, 0, tzinfo=UTC)  # a Wednesday, noon at the bank
BOOK = ("张三", "李四", "王小明", "王建国", "欧阳小雨")
LIMIT_FEN = 5_000_000


class Savepoints:
    """Stands in for the session: counts what the engine asks of it."""

    def __init__(self) -> None:
        self.statements = 0

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        self.statements += 1
        yield


@dataclass
class Orders:
    """Drafts by id, what became of them, and what was executed, in order."""

    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)

    def draft(self, key: str, body: dict[str, Any]) -> str:
        """The same key and body give the same order."""
        assert self.bodies.get(key, body) == body, "one key, two bodies"
        self.bodies[key] = body
        self.status.setdefault(key, "drafted")
        return key

    def execute(self, order_id: str) -> None:
        assert self.status[order_id] == "confirmed", f"executed while {self.status[order_id]}"
        self.status[order_id] = "executed"
        self.executed.append(order_id)


def orders_of(turn: Turn) -> Orders:
    assert isinstance(turn.services, Orders)
    return turn.services


class BookSlot(PayeeSlot):
    """Somebody in BOOK; 老王 may be two people."""

    def __init__(self) -> None:
        super().__init__("payee", "收款人", question="转给谁？", hint="收款人本里有：" + "、".join(BOOK))

    async def known_names(self, turn: Turn) -> Sequence[str]:
        return BOOK

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        if raw in BOOK:
            return Accepted(raw, raw)
        if re.fullmatch(r"[老小].", raw):
            fits = [name for name in BOOK if name.startswith(raw[1])]
            if fits:
                return WhichOne(f"哪一位{raw}？", tuple(Accepted(name, name) for name in fits))
        raise SlotRefused(f"收款人本里没有“{raw}”，换一位吧。")


class PaySkill(Skill):
    """Moves money: read back, confirm, a code above 1,000 yuan."""

    intent = "pay"
    title = "转账"
    manner = Manner(example="给张三转500元", moves_money=True)
    slots = (
        BookSlot(),
        MoneySlot("amount", "金额", question="转多少钱？", hint="说一个准数就行。"),
    )
    otp_above_fen = 100_000

    async def run(self, turn: Turn, frame: Frame) -> Step:
        if frame.values["amount"] > LIMIT_FEN:
            raise SkillRefused("超过单笔限额，最多5万元。", slot="amount")
        order_id = orders_of(turn).draft(f"{frame.frame_id}:{frame.revision}", dict(frame.values))
        facts = tuple(Fact(slot.label, frame.shown[slot.name]) for slot in self.slots)
        said = "，".join(f"{fact.label}{fact.value}" for fact in facts)
        card = Card("readback", self.title, facts)
        return ReadBack(Reply(f"请您核对：{said}。确认吗？", card, choices("确认", "取消")), order_id)

    async def confirm(self, turn: Turn, frame: Frame) -> Step:
        assert frame.order_id is not None
        orders = orders_of(turn)
        assert orders.status[frame.order_id] in ("drafted", "confirmed"), "only an open order is confirmed"
        assert orders.bodies[frame.order_id] == frame.values, "confirmed as it was read back"
        orders.status[frame.order_id] = "confirmed"
        if frame.values["amount"] > self.otp_above_fen:
            return Prove(Reply("请输入验证码。"), AskSecret("otp", "order", frame.order_id))
        return await self.proved(turn, frame)

    async def proved(self, turn: Turn, frame: Frame) -> Done:
        assert frame.order_id is not None
        orders_of(turn).execute(frame.order_id)
        return Done(Reply(f"{self.title}成功。"), order_id=frame.order_id)

    async def abandon(self, turn: Turn, frame: Frame) -> None:
        orders = orders_of(turn)
        if frame.order_id is not None and orders.status.get(frame.order_id) in ("drafted", "confirmed"):
            orders.status[frame.order_id] = "cancelled"


class TopupSkill(PaySkill):
    """Three slots of other kinds; one of them has a default."""

    intent = "topup"
    title = "充话费"
    manner = Manner(example="充100元话费", moves_money=True)
    slots = (
        PhoneSlot("phone", "手机号", question="充到哪个号码？"),
        MoneySlot("amount", "金额", question="充多少钱？"),
    )
    otp_above_fen = 10**9


class BookingSkill(PaySkill):
    """A day, a choice and free words, which swallow everything."""

    intent = "booking"
    title = "预约取号"
    manner = Manner(example="预约取号", needs_login=False)
    slots = (
        DateSlot("day", "日期", question="哪一天来？", past=False),
        ChoiceSlot(
            "kind",
            "业务",
            question="办个人业务还是对公业务？",
            options=(("person", "个人业务", ("个人",)), ("firm", "对公业务", ("对公", "公司"))),
        ),
        TextSlot("note", "备注", question="还有什么要备注的？"),
    )

    async def run(self, turn: Turn, frame: Frame) -> Step:
        return Done(Reply(f"{frame.shown['day']}{frame.shown['kind']}约好了，备注：{frame.shown['note']}。"))


class BalanceSkill(Skill):
    """Answers at once."""

    intent = "balance"
    title = "查余额"
    manner = Manner(example="查余额")

    async def run(self, turn: Turn, frame: Frame) -> Step:
        return Done(Reply("您的余额是1,234.00元。"))


class SignInSkill(Skill):
    """A phone number and a password."""

    intent = "identity_login"
    title = "登录"
    manner = Manner(example="登录", needs_login=False)
    slots = (PhoneSlot("phone", "手机号", question="请说您登记的手机号。"),)

    async def run(self, turn: Turn, frame: Frame) -> Step:
        return Prove(Reply("请输入登录密码。"), AskSecret("password", "login", frame.values["phone"]))

    async def proved(self, turn: Turn, frame: Frame) -> Done:
        return Done(Reply("登录成功。"))


class TicketSkill(Skill):
    """Free words for a call-back."""

    intent = "ticket_leave"
    title = "留工单"
    manner = Manner(needs_login=False, hidden=True)
    slots = (TextSlot("content", "内容", question="请说要留的话。"),)

    async def run(self, turn: Turn, frame: Frame) -> Step:
        return Done(Reply(f"已经记下：{frame.values['content']}"))


SKILLS: tuple[Skill, ...] = (
    PaySkill(),
    TopupSkill(),
    BookingSkill(),
    BalanceSkill(),
    SignInSkill(),
    TicketSkill(),
)
_HEARD: tuple[tuple[str, str], ...] = (
    (r"手续费|利率|几点|吗[？?]?$", "faq"),
    (r"话费|充值|充.*手机", "topup"),
    (r"余额|还有多少钱", "balance"),
    (r"预约|取号", "booking"),
    (r"登录|登陆", "identity_login"),
    (r"转账|转.*给|给.*转|汇款", "pay"),
    (r"^你好|^您好", "greet"),
)


def hear(text: str, sure: float = 0.95) -> Understanding:
    """What a well-trained model would say."""
    for pattern, intent in _HEARD:
        if re.search(pattern, text):
            return Understanding(text, intent, sure, ranking=((intent, sure),))
    return Understanding(text, "out_of_scope", 0.3, ranking=(("out_of_scope", 0.3),))


def hear_all(text: str) -> Understanding:
    """The sentence with its pieces, as the hub asks for them."""
    return replace(hear(text), parts=tuple(hear(piece) for piece in split_wishes(text)))


class Answers:
    """Three entries found surely, one less so, and one hardly."""

    entries = {
        "手续费": KnowledgeHit("fee", "转账要手续费吗", "行内转账免费。", 0.95, "pay"),
        "周末": KnowledgeHit("weekend", "周末几点开门", "周末网点十点开门。", 0.9),
        "几点": KnowledgeHit("hours", "几点开门", "网点九点开门。", 0.9),
        "存折": KnowledgeHit("book", "存折还能用吗", "能用。", 0.6),
        "停车": KnowledgeHit("park", "网点能停车吗", "各网点不同。", 0.12),
    }

    def __init__(self) -> None:
        self.asked = 0

    def find(self, text: str, limit: int = 3) -> list[KnowledgeHit]:
        self.asked += 1
        return [hit for word, hit in self.entries.items() if word in text][:limit]

    def follow_up(self, more: str, whole: str, answered: str, limit: int = 3) -> list[KnowledgeHit]:
        return [hit for hit in self.find(more) or self.find(whole) if hit.entry_id != answered][:limit]

    def often_asked(self) -> list[str]:
        return ["几点开门"]

    def question(self, entry_id: str) -> str | None:
        return next((hit.question for hit in self.entries.values() if hit.entry_id == entry_id), None)


class Talk:
    """One conversation. The state passes through JSON text between any two messages, as in the database."""

    def __init__(
        self,
        skills: Iterable[Skill] = SKILLS,
        *,
        policy: Policy = DEFAULT_POLICY,
        customer_id: str | None = "customer",
        announced: Iterable[Announced] = (),
        channel: str = "web",
    ) -> None:
        self.channel = channel
        self.knowledge = Answers()
        self.engine = DialogueEngine(SkillRegistry(skills, announced), self.knowledge, policy)
        self.orders = Orders()
        self.session = Savepoints()
        self.customer_id = customer_id
        self.now = NOON
        self.stored = json.dumps(DialogueState().to_json())
        self.out = Outcome()

    @property
    def state(self) -> DialogueState:
        return state_from_json(json.loads(self.stored))

    @property
    def top(self) -> Frame:
        top = self.state.top
        assert top is not None
        return top

    @property
    def text(self) -> str:
        """Everything said in the last turn."""
        return "\n".join(reply.text for reply in self.out.replies)

    def turn(self, text: str, heard: Understanding | None = None, by_ear: ByEar | None = None) -> Turn:
        return Turn(
            text=text,
            now=self.now,
            conversation_id="c",
            channel=self.channel,
            customer_id=self.customer_id,
            session=self.session,  # type: ignore[arg-type]
            services=self.orders,
            heard=heard if heard is not None else hear_all(text),
            by_ear=by_ear,
        )

    async def say(self, text: str, heard: Understanding | None = None, by_ear: ByEar | None = None) -> str:
        state = self.state
        self.out = await self.engine.turn(self.turn(text, heard, by_ear), state)
        self.stored = json.dumps(state.to_json())
        return self.text

    async def leave(self) -> None:
        state = self.state
        await self.engine.left(self.turn(""), state)
        self.stored = json.dumps(state.to_json())

    async def prove(self) -> str:
        """The hub found the secret to be right."""
        state = self.state
        if state.top is not None and state.top.skill == "identity_login":
            self.customer_id = "customer"
        self.out = await self.engine.proved(self.turn(""), state)
        self.stored = json.dumps(state.to_json())
        return self.text

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
