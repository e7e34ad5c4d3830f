"""Whole calls, from the greeting to the end, with the product behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from sqlalchemy import select

from banking_core.clock import BANK_ZONE
from banking_core.customers.models import Customer
from banking_core.orders.models import Order
from bot.assembly import Product
from bot.channels.phone.audio import SAMPLE_RATE_HZ, duration_ms
from bot.channels.phone.loop import Expect
from bot.channels.phone.loop import manner as words
from bot.channels.phone.ports import Hearing
from bot.channels.phone.speaking import EspeakSpeaker
from bot.channels.phone.speaking.espeak import synthesise
from bot.channels.phone.switchboard import NoHearing
from bot.conversation.models import AgentService, Conversation
from bot.conversation.redaction import BLOT
from bot.conversation.views import Inbound, Received
from bot.dialogue.by_ear import ByEar
from bot.running.phone import Exchange, payee_paid, telephone
from bot.running.premises import free_port
from desk.board import board
from tests.banking_core.identity.logging_in import CODE
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.manual import tone
from tests.bot.channels.phone.softphone import Baresip, baresip, pitches
from tests.bot.channels.phone.telephone import Hears, Telephone, calling
from tests.bot.conversation.looking import facts_of, history_of

__all__ = ["product"]

PAYER = "张伟"


async def id_tail(product: Product) -> str:
    async with product.database.snapshot() as session:
        everybody = await session.scalars(select(Customer))
        return next(each for each in everybody if each.name == PAYER).id_number[-4:]


async def keyed_tail(product: Product) -> str:
    return (await id_tail(product)).replace("X", "*")


async def log_in(phone: Telephone) -> str:
    """Proves who is calling, by keys."""
    await phone.key(CODE)
    return await phone.key(await keyed_tail(phone.product))


async def on_duty(product: Product) -> str:
    """An agent who can take a call."""
    async with product.database.transaction() as session:
        agent = await product.desk.add_agent(session, "xiaowang", "小王", "")
        await product.desk.set_presence(session, agent, "on_duty")
        await product.desk.heartbeat(session, agent)
        return agent


async def orders(product: Product) -> list[Order]:
    async with product.database.snapshot() as session:
        found = await session.scalars(
            select(Order).where(Order.channel == "phone").order_by(Order.created_at)
        )
        return list(found)


async def test_a_balance_is_told_after_code_and_id_number_were_keyed(product: Product) -> None:
    async with calling(product) as phone:
        said = await phone.say("查余额")
        assert "验证码已发到尾号零零零四的手机" in said and phone.ears.expected is Expect.CODE
        assert "证件号码的后四位" in await phone.key(CODE) and phone.ears.expected is Expect.ID_TAIL
        said = await phone.key(await keyed_tail(product))
        assert "登录成功" in said and "余额" in said and "元" in said
        assert not any(char.isdigit() for char in said)
        assert "李四" in "".join(phone.ears.phrases)


async def test_who_has_logged_in_is_listened_to_for_their_own_payees_and_bills(product: Product) -> None:
    async with calling(product) as phone:
        await phone.say("查余额")
        assert not {"李四", "电费"} & set(phone.ears.phrases)
        await log_in(phone)
        customer = (await product.hub.status(phone.conversation)).customer_id or ""
        async with product.database.snapshot() as session:
            bills = await product.bank.living.subscriptions(session, customer)
        own = {word for bill in bills for word in (bill.biller_name, bill.provider_name)}
        assert own and own | {"李四"} <= set(phone.ears.phrases)


async def test_what_was_keyed_in_secret_reaches_neither_the_log_nor_the_understanding(
    product: Product,
) -> None:
    tail = await id_tail(product)
    async with calling(product) as phone:
        await phone.say("查余额")
        await phone.key("135790")
        await log_in(phone)
        log = await phone.log()
        assert BLOT in log
        hears = product.understander
        assert isinstance(hears, Hears)
        for secret in (CODE, "135790", tail):
            assert secret not in log and not any(secret in heard for heard in hears.heard)
        assert all(ask.secret for ask in phone.asked[1:])


async def test_a_code_may_be_spoken_too(product: Product) -> None:
    async with calling(product) as phone:
        await phone.say("查余额")
        assert "证件号码的后四位" in await phone.say("二四六八幺零")
        assert phone.asked[-1].secret and "二四六八" not in await phone.log()


SPOKEN_CODE, SPOKEN_CARD = "二四六八幺零", "六二二二零二一二三四五六七八九零一二三"


async def test_a_code_said_into_the_queue_or_to_an_agent_stands_on_no_screen(product: Product) -> None:
    agent = await on_duty(product)
    async with calling(product) as phone:
        await phone.say("查余额")
        await phone.say("转人工")
        await phone.say(f"等一下我的码是{SPOKEN_CODE}")
        await product.handoff.claim(phone.conversation, agent, "王芳")
        await phone.hears(words.AGENT_READS[-1])
        await phone.rest(6.0)
        for said in (SPOKEN_CODE, f"是{SPOKEN_CODE[:-1]}", "三二幺叉", SPOKEN_CARD):
            await phone.say(said)
        seen = [line["text"] for line in await history_of(product.handoff, phone.conversation)]
        facts = str(await facts_of(product.handoff, phone.conversation))
        assert seen[-4:] == [BLOT, f"是{BLOT}", BLOT, "****0123"]
        assert f"等一下我的码是{BLOT}" in seen
        assert not any(secret in "".join(seen) + facts for secret in (SPOKEN_CODE, "三二幺叉", SPOKEN_CARD))


async def test_of_a_spoken_card_number_the_understanding_and_the_log_get_the_end_only(
    product: Product,
) -> None:
    async with calling(product) as phone:
        for said in (
            f"密码是{SPOKEN_CODE}",
            "身份证幺幺零一零一一九九零零三零七三二一叉",
            f"转到{SPOKEN_CARD}",
        ):
            await phone.say(said)
        hears = product.understander
        assert isinstance(hears, Hears)
        assert hears.heard == [f"密码是{BLOT}", "身份证****321X", "转到****0123"]
        log = await phone.log()
        assert all(said in log for said in hears.heard)


async def test_a_late_code_is_no_sentence_for_the_understanding(product: Product) -> None:
    async with calling(product) as phone:
        await phone.say("利率是多少")
        await phone.say(SPOKEN_CODE)
        assert isinstance(product.understander, Hears)
        assert product.understander.heard == ["利率是多少"] and SPOKEN_CODE not in await phone.log()


async def test_the_calling_number_is_a_hint_and_another_may_be_given(product: Product) -> None:
    async with calling(product) as phone:
        assert "零零零四" in await phone.say("查余额")
        said = await phone.say("不对，是幺三八零零零零零零零五")
        assert "零零零五" in said


async def test_without_a_calling_number_it_is_asked_for(product: Product) -> None:
    async with calling(product, caller="") as phone:
        assert "手机号" in await phone.say("查余额")
        assert "验证码已发" in await phone.key("13800000004#")


async def test_a_transfer_is_corrected_read_back_proved_and_done(product: Product) -> None:
    async with calling(product) as phone:
        await phone.say("给李四转五百块")
        said = await log_in(phone)
        assert "五百元" in said and phone.ears.expected is Expect.YES_NO
        assert "确认请按一" in said
        said = await phone.say("不对，是六百")
        assert "六百元" in said
        assert "验证码" in await phone.say("确认")
        said = await phone.key(CODE, seconds=4.0)
        assert "转账成功" in said or "已转出" in said or "受理" in said, said
    made = await orders(product)
    assert [order.amount_fen for order in made if order.status == "executed"] == [600_00]


async def test_a_caller_who_has_proved_who_they_are_hears_the_whole_name_and_nobody_reads_it(
    product: Product,
) -> None:
    async with calling(product) as phone:
        await phone.say("给李四转五百块")
        said = await log_in(phone)
        assert "收款人李四" in said and "某" not in said and "登录成功，您好。" in said
        log = await phone.log()
        assert "收款人*四" in log and "bot: " in log
        assert "李四" not in "".join(line for line in log.splitlines() if line.startswith("bot: "))


def heard(text: str, *others: str, doubtful: str = "") -> ByEar:
    return ByEar(text, others, tuple(0.5 if char in doubtful else 1.0 for char in text))


async def test_a_name_said_before_the_log_in_is_decided_by_the_payee_book_after_it(product: Product) -> None:
    async with calling(product) as phone:
        said = "给李寺转五百块"
        await phone.say(said, by_ear=heard(said, "给李四转五百块"))
        assert "收款人李四" in await log_in(phone)


async def test_an_amount_that_was_heard_unsurely_is_asked_by_keys_before_it_is_read_back(
    product: Product,
) -> None:
    async with calling(product) as phone:
        said = "给李四转六百块"
        await phone.say(said, by_ear=heard(said, "给李四转九百块", doubtful="六"))
        asked = await log_in(phone)
        assert "金额是哪一个" in asked and "六百元" in asked and "九百元" in asked
        assert await orders(product) == []
        assert "金额九百元" in await phone.key("2#")


async def test_how_a_code_was_heard_goes_nowhere(product: Product) -> None:
    async with calling(product) as phone:
        await phone.say("查余额")
        await phone.say("二四六八幺零", by_ear=heard("二四六八幺零", "二四六八一零"))
        assert phone.asked[-1].secret and phone.asked[-1].by_ear is None
        await phone.say("给李四转五百", by_ear=heard("给李四转五百", "我的密码是八八六六四四"))
        async with product.database.snapshot() as session:
            kept = await session.get(Conversation, phone.conversation)
            assert kept is not None and "转五百" in str(kept.state) and "八八六六" not in str(kept.state)


async def test_a_name_that_is_in_no_book_of_the_caller_stays_masked(product: Product) -> None:
    name = payee_paid(product)
    async with calling(product) as phone:
        await phone.say("给李四转五百块")
        await log_in(phone)
        customer = (await product.hub.status(phone.conversation)).customer_id or ""
        assert await name(customer, phone.conversation) == "李四"
        assert await name(customer, "another conversation") == ""
        async with product.database.transaction() as session:
            payee = next(p for p in await product.bank.payees.list(session, customer) if p.name == "李四")
            await product.bank.payees.delete(session, customer, payee.id)
        assert await name(customer, phone.conversation) == ""


async def test_a_log_in_is_asked_for_in_ten_seconds(product: Product) -> None:
    async with calling(product) as phone:
        before = len(phone.voice.said)
        await phone.say("查余额")
        asked = [piece for piece in phone.voice.said[before:] if piece not in words.FILLERS[0]]
        assert sum(duration_ms(synthesise(piece, 1.0)) for piece in asked) <= 10_500


async def test_a_caller_whose_number_is_another_says_so_and_is_asked_for_it(product: Product) -> None:
    async with calling(product) as phone:
        assert "不是这个号码请说换手机号" in await phone.say("查余额")
        assert "请说您在银行登记的手机号" in await phone.say("换手机号")
        assert "零零零五" in await phone.key("13800000005#")


async def test_everything_goes_by_keys_alone(product: Product) -> None:
    async with calling(product) as phone:
        assert "验证码已发" in await phone.key("1#")
        assert "余额" in await log_in(phone)


async def test_a_transfer_goes_by_keys_alone_from_the_payee_to_the_code(product: Product) -> None:
    async with calling(product) as phone:
        await phone.key("2#")
        assert "转给谁" in await log_in(phone)
        assert "转多少钱" in await phone.key("1#")
        said = await phone.key("500#")
        assert "五百元" in said and "确认请按一" in said
        assert "验证码" in await phone.key("1#")
        assert "转账成功" in await phone.key(CODE, seconds=4.0)
    assert [order.amount_fen for order in await orders(product) if order.status == "executed"] == [500_00]


async def test_a_yes_into_the_read_back_confirms_nothing_and_a_correction_into_it_counts(
    product: Product,
) -> None:
    async with calling(product) as phone:
        await phone.say("给李四转五百块")
        await phone.key(CODE)
        await phone.key(await keyed_tail(product), seconds=0.1)
        await phone.say("确认", frames=4, seconds=0.0)
        assert phone.ears.expected is Expect.YES_NO
        await phone.rest(3.0)
        assert "六百元" in await phone.say("不对，是六百", frames=4)
    assert [order for order in await orders(product) if order.status in ("executed", "submitted")] == []


@pytest.mark.parametrize("steps", range(6))
async def test_who_hangs_up_at_any_step_leaves_no_half_made_order(product: Product, steps: int) -> None:
    async with calling(product) as phone:
        walk = [
            lambda: phone.say("给李四转五百块"),
            lambda: phone.key(CODE),
            lambda: _tail(phone),
            lambda: phone.say("确认"),
            lambda: phone.key("000000"),
        ]
        for step in walk[:steps]:
            await step()
        conversation = phone.assistant.conversation_id if phone.assistant else ""
    assert [
        order.status for order in await orders(product) if order.status in ("executed", "submitted")
    ] == []
    if conversation:
        status = await product.hub.status(conversation)
        assert (status.owner, status.expects) == ("closed", "text")


TRANSFER_STEPS = (
    ("amount asked", ("给李四转账", CODE, "tail"), "转多少钱", []),
    ("read back", ("五百块",), "五百元", ["cancelled"]),
    ("code asked", ("确认",), "验证码", ["cancelled"]),
    ("after payment", (CODE,), "转账成功", ["executed"]),
)


@pytest.mark.parametrize("step", range(len(TRANSFER_STEPS)), ids=[name for name, *_ in TRANSFER_STEPS])
async def test_an_order_nobody_can_confirm_any_more_is_withdrawn_and_one_that_was_paid_stays(
    product: Product, step: int
) -> None:
    async with calling(product) as phone:
        for _, acts, heard, _ in TRANSFER_STEPS[: step + 1]:
            for act in acts:
                said = await _does(phone, act)
            assert heard in said
    assert [order.status for order in await orders(product)] == TRANSFER_STEPS[step][-1]


async def _does(phone: Telephone, act: str) -> str:
    if act == "tail":
        return await _tail(phone)
    return await (phone.key(act, seconds=4.0) if act.isdigit() else phone.say(act))


async def test_of_a_caller_who_hangs_up_what_waits_below_and_with_an_agent_is_withdrawn_too(
    product: Product,
) -> None:
    agent = await on_duty(product)
    async with calling(product) as phone:
        await phone.say("给李四转五百块")
        await log_in(phone)
        assert "同意" in await phone.say("开通声纹")
        await phone.say("转人工")
        await product.handoff.claim(phone.conversation, agent, "王芳")
        assert [order.status for order in await orders(product)] == ["read_back", "read_back"]
    assert {order.status for order in await orders(product)} == {"cancelled"}
    assert (await product.hub.status(phone.conversation)).owner == "agent"


async def test_an_order_held_for_a_human_still_waits_for_one_after_the_caller_has_hung_up(
    product: Product,
) -> None:
    async with calling(product) as phone:
        await phone.say("查余额")
        await log_in(phone)
        await phone.say("对方让我转到安全账户")
        assert "同事和您核实" in await phone.say("给李四转五百块")
        assert [(order.status, order.needs_human) for order in await orders(product)] == [("drafted", True)]
    assert [order.status for order in await orders(product)] == ["drafted"]


async def _tail(phone: Telephone) -> str:
    return await phone.key(await keyed_tail(phone.product))


async def test_a_settlement_is_announced_while_the_call_goes_on(product: Product) -> None:
    async with calling(product) as phone:
        await phone.say("给房东转一百块")
        await log_in(phone)
        await phone.say("确认")
        await phone.key(CODE)
        await product.hub.settled()
        await phone.hears("转账成功")


async def test_a_caller_is_put_through_to_a_human_who_reads_and_answers_and_gives_them_back(
    product: Product,
) -> None:
    agent = await on_duty(product)
    async with calling(product) as phone:
        assert "转接人工" in await phone.say("转人工")
        await product.handoff.claim(phone.conversation, agent, "王芳")
        await phone.hears("王芳为您服务。")
        await phone.hears(words.AGENT_READS[-1])
        assert await phone.say("我的卡被吞了", seconds=10.0) == ""
        await product.handoff.agent_say(phone.conversation, agent, "在哪家网点？", "1")
        await phone.hears("在哪家网点？")
        assert "customer: 我的卡被吞了\nagent: 在哪家网点？" in await phone.log()
        await product.handoff.hand_back(phone.conversation, agent)
        await phone.hears("我继续帮您")
        await phone.say("查余额")
        assert phone.ears.expected is Expect.CODE


async def test_a_transfer_that_waits_comes_back_from_an_agent_with_its_keys(product: Product) -> None:
    agent = await on_duty(product)
    async with calling(product) as phone:
        await phone.say("给李四转五百块")
        assert "确认请按一" in await log_in(phone)
        await phone.key("0#")
        await product.handoff.claim(phone.conversation, agent, "王芳")
        await phone.hears(words.AGENT_READS[-1])
        told = len(phone.voice.said)
        await product.handoff.hand_back(phone.conversation, agent)
        await phone.hears("我继续帮您")
        await phone.rest(6.0)
        back = "".join(phone.voice.said[told:])
        assert "接着刚才的转账" in back and back.endswith("确认请按一，修改请按二，取消请按三。")
        assert phone.ears.expected is Expect.YES_NO
        assert "验证码" in await phone.key("1#")


async def test_who_waits_in_vain_is_offered_a_ticket_by_keys_that_work(product: Product) -> None:
    agent = await on_duty(product)
    async with calling(product) as phone:
        await phone.say("转人工")
        async with product.database.transaction() as session:
            await product.desk.set_presence(session, agent, "off")
        assert await product.handoff.sweep_unattended() == 1
        await phone.hears("要不要给您留一张工单")
        await phone.rest(4.0)
        assert phone.ears.phrases[:2] == ("留工单", "不用了")
        await phone.key("2#")
        assert "customer: 不用了" in await phone.log()


async def test_a_caller_and_the_agent_who_has_them_hear_each_other(product: Product) -> None:
    agent = await on_duty(product)
    async with calling(product) as phone:
        await phone.say("转人工")
        await product.handoff.claim(phone.conversation, agent, "王芳")
        with product.calls.join(phone.conversation) as sound:
            assert sound is not None
            await phone.hears(words.AGENT_HERE[-1])
            await phone.rest(3.0)
            listening = sound.listen()
            phone.call.heard(tone(1, value=88))
            await phone.timer.advance(0.02)
            assert await asyncio.wait_for(anext(listening), 5) == tone(1, value=88)
            sound.say(tone(5, value=7777))
            await phone.timer.advance(0.5)
            assert [value for _, kind, value in phone.call.tape if kind == "frame"].count(7777) == 5
            asked = len(phone.asked)
            await phone.say("我的卡被吞了")
            assert len(phone.asked) == asked
            await listening.aclose()
        await product.handoff.hand_back(phone.conversation, agent)
        await phone.hears("我继续帮您")


async def served(product: Product, phone: Telephone) -> None:
    """A colleague has had the caller, and has ended the service."""
    agent = await on_duty(product)
    await phone.say("转人工")
    await product.handoff.claim(phone.conversation, agent, "王芳")
    await phone.hears(words.AGENT_READS[-1])
    await product.handoff.close(phone.conversation, agent)
    await phone.hears(words.RATE[-1])


async def ratings(product: Product) -> list[int | None]:
    async with product.database.snapshot() as session:
        return list(await session.scalars(select(AgentService.score)))


async def test_a_caller_rates_the_service_by_a_key_and_the_board_counts_it(product: Product) -> None:
    async with calling(product) as phone:
        await served(product, phone)
        assert "打个分" not in "".join(phone.voice.said)  # that is for the chat
        said = await phone.key("2", seconds=10.0)
        assert words.RATED[0] in said and words.GOODBYE_CLOSED[0] in said
        await phone.rest(3.0)
        assert phone.call.over
    assert await ratings(product) == [4]
    now = product.clock.now()
    async with product.database.snapshot() as session:
        day = await board(session, now.astimezone(BANK_ZONE).date(), now)
    assert (day.csat_mean, day.csat_count) == (4.0, 1)


async def test_who_hangs_up_or_keys_nothing_has_not_rated(product: Product) -> None:
    async with calling(product) as phone:
        await served(product, phone)
        await phone.rest(20.0)
        assert words.GOODBYE_CLOSED[0] in phone.voice.said and phone.call.over
    assert await ratings(product) == [None]


async def test_a_caller_who_says_nothing_is_let_go_with_a_goodbye(product: Product) -> None:
    async with calling(product) as phone:
        await phone.rest(40.0)
        assert phone.voice.said[-2:] == [*words.GOODBYE_SILENT] and phone.call.over


async def test_who_hangs_up_in_the_queue_leaves_it(product: Product) -> None:
    await on_duty(product)
    async with calling(product) as phone:
        await phone.say("转人工")
        assert len(await product.handoff.queue()) == 1
    assert await product.handoff.queue() == []
    assert "客户已挂断电话" in await phone.log()


async def test_silence_is_answered_with_the_keys_that_are_there(product: Product) -> None:
    async with calling(product) as phone:
        await phone.rest(9.0)
        assert "查余额请按一，转账请按二，交电费请按三，转人工请按零。" in phone.voice.said


async def test_a_caller_who_falls_silent_is_taken_to_a_human_who_is_there(product: Product) -> None:
    await on_duty(product)
    async with calling(product) as phone:
        await phone.say("查余额")
        await phone.hears(words.HUMAN_SILENT[0])
        await phone.hears("转接人工")
        assert (await product.hub.status(phone.conversation)).owner == "queue"


async def test_a_call_without_ears_says_so_and_goes_by_keys(product: Product) -> None:
    async with calling(product, hearing=NoHearing()) as phone:
        await phone.rest(2.0)
        assert (
            phone.voice.said[:2] == [words.GREETING[0], words.DEAF] and "查余额请按一" in phone.voice.said[2]
        )
        assert "验证码已发" in await phone.key("1#")
        said = await log_in(phone)
        assert "余额" in said and said.endswith("查最近明细请按一，转账请按二，转人工请按零。")
        said = await phone.key("2#")
        assert "李四请按" in said and "说收款人" not in said


@asynccontextmanager
async def stock_telephone(
    product: Product, folder: Path, said: bytes, hearing: Hearing | None
) -> AsyncIterator[tuple[Baresip, asyncio.Queue[tuple[str, str]]]]:
    """baresip in a call with the whole product, in real time; the queue has what the hub was told and answered."""
    turns: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    receive = product.hub.receive

    async def watched(inbound: Inbound) -> Received:
        received = await receive(inbound)
        turns.put_nowait((inbound.text, "".join(reply.text for reply in received.replies)))
        return received

    settings = product.settings
    settings.phone_lines, settings.phone_sip_port = ("sip",), free_port()
    exchange = Exchange(product, hearing=hearing)
    folder.mkdir()
    with patch.object(product.hub, "receive", watched):
        async with (
            asyncio.timeout(90),
            telephone(exchange),
            baresip(folder, said=said) as phone,
        ):
            await phone.do("dial", f"sip:95000@127.0.0.1:{settings.phone_sip_port}")
            await phone.until("CALL_ESTABLISHED")
            yield phone, turns
            await phone.do("hangup")
    await exchange.close()


@pytest.mark.process
async def test_a_stock_telephone_gets_its_balance_by_keys_alone(product: Product, tmp_path: Path) -> None:
    async with stock_telephone(product, tmp_path / "phone", bytes(16_000 * 80), NoHearing()) as (
        phone,
        turns,
    ):
        said = ""
        for keys in ("1#", CODE, await keyed_tail(product)):
            for key in keys:
                await phone.do("sndcode", key)
            _, said = await turns.get()
        assert "登录成功" in said and "余额" in said
        # Until a second of voice has come out of it; another program writes the file.
        while sum(hz > 0 for hz in pitches(phone.heard())) < 10:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def noisy(pcm: bytes, rms: float) -> bytes:
    """The sound of a place where something hums and hisses all the time."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    hiss = np.random.default_rng(5).normal(0.0, rms, len(samples))
    hum = rms * np.sin(2 * np.pi * 100 * np.arange(len(samples)) / SAMPLE_RATE_HZ)
    return np.clip(samples + hiss + hum, -32768, 32767).astype("<i2").tobytes()


@pytest.mark.process
@pytest.mark.parametrize("noise_rms", [0.0, 150.0])
async def test_a_stock_telephone_speaks_into_the_greeting_and_is_understood(
    product: Product, tmp_path: Path, noise_rms: float
) -> None:
    """A voice, telephone sound, the bundled ears: an interruption that is heard, answered and done."""
    words = b"".join([pcm async for pcm in EspeakSpeaker().speak("查余额", 1.0)])
    said = (bytes(16_000 * 2) + words + bytes(16_000 * 6)) * 10  # as often as a caller would try
    said = noisy(said, noise_rms)
    async with stock_telephone(product, tmp_path / "phone", said, None) as (_, turns):
        heard, answer = await turns.get()
        while "余额" not in heard:
            heard, answer = await turns.get()
        assert "验证码已发" in answer


class _FailsAfterwards:
    """The hub, of which one query fails as soon as a message has been received."""

    def __init__(self, hub: object, query: str) -> None:
        self._hub, self._query, self._received = hub, query, False

    async def receive(self, inbound: Inbound) -> Received:
        received: Received = await self._hub.receive(inbound)  # type: ignore[attr-defined]
        self._received = True
        return received

    async def _broken(self, *_: object) -> None:
        raise OSError

    def __getattr__(self, name: str) -> object:
        return self._broken if self._received and name == self._query else getattr(self._hub, name)


@pytest.mark.parametrize("query", ["status", "history", "spoken_password", "names"])
async def test_a_caller_whose_money_has_moved_is_told_so_whatever_is_asked_of_the_bank_afterwards(
    product: Product, query: str
) -> None:
    async with calling(product) as phone:
        await phone.say("给李四转五百块")
        await log_in(phone)
        assert "验证码" in await phone.say("确认")
        assert phone.assistant is not None
        phone.assistant._hub = _FailsAfterwards(product.hub, query)  # type: ignore[assignment]
        if query == "names":
            phone.assistant._vocabulary = _FailsAfterwards(product.hub, query)._broken  # type: ignore[assignment]
        said = await phone.key(CODE, seconds=4.0)
        assert "转账成功" in said and "没有动" not in said and phone.ears.expected is Expect.WORDS
    assert [order.status for order in await orders(product)] == ["executed"]


async def test_a_turn_whose_outcome_nobody_knows_claims_nothing_about_the_money() -> None:
    assert not any("钱" in piece for piece in words.TURN_BROKE)
    assert "还不确定" in words.TURN_BROKE[0] and "先查一下" in words.TURN_BROKE[1]
