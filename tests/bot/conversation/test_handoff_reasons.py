"""Why a customer comes to a human is a code, reached from the dialogue; and of many who claim them one wins."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from banking_core.clock import ManualClock
from banking_core.customers.models import Customer
from banking_core.risk.rules import Rules
from banking_core.risk.service import Risk
from bot.assembly import Product, build_product
from bot.conversation.errors import AlreadyClaimed, NothingHeld, NotOwner
from bot.conversation.models import Conversation
from bot.conversation.views import Inbound
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import settings_for
from bot.settings import Settings
from desk.errors import FullyLoaded
from desk.models import Case, DeskAgent
from migrations import upgrade
from tests.bot.conversation.looking import facts_of
from tests.bot.conversation.talking import TOPUP, Hears, Talk, product
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url", "product"]

STOP = """
version: 9
rules:
  - {id: stop, when: kind_topup, verdict: human, reason: 先看看, customer_text: 这笔要先由同事和您核实。, mode: live}
"""


async def on_duty(product: Product, *usernames: str, max_load: int = 5) -> list[str]:
    """Agents at the desk; their ids."""
    ids = []
    async with product.database.transaction() as session:
        for username in usernames:
            agent_id = await product.desk.add_agent(session, username, username, "", max_load=max_load)
            agent = await session.get(DeskAgent, agent_id)
            assert agent is not None
            agent.certifications = ["anti_fraud"]
            await session.flush()
            await product.desk.set_presence(session, agent_id, "on_duty")
            ids.append(agent_id)
    return ids


@pytest.fixture
async def talk(product: Product) -> Talk:
    await on_duty(product, "xiaowang")
    return await Talk(product).begin()


async def waiting(talk: Talk) -> tuple[str, str | None]:
    """Who has the conversation, and the reason of the case under way."""
    under_way = select(Case).where(Case.conversation_id == talk.conversation, Case.ended_at.is_(None))
    async with talk.product.database.snapshot() as session:
        conversation = await session.get(Conversation, talk.conversation)
        case = await session.scalar(under_way)
    assert conversation is not None
    assert case is None or conversation.handoff_reason == case.reason
    return conversation.owner, case.reason if case else None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (["转人工"], "asked"),
        (["咕噜咕噜", "叽里呱啦", "哗啦哗啦", "好的"], "clarification_failed"),
        (["咕噜咕噜", "叽里呱啦", "哗啦哗啦", "转人工"], "clarification_failed"),
        (["叫你们经理出来"], "complaint"),
        (["你们这个垃圾银行"], "complaint"),
        (["我已经打12378投诉你们了"], "complaint"),
        (["我不想活了"], "distress"),
        (["我一辈子的积蓄都没了"], "distress"),
        ([TOPUP, "有人威胁我"], "distress"),
        (["急死我了", "转人工"], "distress"),
        (["对方让我转到安全账户", "转人工"], "scam"),
    ],
)
async def test_what_the_customer_says_decides_the_reason(talk: Talk, said: list[str], reason: str) -> None:
    for text in said:
        await talk.say(text)
    assert await waiting(talk) == ("queue", reason)


@pytest.mark.parametrize(
    "said", ["气死我了给自己充50话费", "破银行给自己充50话费", "12378投诉电话是多少", "意外险死了怎么赔"]
)
async def test_an_angry_word_beside_a_clear_wish_or_in_a_question_fetches_nobody(
    talk: Talk, said: str
) -> None:
    await talk.say(said)
    assert await waiting(talk) == ("bot", None)


async def test_money_that_the_risk_area_stops_is_a_human_s_matter(talk: Talk) -> None:
    talk.product.bank.orders.use_risk(Risk(rules=Rules.parse(STOP)))
    await talk.say(TOPUP)
    await talk.say("确认")
    assert await waiting(talk) == ("queue", "risk")


async def claimed(talk: Talk) -> str:
    """The agent of the fixture has the customer; their id."""
    async with talk.product.database.snapshot() as session:
        agent = await talk.product.desk.agent_named(session, "xiaowang")
    assert agent is not None
    await talk.product.handoff.claim(talk.conversation, agent.id, "小王")
    return agent.id


async def last_code(talk: Talk) -> str:
    """The code in the newest text message to the demo's customer."""
    sandbox = talk.product.bank.providers.sandbox_sms
    assert sandbox is not None
    found = re.search(r"\d{6}", (await sandbox.recent(1))[0].text)
    assert found is not None
    return found[0]


async def test_what_was_held_is_done_once_an_agent_has_made_sure_and_the_customer_confirms(
    talk: Talk,
) -> None:
    talk.product.bank.orders.use_risk(Risk(rules=Rules.parse(STOP)))
    handoff = talk.product.handoff
    await talk.say(TOPUP)
    agent = await claimed(talk)
    facts = await facts_of(handoff, talk.conversation)
    assert facts["held"] and facts["phase"] == "等坐席核实"
    assert [order["verdict"] for order in facts["orders"]] == ["人工核实"]
    await handoff.vouch(talk.conversation, agent, "核对了证件和开户网点")
    [order] = await talk.orders()
    assert order.status == "drafted", "the agent never confirms in the customer's place"
    await handoff.hand_back(talk.conversation, agent)
    assert "请您核对" in (await talk.product.hub.history(talk.conversation))[-1]["text"]
    assert "验证码" in await talk.say("确认"), "whatever the kind asks for, a held order takes a code"
    assert "已受理" in await talk.say(await last_code(talk))
    assert [one.status for one in await talk.orders()] == ["submitted"]


async def test_nobody_is_vouched_for_by_another_agent_or_when_nothing_is_held(talk: Talk) -> None:
    talk.product.bank.orders.use_risk(Risk(rules=Rules.parse(STOP)))
    await talk.say(TOPUP)
    agent = await claimed(talk)
    with pytest.raises(NotOwner):
        await talk.product.handoff.vouch(talk.conversation, "another", "核实了")
    await talk.product.handoff.hand_back(talk.conversation, agent)
    said = (await talk.product.hub.history(talk.conversation))[-1]["text"]
    assert "还要由同事和您核实" in said and "接着刚才" not in said
    assert await waiting(talk) == ("bot", None), "who has just been there is not fetched again unasked"
    assert "还要由同事和您核实" in await talk.say("确认")
    with pytest.raises(NotOwner):
        await talk.product.handoff.vouch(talk.conversation, agent, "核实了")
    await talk.say("取消")
    assert {order.status for order in await talk.orders()} == {"cancelled"}
    await talk.say("转人工")
    await claimed(talk)
    with pytest.raises(NothingHeld):
        await talk.product.handoff.vouch(talk.conversation, agent, "核实了")


async def test_another_amount_is_held_anew(talk: Talk) -> None:
    talk.product.bank.orders.use_risk(Risk(rules=Rules.parse(STOP)))
    await talk.say(TOPUP)
    agent = await claimed(talk)
    await talk.product.handoff.vouch(talk.conversation, agent, "核对了证件")
    await talk.product.handoff.hand_back(talk.conversation, agent)
    await talk.say("改成充100")
    assert await waiting(talk) == ("queue", "risk")
    assert [order.vouched_by is None for order in await talk.orders()] == [False, True]


async def test_whoever_could_not_prove_themself_is_known_as_such(talk: Talk) -> None:
    await talk.say("给李四转900")
    await talk.say("确认")
    for _ in range(3):
        said = await talk.say("000000")
    assert "作废" in said
    await talk.say("转人工")
    assert await waiting(talk) == ("queue", "verification_failed")


async def test_a_vip_is_served_as_one(talk: Talk) -> None:
    async with talk.product.database.transaction() as session:
        for customer in await session.scalars(select(Customer)):
            customer.level = "vip"
    await talk.say("转人工")
    assert await waiting(talk) == ("queue", "vip")


async def test_the_queue_shows_what_it_is_about_rather_than_the_wish_for_a_person(talk: Talk) -> None:
    async def shown() -> str:
        return (await talk.product.handoff.queue())[0].last_text

    await talk.say("转人工")
    assert await shown() == "转人工", "nothing else was said"
    await talk.say("取消排队")
    for text in ("给李四转900", "确认", "000000"):
        await talk.say(text)
    await talk.say("转人工")
    assert await shown() == "确认", "a code that was blotted out tells nothing"
    await talk.say("卡被吞了")
    assert await shown() == "卡被吞了"


async def test_the_lists_of_the_desk_ask_no_more_often_for_many_customers_than_for_one(
    product: Product,
) -> None:
    [agent_id] = await on_duty(product, "xiaowang")

    async def asked() -> tuple[int, int]:
        """Statements for the queue and for those served."""
        counts = []
        for look in (product.handoff.queue, product.handoff.served):
            statements: list[str] = []

            def note(*arguments: object, seen: list[str] = statements) -> None:
                seen.append(str(arguments[2]))

            event.listen(product.database.engine.sync_engine, "before_cursor_execute", note)
            await look()
            event.remove(product.database.engine.sync_engine, "before_cursor_execute", note)
            counts.append(len(statements))
        return counts[0], counts[1]

    async def come(text: str) -> Talk:
        talk = await Talk(product).begin()
        await talk.say(text)
        await talk.say("转人工")
        return talk

    served = await come("我的卡被吞了")
    await product.handoff.claim(served.conversation, agent_id, "小王")
    await come("挂失以后多久能补卡")
    alone = await asked()
    for text in ("理财什么时候到期", "手机号怎么换"):
        held = await come(text)
        await product.handoff.claim(held.conversation, agent_id, "小王")
        await come(text)
    assert await asked() == alone
    shown = {line.last_text for line in await product.handoff.queue()}
    assert shown == {"挂失以后多久能补卡", "理财什么时候到期", "手机号怎么换"}, "each their own words"
    assert {line.last_text for line in await product.handoff.served()} == {"转人工"}, "their very last words"


async def test_the_more_urgent_is_ahead_and_the_others_hear_of_it(product: Product) -> None:
    await on_duty(product, "xiaowang")
    first, second = await Talk(product).begin(), await Talk(product).begin()
    await first.say("转人工")
    assert "前面还有" not in await second.say("我不想活了")
    assert (await product.hub.status(first.conversation)).queue_position == 2
    assert [item.conversation_id for item in await product.handoff.queue()] == [
        second.conversation,
        first.conversation,
    ]


async def test_without_a_certified_agent_a_swindler_s_victim_is_told_and_called_back(
    product: Product,
) -> None:
    await on_duty(product, "xiaowang")
    async with product.database.transaction() as session:
        for agent in await session.scalars(select(DeskAgent)):
            agent.certifications = []
    talk = await Talk(product).begin()
    await talk.say("对方让我转到安全账户")
    assert "紧急回电" in await talk.say("转人工")
    assert await waiting(talk) == ("bot", None)


async def test_at_night_the_customer_hears_when_somebody_is_back_and_when_they_are_called(
    product: Product,
) -> None:
    product.clock.advance(seconds=13 * 3600)  # type: ignore[attr-defined]  # half past eleven in the evening
    talk = await Talk(product).begin()
    told = await talk.say("转人工")
    assert "现在都不在线，明天8:00上班" in told and "每天8:00至22:00" in told
    await talk.say("留工单")
    assert "明天10:00前给您回电话" in await talk.say("卡在商场刷不了")


async def test_when_the_last_agent_who_may_serve_leaves_the_customer_is_told(
    product: Product, talk: Talk
) -> None:
    await talk.say("转人工")
    product.clock.advance(seconds=46)  # type: ignore[attr-defined]
    assert await product.handoff.sweep_unattended() == 1
    newest = (await product.hub.history(talk.conversation))[-1]
    assert "不在线" in newest["text"]
    async with product.database.snapshot() as session:
        case = await session.scalar(select(Case))
    assert case is not None and case.outcome == "unattended"


# --- many at once, on both engines -----------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return settings_for(tmp_path)
    return settings_for(tmp_path, database_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
async def busy(settings: Settings) -> AsyncIterator[Product]:
    """A product without customers of its own; visitors will do."""
    await upgrade(settings.database_url, vault=settings.open_vault())
    product = build_product(settings, clock=ManualClock(MOMENT), understander=Hears())
    await product.start()
    yield product
    await product.close()


async def visitor(product: Product) -> str:
    """A visitor who waits."""
    conversation = await product.hub.open("web")
    await product.hub.receive(Inbound(conversation, "m1", "转人工"))
    return conversation


async def test_of_many_agents_who_claim_one_customer_exactly_one_gets_them(busy: Product) -> None:
    agents = await on_duty(busy, *(f"agent{number}" for number in range(12)))
    conversation = await visitor(busy)
    outcomes = await asyncio.gather(
        *(busy.handoff.claim(conversation, agent, agent) for agent in agents), return_exceptions=True
    )
    assert [
        outcome for outcome in outcomes if outcome is not None and not isinstance(outcome, AlreadyClaimed)
    ] == []
    assert outcomes.count(None) == 1
    winner = agents[outcomes.index(None)]
    assert await busy.handoff.mine(winner) == [conversation]
    said = await busy.hub.history(conversation)
    assert sum("为您服务" in message["text"] for message in said) == 1
    async with busy.database.snapshot() as session:
        [case] = (await session.scalars(select(Case))).all()
    assert case.agent_id == winner


async def test_however_many_an_agent_claims_at_once_their_load_holds(busy: Product) -> None:
    [agent] = await on_duty(busy, "agent", max_load=3)
    waiting = [await visitor(busy) for _ in range(8)]
    outcomes = await asyncio.gather(
        *(busy.handoff.claim(conversation, agent, "agent") for conversation in waiting),
        return_exceptions=True,
    )
    assert outcomes.count(None) == 3
    assert sum(isinstance(outcome, FullyLoaded) for outcome in outcomes) == 5
    assert len(await busy.handoff.mine(agent)) == 3
    assert len(await busy.handoff.queue()) == 5


async def urgent(product: Product) -> list[tuple[str, str, str]]:
    """Calls the bank owes by itself: the number it calls, the conversation, and what the agent reads."""
    async with product.database.transaction() as session:
        tickets = await product.desk.list_tickets(session, "a1")
    return [(t.phone, t.conversation_id, t.content) for t in tickets if t.urgent and t.kind == "bank"]


async def test_who_is_in_distress_at_night_is_called_without_having_to_ask(product: Product) -> None:
    """Nobody is promised who is not there; the call goes to the bank's own number of the customer, once."""
    talk = await Talk(product).begin()
    said = await talk.say("我不想活了")
    assert "110或120" in said and "同事会在" in said and "尾号0004" in said and "留工单" not in said
    assert "马上请同事" not in said
    await talk.say("我真的不想活了")
    [(phone, conversation, content)] = await urgent(product)
    assert (phone, conversation) == ("13800000004", talk.conversation)
    assert "情绪危急" in content


async def test_an_order_that_was_stopped_with_nobody_there_is_called_about(product: Product) -> None:
    product.bank.orders.use_risk(Risk(rules=Rules.parse(STOP)))
    talk = await Talk(product).begin()
    assert "工单编号GD" in await talk.say(TOPUP)
    assert "风险核实" in (await urgent(product))[0][2]


async def test_when_the_last_agent_leaves_who_waits_in_distress_is_called(product: Product) -> None:
    await on_duty(product, "xiaowang")
    talk = await Talk(product).begin()
    await talk.say("我不想活了")
    product.clock.advance(seconds=46)  # type: ignore[attr-defined]
    assert await product.handoff.sweep_unattended() == 1
    assert "情绪危急" in (await urgent(product))[0][2]
    assert "尾号0004" in (await product.hub.history(talk.conversation))[-1]["text"]


async def test_whoever_only_asks_for_a_person_at_night_is_asked_whether_to_be_called(
    product: Product,
) -> None:
    talk = await Talk(product).begin()
    assert "留一张工单" in await talk.say("转人工")
    assert await urgent(product) == []
