"""What the risk area's verdicts come to in a conversation: waiting, taking back, what an agent reads."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from banking_core.audit import AuditQuery, search
from banking_core.customers.models import Customer
from banking_core.risk.models import RiskDecision, RiskSighting
from banking_core.risk.rules import Rules
from banking_core.risk.service import Risk
from bot.assembly import Product
from tests.bot.conversation.looking import facts_of
from tests.bot.conversation.talking import TOPUP, Talk, product, wait_and_hear

__all__ = ["product"]

DELAY = """
version: 9
rules:
  - {id: late, when: kind_topup, verdict: delay, delay_minutes: 30, reason: 先等等,
     customer_text: 为了您的资金安全，这笔业务会晚半个小时办理。, mode: live}
"""


@pytest.fixture
async def talk(product: Product) -> Talk:
    product.bank.orders.use_risk(Risk(rules=Rules.parse(DELAY)))
    return await Talk(product).begin()


async def test_a_delayed_order_is_done_later_and_the_customer_is_told(talk: Talk) -> None:
    await talk.say(TOPUP)
    told = await talk.say("确认")
    assert "晚半个小时办理" in told and "预计11月20日 11:00办理" in told
    assert "话费充值成功" not in await wait_and_hear(talk, 1700)
    assert "话费充值成功" in await wait_and_hear(talk, 200)


async def test_a_waiting_order_can_be_taken_back_in_one_word(talk: Talk) -> None:
    await talk.say(TOPUP)
    await talk.say("确认")
    assert "已取消" in await talk.say("取消")
    (order,) = await talk.orders()
    assert order.status == "cancelled"
    assert "话费充值成功" not in await wait_and_hear(talk, 2000)


async def test_what_is_done_cannot_be_taken_back(talk: Talk) -> None:
    await talk.say(TOPUP)
    await talk.say("确认")
    await wait_and_hear(talk, 2000)
    assert "已取消" not in await talk.say("取消")
    assert [order.status for order in await talk.orders()] == ["executed"]


async def test_where_it_came_from_reaches_the_decision_and_no_address_is_kept(talk: Talk) -> None:
    await talk.say(TOPUP)
    await talk.say("确认")
    await wait_and_hear(talk, 2000)
    async with talk.product.database.snapshot() as session:
        decisions = list(await session.scalars(select(RiskDecision).order_by(RiskDecision.id)))
        sightings = list(await session.scalars(select(RiskSighting)))
    assert [decision.conversation_id for decision in decisions] == [talk.conversation] * 3
    assert [decision.phase for decision in decisions] == ["draft", "execute", "execute"]
    assert "198.51" not in str([vars(row) for row in [*decisions, *sightings]])


async def test_the_agent_reads_why_an_order_was_held_up(product: Product) -> None:
    async with product.database.transaction() as session:
        agent = await product.desk.add_agent(session, "xiaowang", "小王", "")
        await product.desk.set_presence(session, agent, "on_duty")
        await product.desk.heartbeat(session, agent)
    talk = await Talk(product).begin()
    await talk.say("对方让我转到安全账户")
    assert "请同事和您核实" in await talk.say("给李四转五百")
    [order] = (await facts_of(product.handoff, talk.conversation))["orders"]
    assert order["stopped"] and order["number"] and order["verdict"] == "人工核实"
    assert dict(map(tuple, order["facts"]))["金额"].startswith("¥500.00")
    assert any("安全账户" in reason for reason in order["reasons"])


async def test_the_demos_people_pay_their_payees_without_more_than_a_code(product: Product) -> None:
    """Every customer, every payee of the book, ordinary amounts: the shipped rules and model ask no more."""
    found = []
    async with product.database.snapshot() as session:
        for customer in list(await session.scalars(select(Customer))):
            account = await product.bank.accounts.default_for(session, customer.id)
            for payee in await product.bank.payees.list(session, customer.id):
                assert account is not None
                available = (await product.bank.accounts.balance(session, account)).available_fen
                for amount_fen in (50_00, 800_00, 3_000_00):
                    if amount_fen > available:
                        continue
                    order = await product.bank.orders.draft(
                        session,
                        customer_id=customer.id,
                        kind="transfer",
                        body={
                            "from_account_id": account.id,
                            "payee_name": payee.name,
                            "payee_account_number": payee.account_number,
                            "payee_bank_code": payee.bank_code,
                            "amount_fen": amount_fen,
                            "purpose": "",
                        },
                        idempotency_key=f"{payee.id}:{amount_fen}",
                        channel="web",
                    )
                    found.append((order.risk_verdict, order.step_up))
    assert len(found) > 60
    assert set(found) == {("allow", "otp")}


async def test_an_order_of_a_conversation_is_the_customer_s_own_act_in_the_audit_trail(talk: Talk) -> None:
    await talk.say(TOPUP)
    (order,) = await talk.orders()
    async with talk.product.database.snapshot() as session:
        page = await search(session, AuditQuery(object_kind="order", object_id=order.number))
    assert [record.action for record in page.records] == ["order.read_back", "order.drafted"]
    assert {(record.actor_kind, record.actor_id) for record in page.records} == {
        ("customer", order.customer_id)
    }
    assert {(record.channel, record.address) for record in page.records} == {("web", "198.51.*.*")}
    assert len({record.correlation_id for record in page.records}) == 1, "one turn"
