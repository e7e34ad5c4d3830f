"""Orders of mandates that do not end at once: other banks, and what the risk area says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from banking_core.bank import Bank
from banking_core.clock import ManualClock
from banking_core.orders import Verdict
from banking_core.storage import Database
from tests.banking_core.mandates.agreeing import Agreeing
from tests.banking_core.orders.paying import CLOSED_NUMBER
from tests.banking_core.orders.test_risk_port import WHY, Judge

DUE = date(2026, 11, 15)


@pytest.fixture
async def agreeing(bank: Bank, database: Database, clock: ManualClock) -> Agreeing:
    return await Agreeing.open(bank, database, clock)


@pytest.fixture
def judge(bank: Bank) -> Judge:
    judge = Judge()
    bank.orders.use_risk(judge)
    return judge


async def test_a_payment_to_another_bank_is_told_when_it_has_arrived(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree(agreeing.paying.interbank())
    await agreeing.run(DUE)
    assert await agreeing.runs(mandate) == [("11-15", "submitted", 0)]
    assert await agreeing.notices() == []
    await agreeing.bank.orders.settle_due(agreeing.database)
    assert await agreeing.run() == "made=0 followed=1"
    assert await agreeing.run() == "made=0 followed=0"
    assert await agreeing.runs(mandate) == [("11-15", "executed", 0)]
    assert [notice.kind for notice in await agreeing.notices()] == ["mandate_executed"]
    await agreeing.paying.verify()


async def test_a_payment_another_bank_sends_back_is_told_at_once(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree(agreeing.paying.interbank(number=CLOSED_NUMBER))
    await agreeing.run(DUE)
    await agreeing.bank.orders.settle_due(agreeing.database)
    await agreeing.run()
    assert await agreeing.runs(mandate) == [("11-15", "failed", 0)]
    (notice,) = await agreeing.notices()
    assert notice.urgent and "款项已全额退回付款账户" in notice.text
    assert (await agreeing.paying.balances_fen())[0] == 1_000_00
    stored = await agreeing.stored(mandate)
    assert (stored.status, stored.failed_runs) == ("active", 1)


async def test_the_risk_area_judges_it_as_the_payment_it_allows(agreeing: Agreeing, judge: Judge) -> None:
    await agreeing.agree()
    asked = judge.asked[0]
    assert (asked.kind, asked.amount_fen, asked.phase) == ("mandate_create", 100_00, "draft")
    assert asked.source_account_id == agreeing.paying.payer.account.id
    await agreeing.run(DUE)
    assert judge.asked[-1].standing and judge.asked[-1].kind == "transfer"


@pytest.mark.parametrize("phase", ["draft", "execute"])
@pytest.mark.parametrize("kind", ["block", "human"])
async def test_a_stopped_payment_fails_and_is_told(
    agreeing: Agreeing, judge: Judge, kind: str, phase: str
) -> None:
    mandate = await agreeing.agree()
    judge.verdicts[phase] = Verdict(kind, customer_text=WHY)  # type: ignore[arg-type]
    await agreeing.run(DUE)
    assert await agreeing.runs(mandate) == [("11-15", "failed", 0)]
    (order,) = await agreeing.orders()
    assert order.status == "failed"
    (notice,) = await agreeing.notices()
    assert notice.urgent and WHY in notice.text
    assert await agreeing.paid_fen() == 0


async def test_proofs_a_sleeping_customer_cannot_give_are_not_asked_for(
    agreeing: Agreeing, judge: Judge
) -> None:
    mandate = await agreeing.agree()
    judge.verdicts["execute"] = Verdict("step_up", factors=frozenset({"otp"}))
    await agreeing.run(DUE)
    assert await agreeing.runs(mandate) == [("11-15", "executed", 0)]


async def test_a_delayed_payment_goes_on_later_or_is_cancelled(
    agreeing: Agreeing, judge: Judge, clock: ManualClock
) -> None:
    mandate = await agreeing.agree()
    agreeing.at(DUE)
    until = clock.now() + timedelta(hours=24)
    judge.verdicts["execute"] = Verdict("delay", until=until, customer_text=WHY)
    await agreeing.run()
    assert await agreeing.runs(mandate) == [("11-15", "waiting", 0)]
    agreeing.at(DUE + timedelta(days=1))
    await agreeing.bank.orders.release_due(agreeing.database)
    await agreeing.run()
    assert await agreeing.runs(mandate) == [("11-15", "executed", 0)]
    agreeing.at(date(2026, 12, 15))
    judge.verdicts["execute"] = Verdict("delay", until=clock.now() + timedelta(hours=24), customer_text=WHY)
    await agreeing.run()
    await agreeing.paying.cancel((await agreeing.orders())[0])
    await agreeing.run()
    assert (await agreeing.runs(mandate))[1] == ("12-15", "cancelled", 0)
    assert await agreeing.paid_fen() == 100_00
