"""Safety locks: on at once, off only after a code, and checked again when the order is executed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.errors import InvalidInput
from banking_core.locks import AccountLocked, NothingLocked
from banking_core.orders import Order, StepUpRequired
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

PHONE = "13800000004"


async def draft(
    session: AsyncSession, bank: Bank, person: Person, kind: str, body: dict[str, Any], *, key: str
) -> Order:
    order = await bank.orders.draft(
        session, customer_id=person.id, kind=kind, body=body, idempotency_key=key, channel="web"
    )
    await bank.orders.read_back(session, order.id, person.id)
    return await bank.orders.confirm(session, order.id, person.id)


async def lock(session: AsyncSession, bank: Bank, person: Person, scope: str) -> Order:
    order = await draft(session, bank, person, "security_lock", {"scope": scope}, key=f"lock-{scope}")
    return await bank.orders.execute(session, order.id, person.id, otp_verified=False)


async def transfer(session: AsyncSession, bank: Bank, payer: Person, payee: Person, amount_fen: int) -> Order:
    body = {
        "from_account_id": payer.account.id,
        "payee_name": payee.customer.name,
        "payee_account_number": payee.account.number,
        "payee_bank_code": None,
        "amount_fen": amount_fen,
        "purpose": "",
    }
    return await draft(session, bank, payer, "transfer", body, key=f"transfer-{amount_fen}")


async def topup(session: AsyncSession, bank: Bank, person: Person) -> Order:
    body = {"from_account_id": person.account.id, "phone": PHONE, "amount_fen": 50_00}
    return await draft(session, bank, person, "topup", body, key="topup")


async def two(session: AsyncSession, bank: Bank) -> tuple[Person, Person]:
    rich = await make_person(session, bank, "张伟", "13900000001", 90_000_00)
    return rich, await make_person(session, bank, "李静", "13900000002")


async def test_a_lock_on_everything_stops_transfers_and_topups(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, other = await two(session, bank)
        done = await lock(session, bank, person, "all")
        assert ["锁定范围", "全部交易"] in done.receipt_facts
        with pytest.raises(AccountLocked):
            await transfer(session, bank, person, other, 1_00)
        with pytest.raises(AccountLocked) as refusal:
            await topup(session, bank, person)
        assert "解锁" in refusal.value.customer_text


async def test_a_lock_on_transfers_leaves_topups_alone(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, other = await two(session, bank)
        await lock(session, bank, person, "transfers")
        with pytest.raises(AccountLocked):
            await transfer(session, bank, person, other, 1_00)
        assert (await topup(session, bank, person)).status == "confirmed"


async def test_a_lock_on_large_amounts_begins_exactly_at_the_threshold(
    database: Database, bank: Bank
) -> None:
    async with database.transaction() as session:
        person, other = await two(session, bank)
        await lock(session, bank, person, "large")
        assert (await transfer(session, bank, person, other, bank.locks.large_fen - 1)).status == "confirmed"
        with pytest.raises(AccountLocked):
            await transfer(session, bank, person, other, bank.locks.large_fen)


async def test_a_lock_set_after_drafting_stops_the_execution(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, other = await two(session, bank)
        order = await transfer(session, bank, person, other, 5_00)
        await lock(session, bank, person, "all")
        with pytest.raises(AccountLocked):
            await bank.orders.execute(session, order.id, person.id, otp_verified=True)
        assert await bank.ledger.balance_fen(session, other.account.ledger_account_id) == 0


async def test_unlocking_needs_a_code_and_takes_every_lock_off(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, other = await two(session, bank)
        await lock(session, bank, person, "transfers")
        await lock(session, bank, person, "large")
        order = await draft(session, bank, person, "security_unlock", {}, key="unlock")
        assert ["解除范围", "大额交易、转账"] in order.facts
        with pytest.raises(StepUpRequired):
            await bank.orders.execute(session, order.id, person.id, otp_verified=False)
        assert len(await bank.locks.active(session, person.id)) == 2
        await bank.orders.execute(session, order.id, person.id, otp_verified=True)
        assert await bank.locks.active(session, person.id) == []
        assert (await transfer(session, bank, person, other, 5_00)).status == "confirmed"
        kinds = {event.kind for event in await bank.identity.log.recent(session, person.id)}
        assert {"lock_set", "lock_released"} <= kinds


async def test_the_same_lock_twice_is_one_lock(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, _ = await two(session, bank)
        first = await bank.locks.lock(session, person.id, "all")
        assert await bank.locks.lock(session, person.id, "all") is first
        assert len(await bank.locks.active(session, person.id)) == 1


async def test_a_lock_can_be_set_again_after_it_was_released(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, _ = await two(session, bank)
        first = await bank.locks.lock(session, person.id, "all")
        await bank.locks.unlock(session, person.id)
        second = await bank.locks.lock(session, person.id, "all")
        assert second.id != first.id
        assert not first.active


async def test_one_customers_lock_does_not_stop_another(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, other = await two(session, bank)
        await lock(session, bank, other, "all")
        assert (await transfer(session, bank, person, other, 5_00)).status == "confirmed"


async def test_there_is_nothing_to_unlock_without_a_lock(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person, _ = await two(session, bank)
        with pytest.raises(NothingLocked):
            await draft(session, bank, person, "security_unlock", {}, key="unlock")


@pytest.mark.parametrize("scope", ["everything", "", None, 3, ["all"]])
async def test_an_unknown_scope_is_answered_with_the_choices(
    database: Database, bank: Bank, scope: object
) -> None:
    async with database.transaction() as session:
        person, _ = await two(session, bank)
        with pytest.raises(InvalidInput) as refusal:
            await draft(session, bank, person, "security_lock", {"scope": scope}, key="lock")
        assert "转账" in refusal.value.customer_text
