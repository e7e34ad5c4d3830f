"""A call from the chat page, with the product behind it: one conversation, spoken and written."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from banking_core.customers.models import Customer
from banking_core.identity import Origin
from bot.assembly import Product
from bot.channels.phone.alongside import ON_SCREEN, PageAssistant, Visitor
from bot.channels.phone.call import CallInfo, EndReason
from bot.channels.phone.loop import Expect
from bot.channels.phone.loop import manner as words
from bot.channels.phone.ports import VoiceExaminer
from bot.conversation.views import Inbound
from bot.running.phone import likely_words, payee_paid
from tests.banking_core.identity.logging_in import CODE
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.telephone import Telephone

__all__ = ["product"]

PAYER = "张伟"


class Page:
    """A conversation of the chat page."""

    def __init__(self, product: Product, conversation_id: str) -> None:
        self.product, self.id = product, conversation_id
        self.here = True
        self._count = 0

    async def write(self, text: str, *, secret: bool = False) -> str:
        """Types; returns what is answered in the chat."""
        self._count += 1
        inbound = Inbound(self.id, f"page-{self._count:04}", text, secret, Origin(channel="web"))
        received = await self.product.hub.receive(inbound)
        return "".join(reply.text for reply in received.replies)

    async def present(self) -> bool:
        return self.here


async def a_page(product: Product, name: str = "") -> Page:
    """A page whose customer has logged in, or one of nobody."""
    page = Page(product, await product.hub.open("web"))
    if name:
        async with product.database.snapshot() as session:
            everybody = await session.scalars(select(Customer))
            customer = next(each for each in everybody if each.name == name)
        await product.hub.attach_customer(page.id, customer.id, "密码+短信验证码")
    return page


@asynccontextmanager
async def calling(page: Page, examiner: VoiceExaminer | None = None) -> AsyncIterator[Telephone]:
    """A call from the page that has been picked up and greeted."""
    product = replace(page.product, metrics_registry=CollectorRegistry())  # a switchboard for each call here
    phone = Telephone(product, caller="")
    visitor = Visitor(page.id, Origin(channel="web"), "web:1", page.present)

    def assistant(info: CallInfo) -> PageAssistant:
        info = replace(info, line_call_id=uuid.uuid4().hex)
        return PageAssistant(
            product.hub,
            info,
            phone.timer,
            visitor,
            vocabulary=likely_words(product),
            payee=payee_paid(product),
            examiner=examiner,
        )

    phone._names = assistant  # type: ignore[assignment]
    running = asyncio.create_task(phone.call.serve(phone.board.answer))
    async with asyncio.timeout(60):
        await phone.voice.begun.wait()
        assert phone.assistant is not None
        async with phone.assistant._speaking:  # a look at the conversation takes real time
            pass
        await phone.rest()
        yield phone
        phone.call.ended(EndReason.CALLER)
        await running


async def test_who_has_logged_in_at_the_page_is_told_the_balance_at_once(product: Product) -> None:
    page = await a_page(product, PAYER)
    async with calling(page) as phone:
        said = await phone.say("查余额")
        assert "余额" in said and "元" in said and "验证码" not in said
        assert phone.conversation == page.id
        assert "李四" in "".join(phone.ears.phrases)
    assert "customer: 查余额\nbot: " in await phone.log()


async def test_a_transfer_is_spoken_with_the_session_of_the_page_and_stands_in_the_chat(
    product: Product,
) -> None:
    page = await a_page(product, PAYER)
    async with calling(page) as phone:
        said = await phone.say("给李四转五百块")
        assert "五百元" in said and phone.ears.expected is Expect.YES_NO
        assert "六百元" in await phone.say("不对，是六百")
        assert "验证码" in await phone.say("确认") and phone.ears.expected is Expect.CODE
        said = await phone.key(CODE, seconds=4.0)
        assert "转账成功" in said or "已转出" in said or "受理" in said, said
        log = await phone.log()
        assert CODE not in log and "给李四转五百块" in log
    cards = [message["card"]["kind"] for message in await product.hub.history(page.id) if message["card"]]
    assert "readback" in cards


async def test_what_is_written_during_the_call_is_answered_aloud_and_decides_what_is_expected(
    product: Product,
) -> None:
    page = await a_page(product, PAYER)
    async with calling(page) as phone:
        await page.write("给李四转五百块")
        await phone.hears("五百元")
        assert phone.ears.expected is Expect.YES_NO
        await page.write("确认")
        await phone.hears("验证码已发")
        assert phone.ears.expected is Expect.CODE
        await page.write(CODE, secret=True)
        await phone.hears("转账成功")
        await phone.rest()
        assert phone.ears.expected is not Expect.CODE
        assert "余额" in await phone.say("查余额")


async def test_a_second_call_of_the_same_page_is_no_repetition_of_the_first(product: Product) -> None:
    page = await a_page(product, PAYER)
    async with calling(page) as phone:
        first = await phone.say("查余额")
    async with calling(page) as phone:
        assert first in await phone.say("查余额")
        assert phone.voice.said[:2] == [*words.GREETING]
    assert (await phone.log()).count("customer: 查余额") == 2


async def test_what_was_said_before_the_call_is_not_read_out(product: Product) -> None:
    page = await a_page(product, PAYER)
    await page.write("查余额")
    async with calling(page) as phone:
        await phone.rest(4.0)
        assert phone.voice.said == [*words.GREETING]


async def test_a_question_that_was_open_before_the_call_can_be_answered_in_it(product: Product) -> None:
    page = await a_page(product, PAYER)
    await page.write("给李四转五百块")
    async with calling(page) as phone:
        assert phone.ears.expected is Expect.YES_NO
        assert "验证码" in await phone.say("确认")


async def test_hanging_up_leaves_the_conversation_to_the_page(product: Product) -> None:
    page = await a_page(product, PAYER)
    async with calling(page) as phone:
        await phone.say("给李四转五百块")
    assert (await product.hub.status(page.id)).owner == "bot"
    assert "验证码" in await page.write("确认")


async def test_a_password_is_asked_for_on_the_screen_and_never_listened_to(product: Product) -> None:
    page = await a_page(product)
    async with calling(page) as phone:
        said = await phone.say("查余额")
        assert "手机号" in said
        said = await phone.say("幺三八零零零零零零零四")
        assert said.endswith(ON_SCREEN) and phone.ears.expected is Expect.WORDS
        assert "按井号" not in said


async def test_once_the_session_has_ended_nothing_more_is_done_in_its_name(product: Product) -> None:
    page = await a_page(product, PAYER)
    async with calling(page) as phone:
        page.here = False
        said = await phone.say("查余额")
        assert "元" not in said
        assert "查余额" not in await phone.log()


async def test_a_conversation_that_was_closed_begins_anew_with_the_first_word(product: Product) -> None:
    page = await a_page(product, PAYER)
    await product.hub.hung_up(page.id)
    assert (await product.hub.status(page.id)).owner == "closed"
    async with calling(page) as phone:
        await phone.rest(4.0)
        assert phone.voice.said == [*words.GREETING]
        assert "余额" in await phone.say("查余额")


async def test_a_human_who_has_the_conversation_has_the_call(product: Product) -> None:
    page = await a_page(product, PAYER)
    async with product.database.transaction() as session:
        agent = await product.desk.add_agent(session, "xiaowang", "小王", "")
        await product.desk.set_presence(session, agent, "on_duty")
        await product.desk.heartbeat(session, agent)
    await page.write("转人工")
    await product.handoff.claim(page.id, agent, "王芳")
    async with calling(page) as phone:
        await phone.hears(words.AGENT_READS[-1])
        await phone.say("我的卡被吞了", seconds=5.0)
        await product.handoff.agent_say(page.id, agent, "在哪家网点？", "1")
        await phone.hears("在哪家网点？")
        assert product.calls.on(page.id)
        with product.calls.join(page.id) as sound:
            assert sound is not None
    assert not product.calls.on(page.id)
    assert (await product.hub.status(page.id)).owner == "agent"
