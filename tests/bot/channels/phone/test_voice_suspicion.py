"""A voice that was somebody else's is not forgotten: calls that go on after the impostor has been unmasked."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from banking_core.customers.models import Customer
from bot.assembly import Product
from desk.models import Ticket
from tests.banking_core.identity.logging_in import CODE
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.telephone import Telephone
from tests.bot.channels.phone.test_telephone_bank import PAYER, log_in, on_duty
from tests.bot.channels.phone.test_voiceprint_calls import Life, aloud, life, transfers

__all__ = ["life", "product"]


async def payer(product: Product) -> str:
    async with product.database.snapshot() as session:
        return next(each.id for each in await session.scalars(select(Customer)) if each.name == PAYER)


async def suspected(product: Product) -> bool:
    async with product.database.snapshot() as session:
        return await product.bank.voiceprints.suspected(session, await payer(product))


async def unmasked(life: Life, phone: Telephone) -> str:
    """Holds the customer's telephone and the end of the ID number; the voice is another one, twice."""
    await phone.say("给李四转五百块")
    await phone.say("用验证码")
    await log_in(phone)
    await phone.say("确认")
    await aloud(phone)
    return await aloud(phone)


async def try_again(life: Life, phone: Telephone, wish: str) -> None:
    """Everything an impostor who has the telephone can still do."""
    life.a_minute_later()
    for words in (wish, "确认", "用验证码"):
        await phone.say(words)
    await phone.key(CODE)


@pytest.mark.parametrize("duty", [False, True])
async def test_an_unmasked_impostor_who_goes_on_is_paid_nothing(life: Life, duty: bool) -> None:
    await life.enrol()
    life.listener.name = "王五"
    async with life.call() as phone:
        if duty:
            await on_duty(life.product)
        answer = await unmasked(life, phone)
        assert ("转接人工" in answer) is duty
        await phone.say("取消排队" if duty else "不用了")
        for wish in ("给李四转五百块", "给李四转九百块"):
            await try_again(life, phone, wish)
            await phone.say("取消排队" if duty else "不用了")
    life.a_minute_later()
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        await phone.say("用验证码")
        await log_in(phone)
        assert "钱没有动" in await phone.log(), "in another call, too"
    made = await transfers(life)
    assert len(made) >= 2
    assert not {order.status for order in made} & {"authorised", "waiting", "submitted", "executed"}
    assert {order.risk_verdict for order in made} <= {"human", "block"}
    assert all("声纹" in "".join(order.risk_reasons) for order in made)


async def test_one_foreign_voice_an_order_adds_up_and_a_right_one_clears_it(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        for wish in ("给李四转五百块", "给李四转六百块"):
            life.listener.name = "王五"
            await phone.say(wish)
            if wish == "给李四转五百块":
                await phone.say("用验证码")
                await log_in(phone)
            await phone.say("确认")
            assert "没有核实成功" in await aloud(phone)
            life.listener.name = PAYER
            assert "转账成功" in await aloud(phone)
        for wish, unmasks in (("给李四转三百块", False), ("给李四转两百块", True)):
            life.listener.name = "王五"
            await phone.say(wish)
            await phone.say("确认")
            assert "核实" in await aloud(phone)
            assert await suspected(life.product) is unmasks
            await phone.say("取消")


async def test_the_customer_is_told_and_called_and_pays_again_once_an_agent_has_made_sure(life: Life) -> None:
    await life.enrol()
    customer_id, bank, database = await payer(life.product), life.product.bank, life.product.database
    life.listener.name = "王五"
    async with life.call() as phone:
        await unmasked(life, phone)
        await phone.say("不用了")
    async with database.snapshot() as session:
        told = [notice.text for notice in await bank.notices.list(session, customer_id)]
        assert sum("声音" in text and "人工核实" in text for text in told) == 1
        [filed] = [ticket.content for ticket in await session.scalars(select(Ticket))]
        assert "声纹核实失败" in filed and "没有同事能接待" in filed, "one call for what is one matter"
    async with database.transaction() as session:
        assert await bank.voiceprints.suspected(session, customer_id)
        agent = "agent:1"
        assert await bank.voiceprints.trust_again(session, customer_id, by=agent, grounds="身份证和住址都对")
        assert not await bank.voiceprints.suspected(session, customer_id)
        assert not await bank.voiceprints.trust_again(session, customer_id, by=agent, grounds="再一次")
    life.listener.name = PAYER
    life.a_minute_later()
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        await phone.say("用验证码")
        await log_in(phone)
        await phone.say("确认")
        assert "转账成功" in await aloud(phone)


async def test_an_impostor_at_the_log_in_is_told_of_asked_after_and_paid_nothing(life: Life) -> None:
    await life.enrol()
    life.listener.name = "王五"
    async with life.call() as phone:
        await phone.say("查余额")
        await aloud(phone)
        assert "验证码已发" in await aloud(phone), (
            "who is known by no voice is asked for a code, and told nothing"
        )
        await on_duty(life.product)
        await phone.say("转人工")
        assert [item.reason for item in await life.product.handoff.queue()] == ["verification_failed"]
    life.a_minute_later()
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        await phone.say("用验证码")
        await log_in(phone)
        assert "请同事和您核实一下，钱没有动" in await phone.log()
    customer_id, bank = await payer(life.product), life.product.bank
    async with life.product.database.snapshot() as session:
        told = [notice.text for notice in await bank.notices.list(session, customer_id)]
        assert sum("声音和您的声纹对不上" in text for text in told) == 1
    life.a_day_later()
    assert not await suspected(life.product), (
        "the number a line reports is only a hint: it shuts nobody out for long"
    )


async def test_what_protects_the_customer_is_not_held_up(life: Life) -> None:
    await life.enrol()
    customer_id, bank = await payer(life.product), life.product.bank
    async with life.product.database.transaction() as session:
        await bank.voiceprints.suspect(session, customer_id, why="foreign")
        order = await bank.orders.draft(
            session,
            customer_id=customer_id,
            kind="security_lock",
            body={"scope": "all"},
            idempotency_key="lock",
            channel="phone",
        )
        assert order.risk_verdict == "allow"


async def test_by_chat_behind_a_password_the_customer_still_pays(life: Life) -> None:
    await life.enrol()
    customer_id, bank = await payer(life.product), life.product.bank
    async with life.product.database.transaction() as session:
        await bank.voiceprints.suspect(session, customer_id, why="replayed")
        accounts = await bank.accounts.list_for(session, customer_id)
        payees = await bank.payees.list(session, customer_id)
        verdicts = {}
        for channel, context in (("web", {}), ("web", {"on_call": True}), ("phone", {})):
            order = await bank.orders.draft(
                session,
                customer_id=customer_id,
                kind="transfer",
                body={
                    "from_account_id": accounts[0].id,
                    "payee_name": payees[0].name,
                    "payee_account_number": payees[0].account_number,
                    "payee_bank_code": payees[0].bank_code,
                    "amount_fen": 100_00,
                    "purpose": "",
                },
                idempotency_key=f"{channel}{context}",
                channel=channel,
                context=context,
            )
            verdicts[f"{channel}{context}"] = order.risk_verdict
    assert list(verdicts.values()) == ["allow", "human", "human"]
