"""The risk area in the order pipeline: what it judges, what it writes down, what it remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from banking_core.bank import Bank
from banking_core.clock import ManualClock
from banking_core.ledger import EntryDraft, InternalAccount
from banking_core.ledger.types import TransactionDraft
from banking_core.orders import Order, OrderNeedsHuman, RiskSubject
from banking_core.orders.risk import Phase
from banking_core.risk.gathering import LoginSubject
from banking_core.risk.models import RiskDecision
from banking_core.risk.profile import PAID
from banking_core.risk.rules import Rules
from banking_core.risk.service import Risk
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying
from tests.banking_core.people import make_person

RULES = Rules.parse(
    """
version: 4
rules:
  - {id: story, when: said_safe_account >= 1, verdict: human,
     reason: 提到安全账户,
     customer_text: 请同事核实。, mode: live}
  - {id: dear, when: amount_yuan >= 500, verdict: step_up, factors: [otp], reason: 金额大, mode: live}
  - {id: late, when: amount_yuan >= 800, verdict: delay, delay_minutes: 30,
     reason: 很大,
     customer_text: 等半小时。, mode: live}
  - {id: often, when: stops_count_1h >= 2, verdict: block, reason: 拦过两次, customer_text: 今天不办。, mode: live}
  - {id: new_device, when: not device_known and not device_missing, verdict: step_up, factors: [otp, voice],
     reason: 新设备, mode: shadow}
  - {id: shared, when: payee_senders_7d >= 1, verdict: block, reason: 别人付过, customer_text: 不办。, mode: shadow}
"""
)
TOLD = {"signals": {"phrases": {"safe_account": 1}}}
AT_HOME = {"device": "phone-1", "address": "203.0.113.7"}


@pytest.fixture
def risk(bank: Bank) -> Risk:
    risk = Risk(rules=RULES)
    bank.orders.use_risk(risk)
    return risk


@pytest.fixture
async def paying(database: Database, bank: Bank, risk: Risk) -> Paying:
    return await Paying.open(database, bank)


async def decisions(paying: Paying, risk: Risk, order: Order) -> Sequence[RiskDecision]:
    async with paying.database.snapshot() as session:
        return await risk.decisions_of_order(session, order.id)


async def test_an_order_is_judged_twice_and_both_judgements_are_kept(paying: Paying, risk: Risk) -> None:
    paying.context = AT_HOME
    order = await paying.pay()
    assert order.status == "executed"
    draft, execute = await decisions(paying, risk, order)
    assert (draft.phase, execute.phase) == ("draft", "execute")
    assert draft.verdict == execute.verdict == "allow"
    assert (draft.rules_version, len(draft.model_version)) == (4, 16)
    assert draft.score is not None
    assert 0 <= draft.score < 0.5
    assert len(draft.features_hash) == 16 and draft.features_hash != execute.features_hash
    assert draft.shadow == ["new_device"], "the shadow rule is recorded and did not act"


async def test_nobody_can_change_a_decision(paying: Paying, database: Database) -> None:
    await paying.draft()
    for statement in ("UPDATE risk_decision SET verdict = 'allow'", "DELETE FROM risk_decision"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction() as session:
                await session.execute(text(statement))


async def test_a_story_of_swindlers_needs_a_human(paying: Paying, risk: Risk) -> None:
    paying.context = TOLD
    order = await paying.draft()
    assert (order.risk_verdict, order.risk_text) == ("human", "请同事核实。")
    assert order.risk_reasons == ["提到安全账户"]
    with pytest.raises(OrderNeedsHuman):
        await paying.confirm(order)
    assert await paying.balances_fen() == (1_000_00, 0)


async def test_a_story_told_between_read_back_and_code_still_counts(paying: Paying) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    paying.context = TOLD
    assert (await paying.execute(order)).status == "confirmed"
    assert await paying.balances_fen() == (1_000_00, 0)


async def test_a_delayed_order_goes_on_by_itself_after_its_time(
    paying: Paying, bank: Bank, clock: ManualClock, database: Database, risk: Risk
) -> None:
    order = await paying.pay(paying.body(900_00))
    assert (order.status, order.not_before) == ("waiting", clock.now() + timedelta(minutes=30))
    clock.advance(seconds=1801)
    (released,) = await bank.orders.release_due(database)
    assert released.status == "executed"
    last = (await decisions(paying, risk, order))[-1]
    assert (last.verdict, "冷静期已过" in last.reasons) == ("allow", True)


async def test_whoever_tries_again_and_again_is_stopped(paying: Paying) -> None:
    paying.context = TOLD
    for _ in range(2):
        await paying.draft()
    paying.context = {}
    assert (await paying.draft()).risk_verdict == "block"


async def test_the_device_of_a_payment_is_known_the_next_time(paying: Paying, risk: Risk, bank: Bank) -> None:
    paying.context = AT_HOME
    await paying.pay()
    again = await paying.draft(paying.body(120_00))
    assert (await decisions(paying, risk, again))[0].shadow == []
    bank.orders.use_risk(other := Risk(rules=RULES))  # another process knows it too
    third = await paying.draft(paying.body(130_00))
    assert (await decisions(paying, other, third))[0].shadow == []


async def test_the_device_of_an_order_that_was_stopped_stays_unknown(paying: Paying, risk: Risk) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    paying.context = AT_HOME | TOLD
    await paying.execute(order)
    paying.context = AT_HOME
    again = await paying.draft(paying.body(120_00))
    assert (await decisions(paying, risk, again))[0].shadow == ["new_device"]


async def test_a_rolled_back_payment_leaves_no_habit(paying: Paying, risk: Risk, database: Database) -> None:
    paying.context = AT_HOME
    order = await paying.draft()
    await paying.confirm(order)
    with pytest.raises(RuntimeError):
        async with database.transaction() as session:
            await paying.core.orders.execute(
                session, order.id, paying.payer.id, otp_verified=True, context=AT_HOME
            )
            raise RuntimeError
    again = await paying.draft(paying.body(120_00))
    assert (await decisions(paying, risk, again))[0].shadow == ["new_device"]


async def test_that_others_pay_the_same_account_is_seen(
    paying: Paying, risk: Risk, bank: Bank, database: Database
) -> None:
    await paying.pay()
    async with database.transaction() as session:
        other = await make_person(session, bank, "李四", "13800000021", 500_00)
    second = Paying(database, bank, other, paying.payee, drafted=["x"])
    order = await second.draft(key="other")
    assert "shared" in (await decisions(second, risk, order))[0].shadow


async def test_payments_of_one_customer_at_the_same_moment_are_all_judged_and_none_waits_for_ever(
    paying: Paying, risk: Risk, database: Database
) -> None:
    paying.context = AT_HOME
    orders = [await paying.draft(paying.body(10_00 + number)) for number in range(8)]
    for order in orders:
        await paying.confirm(order)

    async def draft_another(number: int) -> Order:
        return await paying.draft(paying.body(20_00 + number), key=f"more-{number}")

    async with asyncio.timeout(60):
        done = await asyncio.gather(
            *(paying.execute(order) for order in orders), *(draft_another(number) for number in range(8))
        )
    assert [order.status for order in done] == ["executed"] * 8 + ["drafted"] * 8
    again = await paying.draft(paying.body(30_00))
    async with database.snapshot() as session:
        profile = await risk._habits.of(session, paying.payer.id, paying.core.clock.now(), None)
    assert profile.window(paying.core.clock.now().timestamp())[0].counts[PAID] == 8
    assert (await decisions(paying, risk, again))[0].shadow == [], "the device is known by now"


async def test_two_years_in_the_ledger_are_habits_from_the_first_day(
    paying: Paying, risk: Risk, bank: Bank, database: Database, clock: ManualClock
) -> None:
    drafts = [payment(paying, clock, day) for day in range(2, 40)]
    async with database.transaction() as session:
        outside = await bank.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
        income = TransactionDraft(
            "test:income",
            "history",
            "",
            clock.now() - timedelta(days=60),
            (
                EntryDraft(paying.payer.account.ledger_account_id, 9_000_00, "测试", "other", ""),
                EntryDraft(outside, -9_000_00, "测试", "other", ""),
            ),
        )
        await bank.ledger.import_history(session, [income, *drafts])
        profile = await risk._habits.of(session, paying.payer.id, clock.now(), None)
    assert profile.habit.count == 38
    assert [paid[2] for paid in profile.payees.values()] == [38.0]


def payment(paying: Paying, clock: ManualClock, day: int) -> TransactionDraft:
    return TransactionDraft(
        f"test:{day}",
        "history",
        "",
        clock.now() - timedelta(days=day),
        (
            EntryDraft(paying.payer.account.ledger_account_id, -(100_00 + day), "张三", "transfer", ""),
            EntryDraft(paying.payee.account.ledger_account_id, 100_00 + day, "张伟", "transfer", ""),
        ),
    )


async def test_the_shadow_rules_are_reported_with_what_was_done_instead(
    paying: Paying, risk: Risk, clock: ManualClock, database: Database
) -> None:
    paying.context = AT_HOME
    await paying.draft()
    await paying.draft(paying.body(600_00))
    async with database.snapshot() as session:
        (report,) = await risk.shadow_report(session, clock.now() - timedelta(days=1))
    assert (report.rule_id, report.held, report.instead) == ("new_device", 2, {"allow": 1, "step_up": 1})


@pytest.mark.parametrize(
    "context",
    [
        {"device": 7, "address": ["x"], "signals": "no", "session_started_at": "yesterday"},
        {"device": "x" * 10_000, "address": "999.1.1.1", "place": {}, "session_started_at": "2026-01-01"},
        {"signals": {"turns": 1e308, "phrases": {"safe_account": -5, "x": 1}}},
    ],
)
async def test_whatever_a_caller_tells_of_the_moment_is_bounded(
    paying: Paying, context: dict[str, Any]
) -> None:
    paying.context = context
    assert (await paying.pay()).status == "executed"


async def test_a_log_in_is_judged_by_the_shipped_rules_and_written_down(
    paying: Paying, bank: Bank, database: Database, clock: ManualClock
) -> None:
    shipped = Risk()
    bank.orders.use_risk(shipped)
    paying.context = AT_HOME
    await paying.pay()
    async with database.transaction() as session:
        for _ in range(4):
            await bank.identity.passwords.verify(session, "13800000004", "wrong")
        at_home = LoginSubject(paying.payer.id, "web", clock.now(), context=AT_HOME)
        elsewhere = LoginSubject(paying.payer.id, "web", clock.now(), context={"device": "phone-2"})
        assert (await shipped.assess_login(session, at_home)).kind == "allow"
        verdict = await shipped.assess_login(session, elsewhere)
        newest = (await shipped.decisions_of_customer(session, paying.payer.id))[0]
    assert (verdict.kind, verdict.factors) == ("step_up", {"otp"})
    assert (newest.subject, newest.phase, newest.rules) == ("login", "login", ["login_after_guessing"])
    assert (newest.score, newest.order_id) == (None, None)


async def test_a_device_that_many_customers_log_in_with_needs_a_human(
    paying: Paying, bank: Bank, database: Database, clock: ManualClock
) -> None:
    shipped = Risk()
    bank.orders.use_risk(shipped)
    paying.context = AT_HOME
    await paying.pay()
    for number in range(3):
        async with database.transaction() as session:
            other = await make_person(session, bank, "李四", f"1380000003{number}", 500_00)
        other_paying = Paying(database, bank, other, paying.payee, context={"device": "shared"})
        await other_paying.confirm(order := await other_paying.draft(key=f"other{number}"))
        assert (await other_paying.execute(order)).status == "executed"
    async with database.transaction() as session:
        subject = LoginSubject(paying.payer.id, "web", clock.now(), context={"device": "shared"})
        assert (await shipped.assess_login(session, subject)).kind == "human"


async def test_a_judgement_asks_the_database_three_questions_and_writes_at_most_three_rows(
    paying: Paying, risk: Risk, database: Database
) -> None:
    paying.context = AT_HOME
    await paying.pay()
    said: list[str] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: said.append(statement.split()[0]),
    )
    async with database.transaction() as session:
        said.clear()
        await risk.assess(session, subject(paying, "draft"))
        assert said == ["SELECT", "SELECT", "INSERT"]
        said.clear()
        await risk.assess(session, subject(paying, "execute"))
        assert said == ["SELECT", "SELECT", "INSERT", "INSERT", "UPDATE"]


def subject(paying: Paying, phase: Phase) -> RiskSubject:
    return RiskSubject(
        phase=phase,
        customer_id=paying.payer.id,
        kind="transfer",
        amount_fen=100_00,
        fee_fen=0,
        source_account_id=paying.payer.account.id,
        body=paying.body(),
        channel="web",
        conversation_id=None,
        order_id="asked",
        at=paying.core.clock.now(),
        context=AT_HOME,
    )
