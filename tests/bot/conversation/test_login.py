"""The log-in inside the chat: what is asked for, when it is odd, and that no proof is seen by anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.customers.models import Customer
from banking_core.identity import LoginSubject, LoginVerdict, Origin
from banking_core.identity.login_risk import Tier
from banking_core.risk.models import RiskDecision
from bot.assembly import Product
from bot.conversation.redaction import BLOT
from bot.conversation.views import Inbound
from bot.dialogue.understanding import Understanding
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import open_copy
from tests.banking_core.identity.logging_in import CODE, known_code
from tests.demo import DemoTemplate

PAYER, PHONE, PASSWORD = "张伟", "13800000004", "Zhanggui2026!"
BROWSER = Origin(
    channel="web", address="127.0.0.1", device="d" * 64, device_name="Chrome · Linux", session_id="s"
)


class Hears:
    """登录, 充 and 声纹; remembers every sentence that came to its ears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def understand(self, text: str) -> Understanding:
        self.heard.append(text)
        wishes = {"登录": "identity_login", "充": "topup", "声纹": "voiceprint_enroll"}
        intent = next((wishes[word] for word in wishes if word in text), "nlu_fallback")
        return Understanding(text, intent, 0.95, ranking=((intent, 0.95),))


class Judge:
    """Finds every log-in as odd as it is told to."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier

    async def assess(self, session: AsyncSession, subject: LoginSubject) -> LoginVerdict:
        return LoginVerdict(self.tier, ("new_device",))


class Talk:
    """A visitor of the web chat."""

    def __init__(self, product: Product, hears: Hears, moment: datetime = MOMENT) -> None:
        self.product, self.hears, self.sent, self.conversation = product, hears, 0, ""

    async def say(self, text: str, *, secret: bool = False, origin: Origin = BROWSER) -> str:
        if not self.conversation:
            self.conversation = await self.product.hub.open("web")
        self.sent += 1
        inbound = Inbound(self.conversation, f"m{self.sent}", text, secret, origin)
        received = await self.product.hub.receive(inbound)
        return "\n".join(reply.text for reply in received.replies)

    async def give_password(self) -> str:
        await self.say("登录")
        await self.say(PHONE)
        return await self.say(PASSWORD, secret=True)

    async def expects(self) -> str:
        return (await self.product.hub.status(self.conversation)).expects

    async def log(self) -> str:
        lines = await self.product.hub.history(self.conversation, 0, 100)
        return "\n".join(f"{line['sender']}: {line['text']}" for line in lines)

    def judged(self, tier: Tier) -> None:
        self.product.bank.identity.logins.use_risk(Judge(tier))

    async def customer(self) -> Customer:
        async with self.product.database.snapshot() as session:
            everybody = await session.scalars(select(Customer))
            return next(each for each in everybody if each.name == PAYER)


@pytest.fixture
async def talk(demo_template: DemoTemplate, tmp_path: Path) -> AsyncIterator[Talk]:
    hears = Hears()
    product = open_copy(await demo_template(), tmp_path, MOMENT, hears)
    await product.start()
    with known_code():
        yield Talk(product, hears)
    await product.close()


@pytest.mark.parametrize("hour", [0, 13], ids=["by_day", "after_midnight"])
async def test_the_first_log_in_of_a_demo_customer_asks_for_password_and_code_and_nothing_else(
    talk: Talk, hour: int
) -> None:
    """What README promises, whatever the clock says."""
    talk.product.clock.advance(seconds=hour * 3600 + 3600)  # type: ignore[attr-defined]
    assert "验证码已发到您的手机138****0004" in await talk.give_password()
    assert "登录成功，*伟" in await talk.say(CODE, secret=True)
    async with talk.product.database.snapshot() as session:
        decision = await session.scalar(select(RiskDecision).where(RiskDecision.subject == "login"))
        customer = await talk.customer()
        told = await talk.product.bank.notices.list(session, customer.id)
        assert await talk.product.bank.restrictions.kinds(session, customer.id) == frozenset()
    assert decision is not None and decision.verdict == "allow"
    assert any("有一次登录（Chrome · Linux，新设备" in notice.text for notice in told)


async def test_an_odd_log_in_asks_for_the_end_of_the_id_number_in_any_words(talk: Talk) -> None:
    talk.judged("medium")
    tail = (await talk.customer()).id_number[-4:]
    await talk.give_password()
    assert "证件号码的后四位" in await talk.say(CODE, secret=True)
    assert await talk.expects() == "id_tail"
    assert "不发短信" in await talk.say("没收到短信")
    assert "还可以试2次" in await talk.say("身份证后四位是1357")
    assert "登录成功" in await talk.say(f"我的证件后四位是{tail}")
    log = await talk.log()
    assert tail not in log and "1357" not in log and BLOT in log
    assert not [words for words in talk.hears.heard if tail in words or "1357" in words]


async def test_what_is_said_around_an_end_of_an_id_number_is_blotted_out(talk: Talk) -> None:
    talk.judged("medium")
    tail = (await talk.customer()).id_number[-4:]
    await talk.give_password()
    await talk.say(CODE, secret=True)
    await talk.say(f"是不是填{tail}呢我也说不准")
    assert tail not in await talk.log()
    assert not [words for words in talk.hears.heard if tail in words]


async def test_three_wrong_ends_stop_the_log_in(talk: Talk) -> None:
    talk.judged("medium")
    await talk.give_password()
    await talk.say(CODE, secret=True)
    for wrong in ("0000", "1111"):
        await talk.say(wrong, secret=True)
    assert "请1小时后再登录" in await talk.say("2222", secret=True)
    assert await talk.expects() == "text"


async def test_after_a_very_odd_log_in_the_desk_is_asked_to_call_and_no_money_moves(talk: Talk) -> None:
    talk.judged("high")
    tail = (await talk.customer()).id_number[-4:]
    await talk.give_password()
    await talk.say(CODE, secret=True)
    assert "登录成功" in await talk.say(tail, secret=True)
    async with talk.product.database.transaction() as session:
        tickets = await talk.product.desk.list_tickets(session, "a1")
    assert [(ticket.phone, ticket.restricted) for ticket in tickets] == [(PHONE, True)]
    assert "请回电核实" in tickets[0].content and "*伟" in tickets[0].content
    said = await talk.say("给自己充50话费")
    assert "现在只能查询" in said and "钱没有动" in said


async def test_a_frozen_customer_is_sent_to_a_person_and_gets_no_code(talk: Talk) -> None:
    customer = await talk.customer()
    async with talk.product.database.transaction() as session:
        await talk.product.bank.identity.takeovers.freeze(session, customer.id, reason="test")
    said = await talk.give_password()
    assert "保护性锁定" in said and "验证码已发" not in said
    assert await talk.expects() == "text"


async def test_a_log_in_that_took_too_long_begins_again_with_the_password(talk: Talk) -> None:
    await talk.give_password()
    talk.product.clock.advance(seconds=timedelta(minutes=11).total_seconds())  # type: ignore[attr-defined]
    assert "等得太久" in await talk.say(CODE, secret=True)
    assert await talk.expects() == "password"


async def test_a_code_given_from_another_visit_leads_nowhere(talk: Talk) -> None:
    await talk.give_password()
    elsewhere = Origin(channel="web", address="203.0.113.9", session_id="another")
    assert "登录成功" not in await talk.say(CODE, secret=True, origin=elsewhere)


async def test_who_gets_no_more_codes_for_now_is_offered_a_person(talk: Talk) -> None:
    await talk.give_password()
    await talk.say("重发")
    told = (await talk.product.hub.history(talk.conversation, 0, 100))[-1]
    assert [choice["label"] for choice in told["choices"]] == ["重发", "转人工", "取消"], told


async def test_who_agrees_to_a_voiceprint_in_the_chat_is_told_of_the_button_to_record_it(talk: Talk) -> None:
    await talk.give_password()
    await talk.say(CODE, secret=True)
    talk.product.clock.advance(seconds=61)  # type: ignore[attr-defined]
    assert "同意开通声纹吗" in await talk.say("开通声纹")
    await talk.say("同意")
    told = await talk.say(CODE, secret=True)
    assert "已记下您的同意" in told and "点输入框旁的“语音通话”" in told
