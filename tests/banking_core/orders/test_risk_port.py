"""What each verdict of the risk area does to an order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.orders import OrderClosed, OrderNeedsHuman, RiskSubject, StepUpRequired, Verdict
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying
from tests.banking_core.people import fund

WHY = "为了您的资金安全，这笔先不办理。"


class Judge:
    """Says what it is told to, per phase, and remembers what it was asked."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.asked: list[RiskSubject] = []

    async def assess(self, session: AsyncSession, subject: RiskSubject) -> Verdict:
        self.asked.append(subject)
        return self.verdicts.get(subject.phase, Verdict())


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core)


@pytest.fixture
def judge(core: Core) -> Judge:
    judge = Judge()
    core.orders.use_risk(judge)
    return judge


async def test_it_is_asked_at_draft_and_again_before_the_money_moves(paying: Paying, judge: Judge) -> None:
    order = await paying.pay()
    draft, execute = judge.asked
    assert (draft.phase, draft.proofs) == ("draft", frozenset())
    assert (execute.phase, execute.proofs) == ("execute", {"otp"})
    assert draft.order_id == execute.order_id == order.id
    assert execute.body["payee_account_number"] == paying.payee.account.number
    assert order.risk_verdict == "allow"


async def test_a_block_at_draft_is_a_failed_order_that_keeps_the_reasons(
    paying: Paying, judge: Judge
) -> None:
    judge.verdicts["draft"] = Verdict("block", customer_text=WHY, reasons=("payee on the list",))
    order = await paying.draft()
    assert (order.status, order.failure_code, order.failure_text) == ("failed", "risk_blocked", WHY)
    stored = await paying.stored(order)
    assert (stored.risk_verdict, stored.risk_reasons) == ("block", ["payee on the list"])
    with pytest.raises(OrderClosed) as refused:
        await paying.confirm(order)
    assert refused.value.customer_text == WHY


async def test_a_block_at_execution_moves_nothing(paying: Paying, judge: Judge) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    judge.verdicts["execute"] = Verdict("block", customer_text=WHY)
    assert (await paying.execute(order)).status == "failed"
    judge.verdicts.clear()
    assert (await paying.execute(order)).status == "failed"
    assert await paying.balances_fen() == (1_000_00, 0)


async def test_a_step_up_at_draft_raises_what_must_be_proved(
    paying: Paying, judge: Judge, core: Core
) -> None:
    judge.verdicts["draft"] = Verdict("step_up", factors=frozenset({"voice"}))
    order = await paying.draft()
    assert order.step_up == "otp_voice"
    await paying.confirm(order)
    with pytest.raises(StepUpRequired) as refused:
        await paying.execute(order)
    assert refused.value.factors == {"voice"}
    async with paying.database.transaction() as session:
        done = await core.orders.execute(
            session, order.id, paying.payer.id, otp_verified=True, voice_verified=True
        )
    assert done.status == "executed"


async def test_a_step_up_at_execution_waits_for_the_proof(paying: Paying, judge: Judge) -> None:
    judge.verdicts["execute"] = Verdict("step_up", factors=frozenset({"otp"}))
    own = await paying.draft()
    await paying.confirm(own)
    async with paying.database.transaction() as session:
        stored = await paying.core.orders.get(session, own.id, paying.payer.id)
        stored.step_up = "none"  # as for a payment that needs no code by itself
    held = await paying.execute(own, otp_verified=False)
    assert (held.status, held.step_up) == ("confirmed", "otp")
    assert await paying.balances_fen() == (1_000_00, 0)
    assert (await paying.execute(own)).status == "executed"


async def test_a_human_verdict_leaves_the_order_untouched(paying: Paying, judge: Judge) -> None:
    judge.verdicts["draft"] = Verdict("human", customer_text=WHY)
    order = await paying.draft()
    assert (order.status, order.risk_verdict) == ("drafted", "human")
    with pytest.raises(OrderNeedsHuman):
        await paying.confirm(order)
    judge.verdicts = {"execute": Verdict("human", customer_text=WHY)}
    second = await paying.draft()
    await paying.confirm(second)
    held = await paying.execute(second)
    assert (held.status, held.risk_verdict, held.risk_text) == ("confirmed", "human", WHY)
    assert await paying.balances_fen() == (1_000_00, 0)


async def delayed(paying: Paying, judge: Judge, clock: ManualClock, hours: int = 24) -> Any:
    until = clock.now() + timedelta(hours=hours)
    judge.verdicts["execute"] = Verdict("delay", until=until, customer_text=WHY)
    return await paying.pay()


async def test_a_delayed_order_goes_on_when_its_time_has_come(
    paying: Paying, judge: Judge, clock: ManualClock, core: Core
) -> None:
    order = await delayed(paying, judge, clock)
    assert order.status == "waiting"
    assert (await paying.execute(order)).status == "waiting"
    assert await core.orders.release_due(paying.database) == []
    clock.advance(seconds=24 * 3600)
    async with paying.database.transaction() as session:
        assert await core.orders.expire_due(session) == 0
    released = await core.orders.release_due(paying.database)
    assert [(o.id, o.status) for o in released] == [(order.id, "executed")]
    assert judge.asked[-1].waited and judge.asked[-1].proofs == {"otp"}
    assert await core.orders.release_due(paying.database) == []
    assert await paying.balances_fen() == (900_00, 100_00)


async def test_a_delayed_order_can_be_cancelled_meanwhile(
    paying: Paying, judge: Judge, clock: ManualClock, core: Core
) -> None:
    order = await delayed(paying, judge, clock)
    assert (await paying.cancel(order)).status == "cancelled"
    clock.advance(seconds=25 * 3600)
    assert await core.orders.release_due(paying.database) == []
    assert await paying.balances_fen() == (1_000_00, 0)


async def test_a_delayed_order_fails_when_the_money_is_gone(
    paying: Paying, judge: Judge, clock: ManualClock, core: Core
) -> None:
    order = await delayed(paying, judge, clock)
    judge.verdicts.clear()
    await paying.pay(paying.body(950_00))
    clock.advance(seconds=25 * 3600)
    (released,) = await core.orders.release_due(paying.database)
    assert (released.id, released.status, released.failure_code) == (order.id, "failed", "insufficient_funds")
    assert await paying.balances_fen() == (50_00, 950_00)
    async with paying.database.transaction() as session:
        await fund(session, core, paying.payer.account, 1_000_00)
    assert await core.orders.release_due(paying.database) == []


async def test_a_block_after_the_delay_fails_the_order(
    paying: Paying, judge: Judge, clock: ManualClock, core: Core
) -> None:
    order = await delayed(paying, judge, clock)
    judge.verdicts["execute"] = Verdict("human", customer_text=WHY)
    clock.advance(seconds=25 * 3600)
    (released,) = await core.orders.release_due(paying.database)
    assert (released.id, released.status, released.failure_code) == (order.id, "failed", "order_needs_human")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "perhaps"},
        {"kind": "step_up"},
        {"kind": "allow", "factors": frozenset({"otp"})},
        {"kind": "step_up", "factors": frozenset({"charm"})},
        {"kind": "delay", "customer_text": WHY},
        {"kind": "block"},
        {"kind": "human", "customer_text": "长" * 201},
    ],
)
def test_a_verdict_says_what_its_kind_needs(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Verdict(**wrong)
