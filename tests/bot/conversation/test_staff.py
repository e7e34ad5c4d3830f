"""What agents may do with a conversation, on the real bank: help, note, pass on, take over, hand back, close."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import cycle, islice

import pytest
from sqlalchemy import select

from banking_core.audit.models import AuditRecord
from bot.assembly import Product
from bot.conversation.errors import ConversationError, NotOwner, NotQueued, ProposalRefused
from bot.conversation.models import AgentService, Conversation, Message
from bot.conversation.ratings import RATE_AFTERWARDS
from bot.dialogue.state import DialogueState, Frame
from desk.models import DeskAgent
from tests.bot.conversation.looking import facts_of, history_of, notes_of
from tests.bot.conversation.talking import Talk, product

__all__ = ["product"]

WANG, LI, BOSS = ("agent-wang", "小王"), ("agent-li", "小李"), ("agent-chen", "陈主管")
TRANSFER = "给李四转500"


@pytest.fixture
async def duty(product: Product) -> None:
    """Three are at the desk, so that a customer who asks is put in the queue."""
    async with product.database.transaction() as session:
        for agent_id, name in (WANG, LI, BOSS):
            agent = DeskAgent(
                id=agent_id,
                username=agent_id,
                display_name=name,
                password_hash="",
                team="信贷组" if agent_id == LI[0] else "",
                created_at=product.clock.now(),
            )
            session.add(agent)
            await session.flush()
            await product.desk.set_presence(session, agent_id, "on_duty")


@pytest.fixture
async def talk(product: Product, duty: None) -> Talk:
    """A customer with a transfer half done who has been taken by 小王."""
    talk = await Talk(product).begin()
    await talk.say("给李四转账")
    await talk.say("转人工")
    await product.handoff.claim(talk.conversation, *WANG)
    return talk


async def services(product: Product) -> list[AgentService]:
    async with product.database.snapshot() as session:
        return list(await session.scalars(select(AgentService).order_by(AgentService.began_at)))


async def acts(product: Product, conversation_id: str) -> list[str]:
    async with product.database.snapshot() as session:
        rows = await session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == conversation_id).order_by(AuditRecord.id)
        )
        return [row.action.removeprefix("conversation.") for row in rows]


async def words(product: Product, conversation_id: str) -> str:
    return "\n".join(message["text"] for message in await product.hub.history(conversation_id))


# --- helping ---------------------------------------------------------------------------------------------------


async def test_the_agent_sees_the_form_with_what_is_filled_in_and_what_is_asked(
    product: Product, talk: Talk
) -> None:
    facts = await facts_of(product.handoff, talk.conversation)
    form = {row["label"]: row for row in facts["form"]}
    assert facts["skill"] == "转账" and facts["phase"] == "还在填"
    assert form["收款人"]["shown"] and "李四" not in form["收款人"]["shown"]
    assert form["金额"] == {
        "name": "amount",
        "label": "金额",
        "shown": "",
        "asking": True,
        "question": form["金额"]["question"],
    }
    history = await history_of(product.handoff, talk.conversation)
    assert history[0]["topic"] == "转账"


async def test_a_form_that_is_full_is_not_told_as_one_still_being_filled_in(product: Product) -> None:
    talk = await Talk(product).begin()
    await talk.say("给李四转900")
    await talk.say("转人工")
    facts = await facts_of(product.handoff, talk.conversation)
    assert facts["order_number"] and facts["phase"] == "填好了，还没有确认"


async def test_a_proposed_value_is_filled_in_only_by_the_customer_s_own_word(
    product: Product, talk: Talk
) -> None:
    message = await product.handoff.propose(talk.conversation, WANG[0], "amount", "五百", "client-1")
    assert message["sender"] == "agent" and "500.00元" in message["text"]
    assert [choice["say"] for choice in message["choices"]] == ["采用", "不采用"]
    facts = await facts_of(product.handoff, talk.conversation)
    assert facts["proposal"] == {"slot": "amount", "label": "金额", "shown": "500.00元"}
    assert {row["label"]: row["shown"] for row in facts["form"]}["金额"] == ""
    await talk.say("采用")
    facts = await facts_of(product.handoff, talk.conversation)
    assert facts["proposal"] is None
    assert {row["label"]: row["shown"] for row in facts["form"]}["金额"] == "500.00元"
    assert await talk.orders() == [], "nothing is drafted while the agent has the conversation"


async def test_however_far_an_agent_helps_only_the_customer_confirms(product: Product, talk: Talk) -> None:
    """Every slot proposed and taken, every word an agent can say said: still no order; then the customer's turn."""
    await product.handoff.propose(talk.conversation, WANG[0], "amount", "500", "client-1")
    await talk.say("好的")
    for number, said in enumerate(("确认", "确认转账", "是的，确认")):
        await product.handoff.agent_say(talk.conversation, WANG[0], said, f"say-{number}")
    with pytest.raises(ConversationError):
        await product.handoff.propose(talk.conversation, WANG[0], "confirm", "确认", "client-2")
    await talk.say("确认")  # to the agent; the assistant does not hear it
    assert await talk.orders() == []
    await product.handoff.hand_back(talk.conversation, *WANG[:1])
    [order] = await talk.orders()
    assert order.status == "read_back", "read back to the customer, and waiting for them"
    said = await words(product, talk.conversation)
    assert "500.00" in said
    await talk.say("确认")
    [order] = await talk.orders()
    assert order.status in ("confirmed", "authorised", "executed", "submitted", "waiting")


async def test_a_read_back_before_the_agent_came_cannot_be_confirmed_after_a_change(
    product: Product, duty: None
) -> None:
    talk = await Talk(product).begin()
    await talk.say(TRANSFER)
    [before] = await talk.orders()
    await talk.say("转人工")
    await product.handoff.claim(talk.conversation, *WANG)
    await product.handoff.propose(talk.conversation, WANG[0], "amount", "600", "client-1")
    await talk.say("采用")
    await product.handoff.hand_back(talk.conversation, WANG[0])
    orders = {order.id: order for order in await talk.orders()}
    assert orders[before.id].status == "cancelled"
    [after] = [order for order in orders.values() if order.id != before.id]
    assert (after.amount_fen, after.status) == (60000, "read_back")


@pytest.mark.parametrize(
    ("answers", "filled"),
    [
        (["不采用"], ""),
        (["不对"], ""),
        (["采用。"], "500.00元"),
        (["等一下，我看看", "采用"], "500.00元"),
        (["等一下，我看看", "好的"], ""),
    ],
)
async def test_a_plain_yes_counts_only_right_after_the_proposal(
    product: Product, talk: Talk, answers: list[str], filled: str
) -> None:
    await product.handoff.propose(talk.conversation, WANG[0], "amount", "500", "client-1")
    for answer in answers:
        await talk.say(answer)
    facts = await facts_of(product.handoff, talk.conversation)
    assert {row["label"]: row["shown"] for row in facts["form"]}["金额"] == filled


@pytest.mark.parametrize(
    ("slot", "text"),
    [("amount", "随便"), ("amount", "-5"), ("amount", ""), ("payee", ""), ("nothing", "500")],
)
async def test_a_value_that_cannot_be_is_refused_with_a_reason_and_shown_to_nobody(
    product: Product, talk: Talk, slot: str, text: str
) -> None:
    before = await words(product, talk.conversation)
    with pytest.raises(ProposalRefused) as refused:
        await product.handoff.propose(talk.conversation, WANG[0], slot, text, "client-1")
    assert refused.value.customer_text
    assert await words(product, talk.conversation) == before


async def test_a_proposal_sent_twice_is_made_once_and_goes_with_its_agent(
    product: Product, talk: Talk
) -> None:
    first = await product.handoff.propose(talk.conversation, WANG[0], "amount", "500", "client-1")
    again = await product.handoff.propose(talk.conversation, WANG[0], "amount", "500", "client-1")
    assert first["seq"] == again["seq"]
    await product.handoff.pass_on(talk.conversation, WANG[0], LI)
    await talk.say("采用")
    assert {r["label"]: r["shown"] for r in (await facts_of(product.handoff, talk.conversation))["form"]}[
        "金额"
    ] == ""


async def test_nothing_is_proposed_for_a_stranger_or_a_log_in(product: Product, duty: None) -> None:
    stranger = Talk(product)
    stranger.conversation = await product.hub.open("web")
    await stranger.say(TRANSFER)
    await stranger.say("转人工")
    await product.handoff.claim(stranger.conversation, *WANG)
    assert (await facts_of(product.handoff, stranger.conversation))["form"] == []
    with pytest.raises(ProposalRefused):
        await product.handoff.propose(stranger.conversation, WANG[0], "phone", "13800000004", "client-1")


# --- notes -----------------------------------------------------------------------------------------------------


async def test_notes_whispers_and_summaries_are_no_messages(product: Product, talk: Talk) -> None:
    async with product.hub.events.subscribe(talk.conversation) as events:
        await product.handoff.add_note(talk.conversation, WANG[0], "客户耳背，密码：abc12345")
        product.clock.advance(seconds=1)  # type: ignore[attr-defined]
        await product.handoff.whisper(talk.conversation, BOSS, "先安抚")
        await product.handoff.pass_on(talk.conversation, WANG[0], LI, "卡在金额")
        await product.handoff.hand_back(talk.conversation, LI[0], "", "已说明费用")
        told = [events.get_nowait() for _ in range(events.qsize())]
    secret_words = ("耳背", "安抚", "卡在金额", "已说明费用")
    async with product.database.snapshot() as session:
        log = [message.text for message in await session.scalars(select(Message))]
    assert not any(word in str(log) + str(told) for word in secret_words)
    notes = await notes_of(product.handoff, talk.conversation)
    assert [(note["kind"], note["author_name"]) for note in notes] == [
        ("note", "小王"),
        ("whisper", "陈主管"),
        ("transfer", "小王"),
        ("summary", "小李"),
    ]
    assert "abc12345" not in str(notes)
    received = await talk.say("好")
    assert not any(word in received for word in secret_words)


async def test_only_who_has_the_customer_notes_and_a_whisper_needs_a_listener(
    product: Product, talk: Talk
) -> None:
    with pytest.raises(NotOwner):
        await product.handoff.add_note(talk.conversation, LI[0], "我也看看")
    await product.handoff.hand_back(talk.conversation, WANG[0])
    with pytest.raises(NotOwner):
        await product.handoff.whisper(talk.conversation, BOSS, "喂")
    assert await notes_of(product.handoff, talk.conversation) == []


# --- passing on ------------------------------------------------------------------------------------------------


async def test_a_colleague_has_the_customer_at_once_and_the_one_before_no_more(
    product: Product, talk: Talk
) -> None:
    await product.handoff.pass_on(talk.conversation, WANG[0], LI, "客户要改手机号")
    assert await product.handoff.mine(LI[0]) == [talk.conversation]
    with pytest.raises(NotOwner):
        await product.handoff.agent_say(talk.conversation, WANG[0], "我还在", "late-1")
    await product.handoff.agent_say(talk.conversation, LI[0], "您好", "li-1")
    first, second = await services(product)
    assert (first.ended_how, first.passed_to, second.agent_id) == ("transferred", LI[0], LI[0])
    assert (await acts(product, talk.conversation))[-2:] == ["claimed", "transferred"]
    assert "小李为您服务" in await words(product, talk.conversation)


async def test_a_team_finds_the_customer_in_the_queue_at_the_old_place(product: Product, talk: Talk) -> None:
    status = await product.handoff.queue()
    assert status == []
    await product.handoff.pass_to_team(talk.conversation, WANG[0], "信贷组", "问房贷")
    [line] = await product.handoff.queue()
    assert (line.team, line.reason) == ("信贷组", "transferred")
    assert "信贷组" in await words(product, talk.conversation)
    await product.handoff.claim(talk.conversation, *LI)
    [line_of_service] = [s for s in await services(product) if s.agent_id == LI[0]]
    assert line_of_service.reason == "transferred"


async def test_taking_over_is_one_act_from_an_agent_or_the_queue(product: Product, talk: Talk) -> None:
    await product.handoff.take_over(talk.conversation, *BOSS)
    await product.handoff.take_over(talk.conversation, *BOSS)  # the answer was lost: again is fine
    with pytest.raises(NotOwner):
        await product.handoff.agent_say(talk.conversation, WANG[0], "我还在", "late-1")
    first, second = await services(product)
    assert (first.ended_how, first.passed_to, second.agent_id) == ("taken_over", BOSS[0], BOSS[0])
    await product.handoff.hand_back(talk.conversation, BOSS[0])
    with pytest.raises(NotQueued):
        await product.handoff.take_over(talk.conversation, *BOSS)
    await talk.say("转人工")
    await product.handoff.take_over(talk.conversation, *BOSS)
    assert [item.agent_name for item in await product.handoff.served()] == ["陈主管"]


async def test_every_act_of_a_wrong_agent_is_refused(product: Product, talk: Talk) -> None:
    handoff, conversation, li = product.handoff, talk.conversation, LI[0]
    tries: list[Callable[[], Awaitable[object]]] = [
        lambda: handoff.agent_say(conversation, li, "x", "c"),
        lambda: handoff.propose(conversation, li, "amount", "500", "c"),
        lambda: handoff.add_note(conversation, li, "x"),
        lambda: handoff.pass_on(conversation, li, WANG, "x"),
        lambda: handoff.pass_to_team(conversation, li, "信贷组", "x"),
        lambda: handoff.hand_back(conversation, li, "x", "x"),
        lambda: handoff.requeue(conversation, li, "agent_absent"),
        lambda: handoff.close(conversation, li, "solved"),
    ]
    before = await words(product, conversation)
    for attempt in tries:
        with pytest.raises(NotOwner):
            await attempt()
    assert await words(product, conversation) == before
    assert await handoff.mine(WANG[0]) == [conversation]


# --- the end ---------------------------------------------------------------------------------------------------


async def test_handed_back_the_assistant_goes_on_with_what_it_knew_and_says_so(
    product: Product, talk: Talk
) -> None:
    await product.handoff.hand_back(talk.conversation, WANG[0], "已核对身份", "客户只差金额")
    said = await words(product, talk.conversation)
    assert "交回给我了" in said and "同事留言：已核对身份" in said and "接着刚才的转账" in said
    assert "只差金额" not in said
    await talk.say("500")
    [order] = await talk.orders()
    assert order.amount_fen == 50000


async def test_a_rating_goes_to_the_service_that_was_closed(product: Product, talk: Talk) -> None:
    await product.handoff.pass_on(talk.conversation, WANG[0], LI)
    await product.handoff.close(talk.conversation, LI[0], "solved")
    assert await product.hub.rate(talk.conversation, 4, "很好，我的卡号6222020200112233445") is True
    assert await product.hub.rate(talk.conversation, 1, "") is False, "once"
    first, second = await services(product)
    assert (first.score, second.score, second.wrap_up, second.agent_id) == (None, 4, "solved", LI[0])
    assert second.comment == "很好，我的卡号****3445"
    assert second.rated_at == product.clock.now()


async def may_rate(product: Product, talk: Talk) -> bool:
    return (await product.hub.status(talk.conversation)).can_rate


async def test_whoever_writes_on_after_the_close_can_still_rate_for_a_day(
    product: Product, talk: Talk
) -> None:
    await product.handoff.close(talk.conversation, WANG[0], "solved")
    await talk.say("你好")
    await talk.say("取消")
    assert await may_rate(product, talk)
    product.clock.advance(seconds=24 * 3600 - 1)  # type: ignore[attr-defined]
    assert await may_rate(product, talk)
    product.clock.advance(seconds=1)  # type: ignore[attr-defined]
    assert not await may_rate(product, talk)
    assert await product.hub.rate(talk.conversation, 4, "") is False


async def test_a_rating_written_after_other_words_goes_to_the_service_before_them(
    product: Product, talk: Talk
) -> None:
    await product.handoff.close(talk.conversation, WANG[0], "solved")
    await talk.say("你好")
    await talk.say("取消")
    assert await product.hub.rate(talk.conversation, 3, "") is True
    assert [(s.agent_id, s.score) for s in await services(product)] == [(WANG[0], 3)]


async def test_after_a_hand_back_the_rating_is_asked_for_when_the_business_is_over_and_not_before(
    product: Product, talk: Talk
) -> None:
    await product.handoff.hand_back(talk.conversation, WANG[0])
    assert RATE_AFTERWARDS not in await words(product, talk.conversation)
    assert not await may_rate(product, talk)
    assert await product.hub.rate(talk.conversation, 5, "") is False, (
        "a digit is the amount that is asked for"
    )
    said = await talk.say("取消")
    assert said.endswith(RATE_AFTERWARDS)
    assert await may_rate(product, talk)
    assert RATE_AFTERWARDS not in await talk.say("你好"), "once"
    await talk.say("取消")
    assert await product.hub.rate(talk.conversation, 5, "") is True
    assert [(s.ended_how, s.score) for s in await services(product)] == [("handed_back", 5)]


async def test_handed_back_with_nothing_under_way_the_rating_is_asked_for_at_once(
    product: Product, duty: None
) -> None:
    talk = await Talk(product).begin()
    await talk.say("转人工")
    await product.handoff.claim(talk.conversation, *WANG)
    await product.handoff.hand_back(talk.conversation, WANG[0])
    assert RATE_AFTERWARDS in await words(product, talk.conversation)
    assert await may_rate(product, talk)
    await talk.say("转人工")
    assert not await may_rate(product, talk), "not while waiting for somebody else"
    await product.handoff.claim(talk.conversation, *LI)
    await product.handoff.close(talk.conversation, LI[0], "solved")
    await product.hub.rate(talk.conversation, 5, "")
    assert [(s.agent_id, s.score) for s in await services(product)] == [(WANG[0], None), (LI[0], 5)]


async def test_each_service_of_one_conversation_keeps_its_own_rating(product: Product, talk: Talk) -> None:
    await product.handoff.close(talk.conversation, WANG[0], "solved")
    await product.hub.rate(talk.conversation, 2, "")
    product.clock.advance(seconds=10)  # type: ignore[attr-defined]
    await talk.say("转人工")
    await product.handoff.claim(talk.conversation, *LI)
    await product.handoff.close(talk.conversation, LI[0], "solved")
    await product.hub.rate(talk.conversation, 5, "")
    assert [(s.agent_id, s.score) for s in await services(product)] == [(WANG[0], 2), (LI[0], 5)]


ODD_VALUES = (
    "五百",
    "张三",
    "尾号6789",
    "明年二月三十号",
    "是",
    "全部",
    "水费",
    "0" * 40,
    "<b>粗</b>",
    "𠮷" * 50,
)


async def test_for_no_field_of_any_business_is_any_value_a_fault_or_an_order(
    product: Product, talk: Talk
) -> None:
    """Every slot of every skill: a value is put before the customer or refused with a sentence."""
    put, refused, values = 0, 0, cycle(ODD_VALUES)
    for skill in product.registry:
        for slot in skill.slots:
            async with product.database.transaction() as session:
                conversation = await session.get(Conversation, talk.conversation)
                assert conversation is not None
                conversation.state = DialogueState(stack=[Frame(skill=skill.intent)]).to_json()
            for number, value in enumerate(islice(values, 2)):
                client_id = f"{skill.intent}-{slot.name}-{number}"
                try:
                    await product.handoff.propose(talk.conversation, WANG[0], slot.name, value, client_id)
                    put += 1
                except ProposalRefused as refusal:
                    assert refusal.customer_text.strip()
                    refused += 1
    assert put > 10 and refused > 10, (put, refused)
    assert await talk.orders() == []
