"""Phone credit: only amounts and numbers that exist, and a refused one costs nothing."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.errors import InvalidInput
from banking_core.ledger import InternalAccount
from banking_core.living import TopupAmountInvalid, TopupPhoneInvalid
from banking_core.orders import LimitExceeded, Order
from banking_core.providers import TopupSandbox
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

PHONE = "13800000004"


async def draft(
    session: AsyncSession,
    bank: Bank,
    person: Person,
    phone: object,
    amount_fen: object,
    *,
    key: str = "topup",
) -> Order:
    body = {"from_account_id": person.account.id, "phone": phone, "amount_fen": amount_fen}
    return await bank.orders.draft(
        session, customer_id=person.id, kind="topup", body=body, idempotency_key=key, channel="web"
    )


async def top_up(
    session: AsyncSession, bank: Bank, person: Person, phone: str, amount_fen: int, *, key: str = "topup"
) -> Order:
    order = await draft(session, bank, person, phone, amount_fen, key=key)
    await bank.orders.read_back(session, order.id, person.id)
    await bank.orders.confirm(session, order.id, person.id)
    return await bank.orders.execute(session, order.id, person.id, otp_verified=False)


def carrier_of(bank: Bank) -> TopupSandbox:
    assert isinstance(bank.providers.topup, TopupSandbox)
    return bank.providers.topup


async def test_the_phone_gets_its_credit_once(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 500_00)
        order = await top_up(session, bank, person, PHONE, 100_00)
    for _ in range(2):
        await bank.orders.settle_due(database)
    assert await carrier_of(bank).credited_fen(PHONE) == 100_00
    async with database.snapshot() as session:
        settled = await bank.orders.get(session, order.id, person.id)
        assert settled.status == "executed"
        assert ["状态", "充值成功"] in settled.receipt_facts
        assert await bank.ledger.balance_fen(session, person.account.ledger_account_id) == 400_00
        owed = await bank.ledger.internal(session, InternalAccount.TOPUP_SETTLEMENT)
        assert await bank.ledger.balance_fen(session, owed) == 100_00
        assert (await bank.ledger.verify(session)).ok


async def test_the_read_back_shows_the_whole_number_and_the_receipt_hides_it(
    database: Database, bank: Bank
) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 500_00)
        order = await top_up(session, bank, person, PHONE, 100_00)
        assert dict(order.facts)["充值号码"] == "138 0000 0004（中国移动）"
        assert dict(order.receipt_facts)["充值号码"] == "138****0004（中国移动）"


async def test_a_switched_off_number_costs_nothing(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 500_00)
        order = await top_up(session, bank, person, "13812340000", 50_00)
    await bank.orders.settle_due(database)
    async with database.snapshot() as session:
        failed = await bank.orders.get(session, order.id, person.id)
        assert (failed.status, failed.failure_code) == ("failed", "number_switched_off")
        assert await bank.ledger.balance_fen(session, person.account.ledger_account_id) == 500_00


@pytest.mark.parametrize("amount_fen", [0, -50_00, 33_00, 50_01, True, "5000", None, 50.0])
async def test_only_amounts_on_sale_are_taken(database: Database, bank: Bank, amount_fen: object) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 500_00)
        with pytest.raises(TopupAmountInvalid) as refusal:
            await draft(session, bank, person, PHONE, amount_fen)
        assert "50" in refusal.value.customer_text


@pytest.mark.parametrize("phone", ["123", "1380000000a", "12800000004", "14100000004", "", None, 13800000004])
async def test_a_number_of_no_carrier_is_refused(database: Database, bank: Bank, phone: object) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 500_00)
        with pytest.raises(InvalidInput):
            await draft(session, bank, person, phone, 50_00)


async def test_the_daily_limit_counts_what_was_topped_up_today(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 90_000_00)
        with pytest.raises(LimitExceeded):
            for number in range(200):
                await top_up(session, bank, person, PHONE, 500_00, key=f"topup-{number}")
        used_fen = await bank.orders.used_today_fen(session, person.id, "living")
        assert used_fen == 50_000_00


async def test_an_offer_names_carrier_and_rising_amounts(bank: Bank) -> None:
    offer = await bank.living.topup_offer("18900000004")
    assert offer.carrier == "中国电信"
    assert list(offer.amounts_fen) == sorted(offer.amounts_fen)
    with pytest.raises(TopupPhoneInvalid):
        await bank.living.topup_offer("14100000004")
