from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from banking_core.clock import ManualClock
from banking_core.core import Core, build_core
from banking_core.errors import ProviderUnavailable
from banking_core.ledger import InternalAccount, LedgerTransaction
from banking_core.orders import OrderNotFound
from banking_core.providers import ClearingSandbox, InterbankPayment, ProviderResult, register_provider
from banking_core.providers.sandbox.store import SandboxStore
from banking_core.settings import BankSettings
from banking_core.storage import Database
from tests.banking_core.orders.paying import CLOSED_NUMBER, OTHER_BANK_NUMBER, Paying

FEE_FEN = 2_00


class MoodyClearing(ClearingSandbox):
    """The sandbox clearing house on a bad day: it may die before or after it has done its work."""

    def __init__(self, store: SandboxStore) -> None:
        super().__init__(store)
        self.calls = 0
        self.raises_before: list[Exception] = []
        self.raises_after: list[Exception] = []

    async def submit(self, *, key: str, payment: InterbankPayment) -> ProviderResult:
        self.calls += 1
        if self.raises_before:
            raise self.raises_before.pop()
        result = await super().submit(key=key, payment=payment)
        if self.raises_after:
            raise self.raises_after.pop()
        return result


register_provider("clearing", "moody", lambda settings, clock, store: MoodyClearing(store))


@pytest.fixture
async def core(settings: BankSettings, clock: ManualClock, database: Database) -> AsyncIterator[Core]:
    core = build_core(dataclasses.replace(settings, clearing_provider="moody"), clock)
    await core.start(database)
    yield core
    await core.close()


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core)


@pytest.fixture
def clearing(core: Core) -> MoodyClearing:
    assert isinstance(core.providers.clearing, MoodyClearing)
    return core.providers.clearing


async def internal_fen(paying: Paying, account: InternalAccount) -> int:
    async with paying.database.snapshot() as session:
        ledger = paying.core.ledger
        return await ledger.balance_fen(session, await ledger.internal(session, account))


async def settlements(paying: Paying, number: str) -> int:
    statement = select(func.count()).where(LedgerTransaction.key == f"order:{number}:settle")
    async with paying.database.snapshot() as session:
        return await session.scalar(statement) or 0


async def test_an_interbank_transfer_is_held_then_settled(paying: Paying, clearing: MoodyClearing) -> None:
    order = await paying.pay(paying.interbank())
    assert (order.status, order.receipt_number) == ("submitted", None)
    assert await paying.balances_fen() == (1_000_00 - 100_00 - FEE_FEN, 0)
    assert await internal_fen(paying, InternalAccount.CLEARING_SUSPENSE) == 100_00
    settled = await paying.core.orders.settle_due(paying.database)
    assert [(o.id, o.status) for o in settled] == [(order.id, "executed")]
    assert settled[0].receipt_number is not None
    assert settled[0].provider_reference is not None
    assert ["清算流水号", settled[0].provider_reference] in settled[0].receipt_facts
    assert await internal_fen(paying, InternalAccount.CLEARING_SUSPENSE) == 0
    assert await internal_fen(paying, InternalAccount.CENTRAL_BANK) == 100_00
    assert await internal_fen(paying, InternalAccount.FEE_INCOME) == FEE_FEN
    assert await clearing.received(OTHER_BANK_NUMBER) == (1, 100_00)
    await paying.verify()


async def test_a_refused_transfer_gives_all_money_back_once(paying: Paying, clearing: MoodyClearing) -> None:
    order = await paying.pay(paying.interbank(number=CLOSED_NUMBER))
    for _ in range(2):
        await paying.core.orders.settle_due(paying.database)
        failed = await paying.core.orders.settle(paying.database, order.id)
        assert (failed.status, failed.failure_code) == ("failed", "payee_account_closed")
        assert "退回" in (failed.failure_text or "")
        assert await paying.balances_fen() == (1_000_00, 0)
    assert await clearing.received(CLOSED_NUMBER) == (0, 0)
    assert await internal_fen(paying, InternalAccount.CLEARING_SUSPENSE) == 0
    assert await internal_fen(paying, InternalAccount.FEE_INCOME) == 0
    await paying.verify()


async def test_a_refused_transfer_does_not_use_up_the_daily_limit(paying: Paying) -> None:
    order = await paying.pay(paying.interbank(number=CLOSED_NUMBER))
    await paying.core.orders.settle(paying.database, order.id)
    async with paying.database.snapshot() as session:
        assert await paying.core.orders.used_today_fen(session, paying.payer.id, "transfers") == 0


class ProcessKilled(BaseException):
    """The process ends here: nothing after this line runs."""


async def test_a_crash_between_provider_and_commit_pays_once_and_books_once(
    paying: Paying, clearing: MoodyClearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await paying.pay(paying.interbank())
    handler = paying.core.orders._handlers["transfer"]

    async def die(*_: object) -> None:
        raise ProcessKilled

    with monkeypatch.context() as patch, pytest.raises(ProcessKilled):
        patch.setattr(handler, "on_settled", die)
        await paying.core.orders.settle_due(paying.database)
    assert (await paying.stored(order)).status == "submitted"
    assert await clearing.received(OTHER_BANK_NUMBER) == (1, 100_00)
    settled = await paying.core.orders.settle_due(paying.database)
    assert [o.status for o in settled] == ["executed"]
    assert await paying.core.orders.settle_due(paying.database) == []
    assert clearing.calls == 2
    assert await clearing.received(OTHER_BANK_NUMBER) == (1, 100_00)
    assert await settlements(paying, order.number) == 1
    assert await internal_fen(paying, InternalAccount.CLEARING_SUSPENSE) == 0
    await paying.verify()


async def test_several_processes_settling_at_once_pay_once_and_book_once(
    paying: Paying, clearing: MoodyClearing
) -> None:
    order = await paying.pay(paying.interbank())
    await asyncio.gather(
        *(paying.core.orders.settle_due(paying.database) for _ in range(3)),
        *(paying.core.orders.settle(paying.database, order.id) for _ in range(3)),
    )
    assert (await paying.stored(order)).status == "executed"
    assert await clearing.received(OTHER_BANK_NUMBER) == (1, 100_00)
    assert await settlements(paying, order.number) == 1
    await paying.verify()


@pytest.mark.parametrize("lost", ["raises_before", "raises_after"])
async def test_a_lost_answer_leaves_the_order_waiting_longer_each_time(
    paying: Paying, clearing: MoodyClearing, clock: ManualClock, lost: str
) -> None:
    getattr(clearing, lost).extend(ProviderUnavailable("no answer") for _ in range(2))
    order = await paying.pay(paying.interbank())
    waits: list[float] = []
    for _ in range(2):
        assert await paying.core.orders.settle_due(paying.database) == []
        waiting = await paying.stored(order)
        assert waiting.status == "submitted"
        assert waiting.next_settle_at is not None
        waits.append((waiting.next_settle_at - clock.now()).total_seconds())
        assert await paying.core.orders.settle_due(paying.database) == []
        clock.advance(seconds=waits[-1])
    assert waits == [2, 4]
    assert clearing.calls == 2
    assert [o.status for o in await paying.core.orders.settle_due(paying.database)] == ["executed"]
    assert await clearing.received(OTHER_BANK_NUMBER) == (1, 100_00)
    assert await paying.balances_fen() == (1_000_00 - 100_00 - FEE_FEN, 0)


async def test_a_defect_in_one_settlement_does_not_hold_up_the_others(
    paying: Paying, clearing: MoodyClearing, clock: ManualClock
) -> None:
    orders = [await paying.pay(paying.interbank()) for _ in range(3)]
    clearing.raises_before.append(RuntimeError("a defect"))
    assert len(await paying.core.orders.settle_due(paying.database)) == 2
    clock.advance(seconds=10)
    assert len(await paying.core.orders.settle_due(paying.database)) == 1
    assert {(await paying.stored(order)).status for order in orders} == {"executed"}


async def test_settling_what_needs_no_settlement_changes_nothing(paying: Paying) -> None:
    order = await paying.pay()
    assert (await paying.core.orders.settle(paying.database, order.id)).status == "executed"
    assert await paying.balances_fen() == (900_00, 100_00)
    with pytest.raises(OrderNotFound):
        await paying.core.orders.settle(paying.database, "nothing")


async def test_a_submitted_order_is_not_executed_or_cancelled_again(paying: Paying) -> None:
    order = await paying.pay(paying.interbank())
    assert (await paying.execute(order)).status == "submitted"
    with pytest.raises(Exception, match="submitted"):
        await paying.cancel(order)
    assert await paying.balances_fen() == (1_000_00 - 100_00 - FEE_FEN, 0)
