from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.errors import BankError, Conflict, InvalidInput, Refused
from banking_core.orders import (
    BalanceTooLow,
    GuardSubject,
    LimitExceeded,
    OrderClosed,
    OrderExpired,
    OrderKeyConflict,
    OrderNotConfirmed,
    OrderNotFound,
    StepUpRequired,
)
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying
from tests.banking_core.people import fund


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core)


async def test_a_transfer_goes_from_draft_to_executed(paying: Paying) -> None:
    order = await paying.draft()
    assert order.status == "drafted"
    assert re.fullmatch(r"ZG20261102\d{8}", order.number)
    assert await paying.balances_fen() == (1_000_00, 0)
    assert (await paying.confirm(order)).status == "confirmed"
    assert await paying.balances_fen() == (1_000_00, 0)
    done = await paying.execute(order)
    assert done.status == "executed"
    assert re.fullmatch(r"HD20261102\d{8}", done.receipt_number or "")
    assert done.executed_at is not None
    assert await paying.balances_fen() == (900_00, 100_00)
    await paying.verify()


async def test_a_second_draft_with_the_same_key_is_the_first_order(paying: Paying) -> None:
    first = await paying.draft(key="k")
    await paying.confirm(first)
    await paying.execute(first)
    second = await paying.draft(key="k")
    assert (second.id, second.status) == (first.id, "executed")
    assert await paying.balances_fen() == (900_00, 100_00)


async def test_a_retry_is_answered_even_when_it_could_not_be_drafted_today(paying: Paying) -> None:
    first = await paying.draft(paying.body(1_000_00), key="k")
    await paying.confirm(first)
    await paying.execute(first)
    assert (await paying.draft(paying.body(1_000_00), key="k")).id == first.id


async def test_the_same_key_with_another_body_is_a_conflict(paying: Paying, core: Core) -> None:
    await paying.draft(key="k")
    with pytest.raises(OrderKeyConflict):
        await paying.draft(paying.body(101_00), key="k")
    async with paying.database.transaction() as session:
        with pytest.raises(OrderKeyConflict):
            await core.orders.draft(
                session,
                customer_id=paying.payee.id,
                kind="transfer",
                body=paying.body(),
                idempotency_key="k",
                channel="web",
            )


async def test_a_second_confirm_moves_no_money(paying: Paying) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    assert (await paying.confirm(order)).status == "confirmed"
    await paying.execute(order)
    assert (await paying.confirm(order)).status == "executed"
    assert await paying.balances_fen() == (900_00, 100_00)


async def test_a_second_execute_moves_no_money(paying: Paying) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    first = await paying.execute(order)
    second = await paying.execute(order)
    assert second.receipt_number == first.receipt_number
    assert await paying.balances_fen() == (900_00, 100_00)


async def test_nothing_is_executed_without_confirmation(paying: Paying) -> None:
    order = await paying.draft()
    with pytest.raises(OrderNotConfirmed):
        await paying.execute(order)
    assert await paying.balances_fen() == (1_000_00, 0)


async def test_nothing_is_executed_without_the_code_it_needs(paying: Paying) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    with pytest.raises(StepUpRequired):
        await paying.execute(order, otp_verified=False)
    assert await paying.balances_fen() == (1_000_00, 0)
    assert (await paying.execute(order)).status == "executed"


async def test_an_order_expires_after_ten_minutes(paying: Paying, clock: ManualClock, core: Core) -> None:
    drafted, confirmed = await paying.draft(), await paying.draft()
    await paying.confirm(confirmed)
    clock.advance(seconds=599)
    assert (await paying.confirm(drafted)).status == "confirmed"
    clock.advance(seconds=1)
    late = await paying.draft()
    for order in (drafted, confirmed):
        with pytest.raises(OrderExpired):
            await paying.execute(order)
    async with paying.database.transaction() as session:
        assert await core.orders.expire_due(session) == 2
        assert await core.orders.expire_due(session) == 0
    assert (await paying.stored(drafted)).status == "expired"
    assert (await paying.stored(late)).status == "drafted"
    with pytest.raises(OrderExpired):
        await paying.confirm(drafted)
    assert await paying.balances_fen() == (1_000_00, 0)


async def test_a_cancelled_order_stays_cancelled(paying: Paying) -> None:
    order = await paying.draft()
    assert (await paying.cancel(order)).status == "cancelled"
    assert (await paying.cancel(order)).status == "cancelled"
    for step in (paying.confirm, paying.execute):
        with pytest.raises(OrderClosed):
            await step(order)


async def test_an_executed_order_cannot_be_cancelled(paying: Paying) -> None:
    order = await paying.pay()
    with pytest.raises(OrderClosed):
        await paying.cancel(order)
    assert (await paying.stored(order)).status == "executed"


async def test_nobody_touches_another_customers_order(paying: Paying, core: Core) -> None:
    order = await paying.draft()
    stranger = paying.payee.id
    async with paying.database.transaction() as session:
        for step in (core.orders.confirm, core.orders.cancel, core.orders.get):
            with pytest.raises(OrderNotFound):
                await step(session, order.id, stranger)
        with pytest.raises(OrderNotFound):
            await core.orders.execute(session, order.id, stranger, otp_verified=True)
        with pytest.raises(OrderNotFound):
            await core.orders.by_number(session, order.number, stranger)
        assert (await core.orders.by_number(session, order.number, paying.payer.id)).id == order.id
        with pytest.raises(OrderNotFound):
            await core.orders.get(session, "nothing", paying.payer.id)


async def test_more_than_the_balance_cannot_be_drafted(paying: Paying) -> None:
    with pytest.raises(BalanceTooLow) as refused:
        await paying.draft(paying.body(1_000_01))
    assert refused.value.code == "insufficient_funds"
    assert "¥1,000.00" in refused.value.customer_text


async def test_the_fee_counts_against_the_balance(paying: Paying, core: Core) -> None:
    fee_fen = core.terms.fen("transfers.interbank_fee_yuan")
    assert fee_fen > 0
    with pytest.raises(BalanceTooLow):
        await paying.draft(paying.interbank(1_000_00 - fee_fen + 1))
    assert (await paying.draft(paying.interbank(1_000_00 - fee_fen))).fee_fen == fee_fen


async def test_money_spent_meanwhile_is_noticed_at_execution(paying: Paying) -> None:
    late = await paying.draft(paying.body(950_00))
    await paying.confirm(late)
    await paying.pay(paying.body(100_00))
    with pytest.raises(BalanceTooLow):
        await paying.execute(late)
    assert (await paying.stored(late)).status == "confirmed"
    assert await paying.balances_fen() == (900_00, 100_00)


async def test_a_refusal_at_execution_leaves_the_callers_transaction_usable(
    paying: Paying, core: Core
) -> None:
    late = await paying.draft(paying.body(950_00))
    await paying.confirm(late)
    await paying.pay(paying.body(100_00))
    async with paying.database.transaction() as session:
        with pytest.raises(BalanceTooLow):
            await core.orders.execute(session, late.id, paying.payer.id, otp_verified=True)
        cancelled = await core.orders.cancel(session, late.id, paying.payer.id)
    assert cancelled.status == "cancelled"
    assert (await paying.stored(late)).status == "cancelled"
    await paying.verify()


async def test_a_payee_account_closed_meanwhile_is_noticed_at_execution(paying: Paying) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    async with paying.database.transaction() as session:
        account = await paying.core.accounts.get(session, paying.payee.account.id)
        account.status = "closed"
    with pytest.raises(BankError) as refused:
        await paying.execute(order)
    assert refused.value.code == "payee_mismatch"
    assert await paying.balances_fen() == (1_000_00, 0)


async def rich(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        await fund(session, core, paying.payer.account, 10_000_000_00)


async def test_the_limit_per_transaction_holds(paying: Paying, core: Core) -> None:
    await rich(paying, core)
    limit_fen = core.terms.fen("transfers.limit_per_transaction_yuan")
    assert (await paying.draft(paying.body(limit_fen))).amount_fen == limit_fen
    with pytest.raises(LimitExceeded):
        await paying.draft(paying.body(limit_fen + 1))


async def test_the_limit_per_day_counts_what_was_executed_on_the_bank_date(
    paying: Paying, core: Core, clock: ManualClock
) -> None:
    await rich(paying, core)
    once_fen = core.terms.fen("transfers.limit_per_transaction_yuan")
    day_fen = core.terms.fen("transfers.limit_per_day_yuan")
    for _ in range(day_fen // once_fen - 1):
        await paying.pay(paying.body(once_fen))
    drafted_first, drafted_second = (
        await paying.draft(paying.body(once_fen)),
        await paying.draft(paying.body(1)),
    )
    await paying.confirm(drafted_first)
    await paying.confirm(drafted_second)
    await paying.execute(drafted_first)
    with pytest.raises(LimitExceeded):
        await paying.execute(drafted_second)
    with pytest.raises(LimitExceeded) as refused:
        await paying.draft(paying.body(1))
    assert "¥0.00" in refused.value.customer_text
    async with paying.database.snapshot() as session:
        assert await core.orders.used_today_fen(session, paying.payer.id, "transfers") == day_fen
    clock.advance(seconds=14 * 3600)  # midnight in Shanghai, still the same date in London
    assert (await paying.pay(paying.body(once_fen))).status == "executed"


async def test_a_guard_stops_drafts_and_executions(paying: Paying, core: Core) -> None:
    class Closed(Refused):
        code = "closed_for_test"

    class Guard:
        subjects: list[GuardSubject]

        def __init__(self) -> None:
            self.subjects = []
            self.refuses: set[str] = set()

        async def check(self, session: AsyncSession, subject: GuardSubject) -> None:
            self.subjects.append(subject)
            if subject.phase in self.refuses:
                raise Closed("closed")

    guard = Guard()
    core.orders.add_guard(guard)
    order = await paying.draft()
    await paying.confirm(order)
    guard.refuses = {"draft", "execute"}
    with pytest.raises(Closed):
        await paying.draft()
    with pytest.raises(Closed):
        await paying.execute(order)
    assert await paying.balances_fen() == (1_000_00, 0)
    assert guard.subjects[0].moves_money
    assert guard.subjects[0].source_account_id == paying.payer.account.id
    guard.refuses = set()
    assert (await paying.execute(order)).status == "executed"


@pytest.mark.parametrize(
    ("kind", "key", "body"),
    [
        ("steal", "k", {}),
        ("transfer", "", {}),
        ("transfer", "k" * 129, {}),
        ("transfer", "k", {"x": object()}),
        ("transfer", "k", {"x": "长" * 9000}),
    ],
)
async def test_malformed_requests_are_refused(
    paying: Paying, core: Core, kind: str, key: str, body: Any
) -> None:
    async with paying.database.transaction() as session:
        with pytest.raises(InvalidInput):
            await core.orders.draft(
                session,
                customer_id=paying.payer.id,
                kind=kind,
                body=body,
                idempotency_key=key,
                channel="web",
            )


async def test_the_latest_orders_come_first(paying: Paying, core: Core, clock: ManualClock) -> None:
    first = await paying.pay()
    clock.advance(seconds=5)
    second = await paying.draft()
    async with paying.database.snapshot() as session:
        latest = await core.orders.latest(session, paying.payer.id)
        assert [order.id for order in latest] == [second.id, first.id]
        executed = await core.orders.latest(
            session, paying.payer.id, kinds=["transfer"], limit=1, statuses=["executed"]
        )
        assert [order.id for order in executed] == [first.id]
        assert await core.orders.latest(session, paying.payer.id, kinds=["topup"]) == []
        assert await core.orders.latest(session, paying.payee.id) == []


async def test_a_kind_is_registered_once(core: Core) -> None:
    assert {"transfer", "payee_add", "payee_delete"} <= core.orders.kinds
    handler = core.orders._handlers["transfer"]
    with pytest.raises(AssertionError, match="twice"):
        core.orders.register(handler)


async def test_a_taken_order_number_is_not_given_twice(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await paying.draft()
    taken = int(first.number[-8:-1])
    offered = [taken, taken, (taken + 1) % 10**7]
    monkeypatch.setattr("banking_core.numbers.secrets.randbelow", lambda _: offered.pop(0))
    assert (await paying.draft()).number != first.number
    offered.extend([taken] * 20)
    with pytest.raises(Conflict):
        await paying.draft()
