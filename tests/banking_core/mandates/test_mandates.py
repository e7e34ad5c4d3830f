"""A mandate is agreed once and then makes one order on each due day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from banking_core.audit import AuditQuery, search
from banking_core.bank import Bank
from banking_core.clock import ManualClock
from banking_core.configuration import Rules, Terms
from banking_core.locks.errors import AccountLocked
from banking_core.mandates import Mandate, MandateInvalid, MandateNotFound, MandateOver, MandatesTooMany
from banking_core.mandates.bodies import MandateBody
from banking_core.numbers import is_well_formed
from banking_core.orders import LimitExceeded, StepUpRequired
from banking_core.storage import Database
from banking_core.transfers import PayeeMismatch
from tests.banking_core.mandates.agreeing import Agreeing
from tests.banking_core.people import fund, make_person

DUE = date(2026, 11, 15)
RULES = Rules.load(Terms.load()).mandates


@pytest.fixture
async def agreeing(bank: Bank, database: Database, clock: ManualClock) -> Agreeing:
    return await Agreeing.open(bank, database, clock)


async def test_it_is_read_back_whole_and_proved_once(agreeing: Agreeing) -> None:
    order = await agreeing.paying.draft(agreeing.body(), kind="mandate_create")
    facts = dict(order.facts)
    assert facts["收款人"] == "*三" and facts["金额"].startswith("¥100.00")
    assert (facts["办理日"], facts["首次办理"]) == ("每月15日", "2026-11-15")
    assert (facts["期限"], facts["名称"]) == ("长期有效，可随时取消", "房租")
    assert "到账时间" not in facts
    await agreeing.paying.confirm(order)
    with pytest.raises(StepUpRequired):
        await agreeing.paying.execute(order, otp_verified=False)
    done = await agreeing.paying.execute(order)
    number = dict(done.receipt_facts)["约定编号"]
    assert is_well_formed(number) and number.startswith("YD20261102")
    assert await agreeing.paying.balances_fen() == (1_000_00, 0)


async def test_agreed_twice_at_once_it_is_there_once(agreeing: Agreeing) -> None:
    order = await agreeing.paying.draft(agreeing.body(), kind="mandate_create")
    await agreeing.paying.confirm(order)
    await asyncio.gather(*(agreeing.paying.execute(order) for _ in range(4)))
    async with agreeing.database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(Mandate)) == 1


async def test_every_month_one_payment_without_a_code(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree()
    assert await agreeing.run(DUE, hour=8) == "made=0 followed=0"
    assert await agreeing.run(DUE) == "made=1 followed=0"
    assert await agreeing.run() == "made=0 followed=0"
    (order,) = await agreeing.orders()
    assert order.idempotency_key == f"mandate:{mandate.id}:2026-11-15"
    assert (order.status, order.amount_fen, order.channel) == ("executed", 100_00, "bank")
    assert await agreeing.paying.balances_fen() == (900_00, 100_00)
    await agreeing.run(date(2026, 12, 15))
    assert await agreeing.paid_fen() == 200_00
    assert await agreeing.runs(mandate) == [("11-15", "executed", 0), ("12-15", "executed", 0)]
    newest = (await agreeing.notices())[0]
    assert not newest.urgent
    assert f"房租（编号{mandate.number}，¥100.00）12月15日这一笔已办好" in newest.text
    assert newest.text.endswith("下一次是1月15日。")
    await agreeing.paying.verify()


async def test_once_means_once(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree(frequency="once", starts_on="2026-12-05")
    await agreeing.run(date(2026, 12, 5))
    await agreeing.run(date(2027, 12, 5))
    assert await agreeing.paid_fen() == 100_00
    stored = await agreeing.stored(mandate)
    assert (stored.status, stored.next_run_at) == ("ended", None)
    assert (await agreeing.notices())[0].text.endswith("这项约定到此结束。")


@pytest.mark.parametrize(
    "end", [{"runs_max": 3}, {"ends_on": "2027-01-20"}, {"runs_max": 9, "ends_on": "2027-01-15"}]
)
async def test_it_ends_after_its_days_or_its_number(agreeing: Agreeing, end: dict[str, Any]) -> None:
    mandate = await agreeing.agree(frequency="monthly", day=15, **end)
    for month in (11, 12, 13, 14, 15):
        await agreeing.run(date(2026 + (month - 1) // 12, (month - 1) % 12 + 1, 15))
    assert await agreeing.paid_fen() == 300_00
    assert (await agreeing.stored(mandate)).status == "ended"


@pytest.mark.parametrize(
    ("rule", "paid_on"),
    [
        ("same_day", date(2027, 1, 1)),
        ("next_working_day", date(2027, 1, 4)),
        ("previous_working_day", date(2026, 12, 31)),
    ],
)
async def test_a_due_day_that_is_off_is_moved_as_agreed(agreeing: Agreeing, rule: str, paid_on: date) -> None:
    mandate = await agreeing.agree(frequency="monthly", day=1, starts_on="2027-01-01", holiday_rule=rule)
    await agreeing.run(paid_on, hour=8)
    assert await agreeing.paid_fen() == 0
    await agreeing.run(paid_on)
    assert await agreeing.paid_fen() == 100_00
    assert await agreeing.runs(mandate) == [("01-01", "executed", 0)]
    assert (await agreeing.stored(mandate)).due_on == date(2027, 2, 1)


async def test_without_money_it_is_tried_on_three_more_days_and_then_told(
    agreeing: Agreeing, bank: Bank
) -> None:
    mandate = await agreeing.agree(agreeing.paying.body(2_000_00))
    for days in range(4):
        assert await agreeing.run(DUE + timedelta(days=days)) == "made=0 followed=0"
        assert await agreeing.run() == "made=0 followed=0"
    expected = [("11-15", "retry", 0), ("11-15", "retry", 1), ("11-15", "retry", 2), ("11-15", "failed", 3)]
    assert await agreeing.runs(mandate) == expected
    told = [notice for notice in await agreeing.notices() if notice.urgent]
    assert [notice.kind for notice in told] == ["mandate_failed"]
    assert "没有办成。付款账户余额不足，试了4次，钱没有动。下一次是12月15日。" in told[0].text
    assert await bank.notices.send_due(agreeing.database) == 1
    assert await agreeing.orders() == [] and await agreeing.paying.balances_fen() == (1_000_00, 0)


async def test_money_that_comes_on_the_second_day_is_in_time(agreeing: Agreeing, bank: Bank) -> None:
    mandate = await agreeing.agree(agreeing.paying.body(2_000_00))
    await agreeing.run(DUE)
    async with agreeing.database.transaction() as session:
        await fund(session, bank, agreeing.paying.payer.account, 5_000_00)
    assert await agreeing.run(DUE + timedelta(days=1), hour=8) == "made=0 followed=0"
    await agreeing.run(DUE + timedelta(days=1))
    assert await agreeing.runs(mandate) == [("11-15", "retry", 0), ("11-15", "executed", 1)]
    stored = await agreeing.stored(mandate)
    assert (stored.due_on, stored.attempt, stored.failed_runs) == (date(2026, 12, 15), 0, 0)


async def test_three_failures_in_a_row_pause_it(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree(agreeing.paying.body(2_000_00), frequency="weekly", day=7)
    for days in range(30):
        await agreeing.run(date(2026, 11, 8) + timedelta(days=days))
    assert [run[1] for run in await agreeing.runs(mandate)].count("failed") == 3
    stored = await agreeing.stored(mandate)
    assert (stored.status, stored.failed_runs) == ("paused", 3)
    assert "已经连续3次没有办成，先为您暂停" in (await agreeing.notices())[0].text
    await agreeing.change(mandate, "resume")
    stored = await agreeing.stored(mandate)
    assert (stored.status, stored.failed_runs, stored.due_on) == ("active", 0, date(2026, 12, 13))


async def test_what_no_waiting_helps_is_told_at_once(agreeing: Agreeing, bank: Bank) -> None:
    mandate = await agreeing.agree()
    async with agreeing.database.transaction() as session:
        payer = await bank.accounts.get(session, agreeing.paying.payer.account.id)
        payer.status = "frozen"
    await agreeing.run(DUE)
    assert await agreeing.runs(mandate) == [("11-15", "failed", 0)]
    (notice,) = await agreeing.notices()
    assert notice.urgent and "现在不能付款" in notice.text


async def test_paused_it_makes_no_orders_and_resumed_it_goes_on(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree()
    assert dict((await agreeing.change(mandate, "pause")).receipt_facts)["状态"].startswith("已暂停")
    await agreeing.run(date(2026, 12, 20))
    assert await agreeing.paid_fen() == 0
    receipt = dict((await agreeing.change(mandate, "resume")).receipt_facts)
    assert (receipt["状态"], receipt["下次办理"]) == ("已恢复", "2027-01-15")
    await agreeing.run(date(2027, 1, 15))
    assert await agreeing.paid_fen() == 100_00


async def test_resumed_in_the_morning_of_a_due_day_it_is_in_time(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree()
    await agreeing.change(mandate, "pause")
    agreeing.at(DUE, 8)
    await agreeing.change(mandate, "resume")
    assert await agreeing.run(DUE) == "made=1 followed=0"


async def test_paused_after_its_last_day_it_has_ended(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree(frequency="once", starts_on="2026-12-05")
    await agreeing.change(mandate, "pause")
    agreeing.at(date(2026, 12, 6))
    await agreeing.change(mandate, "resume")
    assert (await agreeing.stored(mandate)).status == "ended"
    with pytest.raises(MandateOver):
        await agreeing.change(mandate, "cancel")


async def test_cancelled_it_is_over(agreeing: Agreeing, bank: Bank) -> None:
    mandate = await agreeing.agree(agreeing.paying.body(2_000_00))
    await agreeing.run(DUE)
    await agreeing.change(mandate, "cancel")
    assert await agreeing.runs(mandate) == [("11-15", "retry", 0), ("11-15", "skipped", 1)]
    for action in ("pause", "resume", "cancel"):
        with pytest.raises(MandateOver):
            await agreeing.change(mandate, action)
    async with agreeing.database.transaction() as session:
        again = await bank.mandates.cancel(session, mandate.id, agreeing.payer_id)
        assert again.status == "cancelled"
        assert await bank.mandates.list(session, agreeing.payer_id) == []
        assert len(await bank.mandates.list(session, agreeing.payer_id, over=True)) == 1
    assert await agreeing.run(date(2026, 12, 16)) == "made=0 followed=0"


async def test_run_by_several_processes_at_once_each_day_is_paid_once(agreeing: Agreeing) -> None:
    mandates = [await agreeing.agree() for _ in range(5)]
    url = agreeing.database.engine.url.render_as_string(hide_password=False)
    others = [Database(url, vault=agreeing.database.vault) for _ in range(3)]
    agreeing.at(DUE)
    await asyncio.gather(*(agreeing.bank.mandates.run_due(each) for each in (agreeing.database, *others)))
    for mandate in mandates:
        assert await agreeing.runs(mandate) == [("11-15", "executed", 0)]
    assert await agreeing.paid_fen() == 500_00
    for other in others:
        await other.close()
    await agreeing.paying.verify()


@pytest.mark.parametrize("action", ["cancel", "pause"])
async def test_cancelling_while_it_runs_has_one_winner(agreeing: Agreeing, action: str) -> None:
    for number in range(4):
        due = DUE + timedelta(days=number)
        mandate = await agreeing.agree(frequency="once", starts_on=due.isoformat())
        agreeing.at(due, 8, 55)
        order = await agreeing.paying.draft({"mandate_id": mandate.id}, kind=f"mandate_{action}")
        await agreeing.paying.confirm(order)
        agreeing.at(due)
        before_fen = await agreeing.paid_fen()
        both = [agreeing.run(), agreeing.paying.execute(order, otp_verified=False)]
        results = await asyncio.gather(*(both if number % 2 else reversed(both)), return_exceptions=True)
        changed = results[1 if number % 2 else 0]
        paid_fen, runs = await agreeing.paid_fen() - before_fen, await agreeing.runs(mandate)
        assert (paid_fen, len(runs)) in [(0, 0), (100_00, 1)]
        assert isinstance(changed, MandateOver) == (paid_fen > 0), changed
    await agreeing.paying.verify()


@pytest.mark.parametrize(("days", "outcome"), [(3, "executed"), (4, "missed")])
async def test_after_downtime_a_day_is_made_up_for_unless_it_is_long_past(
    agreeing: Agreeing, days: int, outcome: str
) -> None:
    mandate = await agreeing.agree()
    await agreeing.run(DUE + timedelta(days=days), hour=20)
    assert await agreeing.runs(mandate) == [("11-15", outcome, 0)]
    assert (await agreeing.stored(mandate)).due_on == date(2026, 12, 15)
    (notice,) = await agreeing.notices()
    assert notice.urgent == (outcome == "missed")


async def test_a_long_downtime_pays_the_last_month_only(agreeing: Agreeing) -> None:
    mandate = await agreeing.agree()
    await agreeing.run(date(2027, 1, 16))
    assert await agreeing.runs(mandate) == [
        ("11-15", "missed", 0),
        ("12-15", "missed", 0),
        ("01-15", "executed", 0),
    ]
    assert await agreeing.paid_fen() == 100_00


async def test_a_crash_in_the_middle_leaves_nothing_half_done(
    agreeing: Agreeing, monkeypatch: pytest.MonkeyPatch
) -> None:
    mandate = await agreeing.agree()

    async def crash(*_args: object, **_named: object) -> None:
        raise RuntimeError("the power goes")

    with monkeypatch.context() as patch:
        patch.setattr("banking_core.mandates.telling.Telling.tell", crash)
        assert await agreeing.run(DUE) == "made=0 followed=0"
    assert await agreeing.paid_fen() == 0 and await agreeing.runs(mandate) == []
    assert await agreeing.run() == "made=0 followed=0"
    agreeing.clock.advance(seconds=600)
    assert await agreeing.run() == "made=1 followed=0"
    assert await agreeing.runs(mandate) == [("11-15", "executed", 0)]


async def test_one_that_goes_wrong_does_not_hold_up_the_others(
    agreeing: Agreeing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await agreeing.agree(agreeing.paying.body(11_00))
    await agreeing.agree(agreeing.paying.body(22_00))
    running = agreeing.bank.orders.run_standing

    async def stumble(*args: Any, **named: Any) -> Any:
        if named["body"]["amount_fen"] == 11_00:
            raise RuntimeError("a defect")
        return await running(*args, **named)

    monkeypatch.setattr(agreeing.bank.orders, "run_standing", stumble)
    assert await agreeing.run(DUE) == "made=1 followed=0"
    assert await agreeing.paid_fen() == 22_00


async def test_an_amount_over_the_limit_is_refused_when_it_is_agreed(agreeing: Agreeing, bank: Bank) -> None:
    too_much = bank.terms.fen("transfers.limit_per_transaction_yuan") + 1
    with pytest.raises(LimitExceeded):
        await agreeing.agree(agreeing.paying.body(too_much))
    with pytest.raises(PayeeMismatch):
        await agreeing.agree(agreeing.paying.body(payee_name="李四"))


async def test_a_locked_customer_agrees_to_nothing(agreeing: Agreeing, bank: Bank) -> None:
    mandate = await agreeing.agree()
    async with agreeing.database.transaction() as session:
        await bank.locks.lock(session, agreeing.payer_id, "all")
    with pytest.raises(AccountLocked):
        await agreeing.agree()
    await agreeing.run(DUE)
    assert await agreeing.runs(mandate) == [("11-15", "failed", 0)]
    await agreeing.change(mandate, "cancel")


async def test_a_phone_can_be_topped_up_every_month(agreeing: Agreeing) -> None:
    body = {"from_account_id": agreeing.paying.payer.account.id, "phone": "13912345678", "amount_fen": 50_00}
    made = await agreeing.paying.draft(
        agreeing.body(body) | {"kind": "topup", "title": ""}, kind="mandate_create"
    )
    await agreeing.paying.confirm(made)
    await agreeing.paying.execute(made)
    assert await agreeing.run(DUE) == "made=1 followed=0"
    await agreeing.bank.orders.settle_due(agreeing.database)
    assert await agreeing.run() == "made=0 followed=1"
    assert "话费充值（编号" in (await agreeing.notices())[0].text


async def test_a_customer_has_so_many_and_sees_only_their_own(agreeing: Agreeing, bank: Bank) -> None:
    mandate = await agreeing.agree()
    async with agreeing.database.transaction() as session:
        other = await make_person(session, bank, "李静", "13900000002")
        with pytest.raises(MandateNotFound):
            await bank.mandates.get(session, mandate.id, other.id)
        with pytest.raises(MandateNotFound):
            await bank.mandates.by_number(session, mandate.number, other.id)
        with pytest.raises(MandateNotFound):
            await bank.mandates.pause(session, mandate.id, other.id)
        found = await bank.mandates.by_number(session, mandate.number, agreeing.payer_id)
        assert found.id == mandate.id
    for _ in range(RULES.count_max - 1):
        await agreeing.agree()
    with pytest.raises(MandatesTooMany):
        await agreeing.agree()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "payee_add"}, "kind"),
    ({"kind": 3}, "kind"),
    ({"order": "all"}, "order"),
    ({"frequency": "daily"}, "frequency"),
    ({"frequency": ["monthly"]}, "frequency"),
    ({"day": 0}, "day"),
    ({"day": 32}, "day"),
    ({"day": True}, "day"),
    ({"day": None}, "day"),
    ({"frequency": "weekly", "day": 8}, "day"),
    ({"frequency": "once", "day": None}, "starts_on"),
    ({"frequency": "once", "starts_on": "2026-11-02"}, "starts_on"),
    ({"starts_on": "2026-11-31"}, "starts_on"),
    ({"starts_on": "20261201"}, "starts_on"),
    ({"starts_on": "2028-01-01"}, "starts_on"),
    ({"ends_on": "2026-11-10"}, "ends_on"),
    ({"ends_on": "2199-11-10"}, "ends_on"),
    ({"runs_max": 0}, "runs_max"),
    ({"runs_max": 361}, "runs_max"),
    ({"runs_max": 2.0}, "runs_max"),
    ({"holiday_rule": "never"}, "holiday_rule"),
    ({"holiday_rule": ["same_day"]}, "holiday_rule"),
    ({"title": "很" * 17}, "title"),
    ({"title": "房\n租"}, "title"),
    ({"title": 7}, "title"),
]


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_a_body_that_cannot_be_names_its_field(change: dict[str, Any], field: str) -> None:
    body = {"kind": "transfer", "order": {}, "frequency": "monthly", "day": 15} | change
    with pytest.raises(MandateInvalid) as refused:
        MandateBody.read(body, RULES, date(2026, 11, 2))
    assert refused.value.field == field


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("kind", "order", "frequency", "day", "starts_on", "ends_on", "runs_max", "holiday_rule", "title")


@settings(derandomize=True, max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(noise=st.dictionaries(st.sampled_from(FIELDS), ANYTHING), keep=st.booleans())
def test_whatever_is_sent_it_is_read_or_refused(noise: dict[str, Any], keep: bool) -> None:
    good = {"kind": "transfer", "order": {}, "frequency": "monthly", "day": 15}
    read: Callable[[], MandateBody] = lambda: MandateBody.read(  # noqa: E731
        (good if keep else {}) | noise, RULES, date(2026, 11, 2)
    )
    try:
        wish = read()
    except MandateInvalid as error:
        assert error.field in FIELDS
    else:
        first = wish.schedule.first()
        assert first is not None and first > date(2026, 11, 2)
        again = MandateBody.stored(wish.normalised(dict(wish.order)), RULES)
        assert (again.schedule, again.runs_max) == (wish.schedule, wish.runs_max)


async def test_every_change_of_a_mandate_is_in_the_audit_trail(agreeing: Agreeing) -> None:
    kept = await agreeing.agree()
    failing = await agreeing.agree(agreeing.paying.body(2_000_00), frequency="weekly", day=7)
    for action in ("pause", "resume", "cancel"):
        await agreeing.change(kept, action)
    for days in range(30):
        await agreeing.run(date(2026, 11, 8) + timedelta(days=days))
    told = {}
    async with agreeing.database.snapshot() as session:
        for mandate in (kept, failing):
            page = await search(session, AuditQuery(object_kind="mandate", object_id=mandate.number))
            told[mandate.id] = [record.action for record in reversed(page.records)]
    assert told[kept.id] == ["mandate.made", "mandate.paused", "mandate.active", "mandate.cancelled"]
    assert told[failing.id] == ["mandate.made", "mandate.paused"]
