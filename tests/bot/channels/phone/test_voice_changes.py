"""Changing, cancelling and outliving a voiceprint: whoever has only the telephone does away with no voice."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from banking_core.audit.models import AuditRecord
from banking_core.errors import InvalidInput
from banking_core.voiceprints.models import Voiceprint
from tests.banking_core.identity.logging_in import CODE
from tests.banking_core.voiceprints.voices import Voices
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.telephone import Telephone
from tests.bot.channels.phone.test_alongside import a_page
from tests.bot.channels.phone.test_telephone_bank import PAYER, log_in, on_duty
from tests.bot.channels.phone.test_voiceprint_calls import Life, aloud, life, transfers

__all__ = ["life", "product"]
BY_CODE = "用验证码"


async def template(life: Life) -> str:
    async with life.product.database.snapshot() as session:
        return (await session.scalars(select(Voiceprint.template_sealed))).one()


async def logged_in_by_code(life: Life, phone: Telephone) -> str:
    life.a_minute_later()
    await phone.say("查余额")
    await phone.say(BY_CODE)
    return await log_in(phone)


async def pay(life: Life, phone: Telephone, wish: str) -> str:
    """What is said after the code."""
    life.a_minute_later()
    await phone.say(wish)
    await phone.say("确认")
    return await phone.key(CODE)


@pytest.mark.parametrize("wish", ["开通声纹", "取消声纹"])
async def test_who_has_only_the_telephone_neither_replaces_nor_destroys_the_voice(
    life: Life, wish: str
) -> None:
    await life.enrol()
    kept = await template(life)
    life.listener.name = "王五"
    async with life.call() as phone:
        await logged_in_by_code(life, phone)
        life.a_minute_later()
        await phone.say(wish)
        await phone.key("1#")
        await phone.key(CODE)
        for _ in range(4):
            await aloud(phone)
        await phone.say("不用了")
        for more in ("给李四转两千块", "给李四转五百块"):
            await pay(life, phone, more)
            await aloud(phone)
            await phone.say("不用了")
        log = await phone.log()
    assert "改动声纹要先核实是您本人" in log and "声纹录好了" not in log and "取消声纹成功" not in log
    assert await template(life) == kept
    assert not [order for order in await transfers(life) if order.status == "executed"]


async def test_the_password_in_the_chat_lets_a_voice_be_recorded_anew_by_telephone_for_a_day(
    life: Life,
) -> None:
    await life.enrol()
    kept = await template(life)
    life.product.bank.voiceprints.use(Voices("names-2"))  # the old voice cannot be compared any more
    page = await a_page(life.product, PAYER)
    assert "您已经有声纹了" in await page.write("开通声纹")
    await page.write("同意")
    assert "要在电话里录" in await page.write(CODE, secret=True)
    async with life.call() as phone:
        assert "您的声纹需要重录" in await logged_in_by_code(life, phone)
        assert "第一遍" in await life.agree(phone)
        for _ in range(3):
            await aloud(phone)
    assert await template(life) != kept
    async with life.call() as phone:
        await phone.say("查余额")
        assert "登录成功" in await aloud(phone), "known at once"
        assert "先由人工同事和您核实" in await pay(life, phone, "给李四转两千块"), "not yet good for money"
    assert not [order for order in await transfers(life) if order.status == "executed"]


async def test_a_first_voiceprint_is_good_for_orders_after_a_day(life: Life) -> None:
    await life.enrol(cooled=False)
    async with life.call() as phone:
        await logged_in_by_code(life, phone)
        assert "转账成功" in await pay(life, phone, "给李四转五百块"), "as before it was recorded"
    life.a_day_later()
    async with life.call() as phone:
        await logged_in_by_code(life, phone)
        await phone.say("给李四转五百块")
        assert "请用声音核实" in await phone.say("确认")


async def test_another_encoder_is_told_and_a_larger_transfer_goes_to_a_human(life: Life) -> None:
    await life.enrol()
    life.product.bank.voiceprints.use(Voices("names-2"))
    async with life.call() as phone:
        assert "您的声纹需要重录，办完事请说开通声纹" in await logged_in_by_code(life, phone)
        assert "您的声纹需要重录，这笔业务先由人工" in await pay(life, phone, "给李四转两千块")
        await phone.say("不用了")
        assert "转账成功" in await pay(life, phone, "给李四转五百块")
        await life.agree(phone)
        assert "改动声纹要先核实是您本人" in await phone.log()
    assert [order.amount_fen for order in await transfers(life) if order.status == "executed"] == [500_00]


async def test_digits_are_drawn_anew_a_few_times_then_a_code_is_asked_for(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("查余额")
        drawn = set()
        for _ in range(12):
            password = await life.product.hub.spoken_password(phone.conversation)
            if password is None:
                break
            drawn.add(password.digits)
            await phone.say("重发")
        assert len(drawn) == 5 and "验证码已发" in await phone.log()


async def held_for(life: Life, phone: Telephone, wish: str) -> str:
    """The wish of a customer whose voice is not itself today, up to the agent who has taken the call: their id."""
    life.listener.more = {"llr": 1.0}
    await logged_in_by_code(life, phone)
    life.a_minute_later()
    await phone.say(wish)
    await phone.key("1#")
    await phone.key(CODE)
    agent = await on_duty(life.product)
    for _ in range(3):
        await aloud(phone)
    life.listener.more = {}
    await life.product.handoff.claim(phone.conversation, agent, "小王")
    return agent


@pytest.mark.parametrize("wish", ["开通声纹", "取消声纹"])
async def test_an_agent_who_has_made_sure_stands_in_for_the_voice_and_the_customer_still_proves_the_code(
    life: Life, wish: str
) -> None:
    await life.enrol()
    kept, handoff = await template(life), life.product.handoff
    async with life.call() as phone:
        agent = await held_for(life, phone, wish)
        with pytest.raises(InvalidInput):
            await handoff.vouch(phone.conversation, agent, "  ")
        await handoff.vouch(phone.conversation, agent, "核对了证件号码和最近三笔交易")
        assert await template(life) == kept, "the agent changes nothing"
        life.a_minute_later()
        await handoff.hand_back(phone.conversation, agent)
        await phone.hears("同事已经把您交回给我了")
        await phone.rest()
        assert "验证码已发" in await phone.key("1#")
        answer = await phone.key(CODE)
        if wish == "开通声纹":
            assert "第一遍" in answer and await template(life) == kept
            for _ in range(3):
                await aloud(phone)
            assert await template(life) != kept
    async with life.product.database.snapshot() as session:
        found = (await session.scalars(select(Voiceprint))).all()
        assert [one.replaces for one in found] == ([True] if wish == "开通声纹" else [])
        noted = await session.scalars(select(AuditRecord).where(AuditRecord.action == "order.vouched"))
        assert [one.after["grounds"] for one in noted] == ["核对了证件号码和最近三笔交易"]


async def test_after_a_change_of_the_encoder_a_caller_without_a_password_records_anew_with_an_agents_help(
    life: Life,
) -> None:
    await life.enrol()
    handoff = life.product.handoff
    life.product.bank.voiceprints.use(Voices("names-2"))
    async with life.call() as phone:
        assert "您的声纹需要重录" in await logged_in_by_code(life, phone)
        agent = await on_duty(life.product)
        await phone.say("开通声纹")
        assert "改动声纹要先核实是您本人" in await phone.key("1#"), (
            "no code is sent where it would not be enough"
        )
        await handoff.claim(phone.conversation, agent, "小王")
        await handoff.vouch(phone.conversation, agent, "核对了证件号码和最近三笔交易")
        life.a_minute_later()
        await handoff.hand_back(phone.conversation, agent)
        await phone.hears("同事已经把您交回给我了")
        await phone.rest()
        await phone.key("1#")
        assert "第一遍" in await phone.key(CODE)
        for _ in range(2):
            await aloud(phone)
        assert "声纹录好了" in await aloud(phone)
    async with life.call() as phone:
        await phone.say("查余额")
        said = await aloud(phone)
        assert "登录成功" in said and "需要重录" not in said
    life.a_day_later()
    async with life.call() as phone:
        await logged_in_by_code(life, phone)
        assert "请用声音核实" in await pay(life, phone, "给李四转两千块")
        assert "转账成功" in await aloud(phone)


async def test_an_agent_vouches_for_one_change_and_not_for_the_next(life: Life) -> None:
    await life.enrol()
    kept, handoff = await template(life), life.product.handoff
    async with life.call() as phone:
        agent = await held_for(life, phone, "开通声纹")
        await handoff.vouch(phone.conversation, agent, "核对了证件号码和最近三笔交易")
        await handoff.hand_back(phone.conversation, agent)
        await phone.hears("同事已经把您交回给我了")
        await phone.rest()
        await phone.say("取消")
        life.a_minute_later()
        await phone.say("取消声纹")
        await phone.key("1#")
        await phone.key(CODE)
        assert "改动声纹要先核实是您本人" in await phone.log()
    assert await template(life) == kept
