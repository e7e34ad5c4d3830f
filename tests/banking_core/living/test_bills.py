"""Bills: paid once, by whoever owes them, and the money comes back when the biller refuses."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts import AccountNotUsable
from banking_core.bank import Bank
from banking_core.errors import InvalidInput
from banking_core.ledger import InternalAccount
from banking_core.living import BillAlreadyPaid, BillerUnknown, BillNotFound
from banking_core.orders import BalanceTooLow, LimitExceeded, Order
from banking_core.providers import ProviderBill
from banking_core.storage import Database
from tests.banking_core.people import OPENED_ON, Person, make_person

ACCOUNT_NO = "2010038876"


async def issue(bank: Bank, amount_fen: int = 96_90, **changes: Any) -> ProviderBill:
    billing = bank.providers.sandbox_billing
    assert billing is not None
    bill = {
        "biller": "electricity",
        "provider_name": "上海电力",
        "account_no": ACCOUNT_NO,
        "period": date(2026, 10, 1),
        "amount_fen": amount_fen,
        "due_on": date(2026, 11, 28),
    }
    return await billing.issue(**(bill | changes))


async def household(
    session: AsyncSession, bank: Bank, name: str = "张伟", phone: str = "13900000001", fen: int = 500_00
) -> Person:
    person = await make_person(session, bank, name, phone, fen)
    await bank.living.subscribe(
        session,
        person.id,
        biller="electricity",
        provider_name="上海电力",
        account_no=ACCOUNT_NO,
        address="浦东新区***路**号",
    )
    return person


async def draft(
    session: AsyncSession, bank: Bank, person: Person, bill_id: object, key: str = "pay"
) -> Order:
    body = {"from_account_id": person.account.id, "biller": "electricity", "bill_id": bill_id}
    return await bank.orders.draft(
        session, customer_id=person.id, kind="bill_pay", body=body, idempotency_key=key, channel="web"
    )


async def pay(session: AsyncSession, bank: Bank, person: Person, bill_id: str, key: str = "pay") -> Order:
    order = await draft(session, bank, person, bill_id, key)
    await bank.orders.read_back(session, order.id, person.id)
    await bank.orders.confirm(session, order.id, person.id)
    return await bank.orders.execute(session, order.id, person.id, otp_verified=False)


async def balance_fen(session: AsyncSession, bank: Bank, person: Person) -> int:
    return await bank.ledger.balance_fen(session, person.account.ledger_account_id)


async def test_the_read_back_names_biller_household_and_amount(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        person = await household(session, bank)
        order = await draft(session, bank, person, bill.id)
        facts = dict(order.facts)
        assert (facts["缴费项目"], facts["收费单位"], facts["户号"]) == ("电费", "上海电力", ACCOUNT_NO)
        assert (facts["账期"], facts["手续费"]) == ("2026年10月", "免费")
        assert facts["金额"] == "¥96.90（玖拾陆元玖角整）"
        assert facts["付款账户"].endswith(person.account.tail)
        assert await balance_fen(session, bank, person) == 500_00


async def test_a_paid_bill_is_paid_everywhere_and_booked_once(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        person = await household(session, bank)
        order = await pay(session, bank, person, bill.id)
        assert order.status == "submitted"
        assert (await bank.living.bill(session, person.id, bill.id)).status == "processing"
    for _ in range(2):
        await bank.orders.settle_due(database)
    async with database.snapshot() as session:
        settled = await bank.orders.get(session, order.id, person.id)
        assert settled.status == "executed"
        assert ["状态", "缴费成功"] in settled.receipt_facts
        assert (await bank.living.bill(session, person.id, bill.id)).status == "paid"
        assert await balance_fen(session, bank, person) == 500_00 - 96_90
        suspense = await bank.ledger.internal(session, InternalAccount.BILLER_SUSPENSE)
        owed = await bank.ledger.internal(session, InternalAccount.BILLER_SETTLEMENT)
        assert await bank.ledger.balance_fen(session, suspense) == 0
        assert await bank.ledger.balance_fen(session, owed) == 96_90
        assert (await bank.ledger.verify(session)).ok


async def test_a_second_payment_of_the_same_bill_moves_no_money(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        person = await household(session, bank)
        first = await draft(session, bank, person, bill.id, "first")
        second = await draft(session, bank, person, bill.id, "second")
        for order in (first, second):
            await bank.orders.read_back(session, order.id, person.id)
            await bank.orders.confirm(session, order.id, person.id)
        await bank.orders.execute(session, first.id, person.id, otp_verified=False)
        with pytest.raises(BillAlreadyPaid):
            await bank.orders.execute(session, second.id, person.id, otp_verified=False)
        with pytest.raises(BillAlreadyPaid):
            await draft(session, bank, person, bill.id, "third")
        assert await balance_fen(session, bank, person) == 500_00 - 96_90


async def test_of_two_payments_at_the_same_moment_one_goes_through(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        husband = await household(session, bank)
        wife = await household(session, bank, "李静", "13900000002")
        drafts = [
            (person, await draft(session, bank, person, bill.id, person.id)) for person in (husband, wife)
        ]
        for person, order in drafts:
            await bank.orders.read_back(session, order.id, person.id)
            await bank.orders.confirm(session, order.id, person.id)

    async def execute(person: Person, order: Order) -> str:
        async with database.transaction() as session:
            return (await bank.orders.execute(session, order.id, person.id, otp_verified=False)).status

    outcomes = await asyncio.gather(*(execute(*pair) for pair in drafts), return_exceptions=True)
    assert sorted(str(type(outcome).__name__) for outcome in outcomes) == ["BillAlreadyPaid", "str"]
    async with database.snapshot() as session:
        left = [await balance_fen(session, bank, person) for person, _ in drafts]
        assert sorted(left) == [500_00 - 96_90, 500_00]


async def test_two_people_of_one_household_cannot_both_pay(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        husband = await household(session, bank)
        wife = await household(session, bank, "李静", "13900000002")
        hers = await draft(session, bank, wife, bill.id, "hers")
        await bank.orders.read_back(session, hers.id, wife.id)
        await bank.orders.confirm(session, hers.id, wife.id)
        await pay(session, bank, husband, bill.id, "his")
        with pytest.raises(BillAlreadyPaid):
            await bank.orders.execute(session, hers.id, wife.id, otp_verified=False)
        assert await balance_fen(session, bank, wife) == 500_00


async def test_a_refused_payment_gives_the_money_back_and_frees_the_bill(
    database: Database, bank: Bank
) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        person = await household(session, bank)
        order = await pay(session, bank, person, bill.id)
    # The neighbour paid at the biller's own counter meanwhile.
    assert (await bank.providers.billing.pay(key="counter", bill_id=bill.id, amount_fen=96_90)).ok
    await bank.orders.settle_due(database)
    async with database.snapshot() as session:
        failed = await bank.orders.get(session, order.id, person.id)
        assert failed.status == "failed"
        assert failed.failure_text is not None
        assert "缴清" in failed.failure_text
        assert await balance_fen(session, bank, person) == 500_00
        assert (await bank.living.bill(session, person.id, bill.id)).status == "paid"
        assert (await bank.ledger.verify(session)).ok


async def test_somebody_elses_bill_looks_like_no_bill(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        await household(session, bank)
        stranger = await make_person(session, bank, "李静", "13900000002", 500_00)
        with pytest.raises(BillNotFound):
            await draft(session, bank, stranger, bill.id)
        assert await bank.living.bills(session, stranger.id) == []


@pytest.mark.parametrize("bill_id", ["nope", "", None, 5, ["x"]])
async def test_bad_bill_ids_are_answered_and_not_crashed_on(
    database: Database, bank: Bank, bill_id: object
) -> None:
    async with database.transaction() as session:
        person = await household(session, bank)
        with pytest.raises((BillNotFound, InvalidInput)):
            await draft(session, bank, person, bill_id)


async def test_a_bill_named_with_the_wrong_biller_is_not_paid(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        person = await household(session, bank)
        body = {"from_account_id": person.account.id, "biller": "water", "bill_id": bill.id}
        with pytest.raises(BillNotFound):
            await bank.orders.draft(
                session, customer_id=person.id, kind="bill_pay", body=body, idempotency_key="w", channel="web"
            )


async def test_balance_and_limit_are_checked(database: Database, bank: Bank) -> None:
    huge = await issue(bank, 60_000_00)
    async with database.transaction() as session:
        poor = await household(session, bank, fen=10_00)
        rich = await household(session, bank, "李静", "13900000002", 90_000_00)
        with pytest.raises(LimitExceeded):
            await draft(session, bank, rich, huge.id)
    cheap = await issue(bank, 96_90, period=date(2026, 9, 1))
    async with database.transaction() as session:
        with pytest.raises(BalanceTooLow):
            await draft(session, bank, poor, cheap.id)


async def test_a_time_deposit_pays_no_bill(database: Database, bank: Bank) -> None:
    bill = await issue(bank)
    async with database.transaction() as session:
        person = await household(session, bank)
        deposit = await bank.accounts.open(
            session, customer_id=person.id, kind="deposit", name="整存整取", opened_on=OPENED_ON
        )
        body = {"from_account_id": deposit.id, "biller": "electricity", "bill_id": bill.id}
        with pytest.raises(AccountNotUsable):
            await bank.orders.draft(
                session, customer_id=person.id, kind="bill_pay", body=body, idempotency_key="d", channel="web"
            )


async def test_unpaid_bills_come_first_and_late_ones_are_marked(database: Database, bank: Bank) -> None:
    await issue(bank, period=date(2026, 9, 1), due_on=date(2026, 10, 28))
    await issue(bank, period=date(2026, 8, 1), due_on=date(2026, 9, 28), paid=True)
    await issue(bank)
    async with database.transaction() as session:
        person = await household(session, bank)
        bills = await bank.living.bills(session, person.id, "electricity")
        shown = [(bill.period, bill.status, bill.overdue) for bill in bills]
        assert shown == [
            ("2026年10月", "unpaid", False),
            ("2026年9月", "unpaid", True),
            ("2026年8月", "paid", False),
        ]
        assert await bank.living.bills(session, person.id, "water") == []
        with pytest.raises(BillerUnknown):
            await bank.living.bills(session, person.id, "rates")


async def test_a_household_account_is_kept_once(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await household(session, bank)
        again = await bank.living.subscribe(
            session,
            person.id,
            biller="electricity",
            provider_name="上海电力",
            account_no=ACCOUNT_NO,
            address="",
        )
        assert again.address == "浦东新区***路**号"
        assert len(await bank.living.subscriptions(session, person.id)) == 1
