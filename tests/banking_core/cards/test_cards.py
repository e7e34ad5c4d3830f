"""Cards: looked up by their holder only, stopped at once, given back only when they were lost."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.cards import Card, CardLost, CardNotFound, CardStateConflict
from banking_core.clock import ManualClock
from banking_core.orders import Order, StepUpRequired
from banking_core.storage import Database
from tests.banking_core.people import Person, fund, give_card, make_person


async def order(
    session: AsyncSession, bank: Bank, person: Person, kind: str, body: dict[str, object], *, key: str
) -> Order:
    drafted = await bank.orders.draft(
        session, customer_id=person.id, kind=kind, body=body, idempotency_key=key, channel="web"
    )
    await bank.orders.read_back(session, drafted.id, person.id)
    await bank.orders.confirm(session, drafted.id, person.id)
    return drafted


async def report(session: AsyncSession, bank: Bank, person: Person, card: Card, key: str = "loss") -> Order:
    drafted = await order(session, bank, person, "card_report_loss", {"card_id": card.id}, key=key)
    return await bank.orders.execute(session, drafted.id, person.id, otp_verified=False)


async def test_a_reported_card_is_lost_at_once_and_without_a_code(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 100_00)
        card = await give_card(session, bank, person)
        done = await report(session, bank, person, card)
        assert done.status == "executed"
        assert ["状态", "已挂失"] in done.receipt_facts
    async with database.snapshot() as session:
        kept = await bank.cards.own(session, person.id, card.id)
        assert (kept.status, kept.lost_at) == ("lost", bank.clock.now())
        events = await bank.identity.log.recent(session, person.id)
        assert [event.kind for event in events] == ["card_loss_reported"]


async def test_a_lost_card_keeps_the_money_of_its_account_where_it_is(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 100_00)
        other = await make_person(session, bank, "李静", "13900000002")
        card = await give_card(session, bank, person)
        await report(session, bank, person, card)
        body = {
            "from_account_id": person.account.id,
            "payee_name": "李静",
            "payee_account_number": other.account.number,
            "payee_bank_code": None,
            "amount_fen": 10_00,
            "purpose": "",
        }
        with pytest.raises(CardLost):
            await order(session, bank, person, "transfer", body, key="pay")
        assert await bank.ledger.balance_fen(session, person.account.ledger_account_id) == 100_00


async def test_a_loss_reported_after_drafting_still_stops_the_payment(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 100_00)
        card = await give_card(session, bank, person)
        body = {"from_account_id": person.account.id, "phone": "13800000004", "amount_fen": 50_00}
        topup = await order(session, bank, person, "topup", body, key="topup")
        await report(session, bank, person, card)
        with pytest.raises(CardLost):
            await bank.orders.execute(session, topup.id, person.id, otp_verified=True)
        assert await bank.ledger.balance_fen(session, person.account.ledger_account_id) == 100_00


async def test_money_may_still_come_in_to_an_account_whose_card_is_lost(
    database: Database, bank: Bank
) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001")
        await report(session, bank, person, await give_card(session, bank, person))
        await fund(session, bank, person.account, 50_00)
        assert await bank.ledger.balance_fen(session, person.account.ledger_account_id) == 50_00


async def test_a_found_card_needs_a_code_to_work_again(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001", 100_00)
        card = await give_card(session, bank, person)
        await report(session, bank, person, card)
        found = await order(session, bank, person, "card_cancel_loss", {"card_id": card.id}, key="found")
        with pytest.raises(StepUpRequired):
            await bank.orders.execute(session, found.id, person.id, otp_verified=False)
        assert card.status == "lost"
        await bank.orders.execute(session, found.id, person.id, otp_verified=True)
        assert (card.status, card.lost_at) == ("active", None)
        await bank.cards.ensure_account_may_pay(session, person.account.id)


async def test_cancelling_a_loss_does_not_thaw_a_frozen_card(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001")
        card = await give_card(session, bank, person, status="frozen")
        await report(session, bank, person, card)
        await bank.cards.cancel_loss(session, person.id, card.id)
        assert card.status == "frozen"
        with pytest.raises(CardLost):
            await bank.cards.ensure_account_may_pay(session, person.account.id)


async def test_a_second_report_keeps_the_time_of_the_first(
    database: Database, bank: Bank, clock: ManualClock
) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001")
        card = await give_card(session, bank, person)
        first = clock.now()
        await bank.cards.report_loss(session, person.id, card.id)
        clock.advance(seconds=60)
        await bank.cards.report_loss(session, person.id, card.id)
        assert card.lost_at == first
        with pytest.raises(CardStateConflict) as refusal:
            await order(session, bank, person, "card_report_loss", {"card_id": card.id}, key="again")
        assert "已经挂失" in refusal.value.customer_text


async def test_a_card_that_is_not_lost_cannot_be_found(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001")
        card = await give_card(session, bank, person)
        with pytest.raises(CardStateConflict):
            await order(session, bank, person, "card_cancel_loss", {"card_id": card.id}, key="found")


@pytest.mark.parametrize("card_id", ["nope", "", None, 7, ["x"]])
async def test_bad_card_ids_are_answered_and_not_crashed_on(
    database: Database, bank: Bank, card_id: object
) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13900000001")
        with pytest.raises(CardNotFound):
            await order(session, bank, person, "card_report_loss", {"card_id": card_id}, key="bad")


async def test_somebody_elses_card_looks_like_no_card(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        owner = await make_person(session, bank, "张伟", "13900000001")
        stranger = await make_person(session, bank, "李静", "13900000002")
        card = await give_card(session, bank, owner)
        with pytest.raises(CardNotFound):
            await order(session, bank, stranger, "card_report_loss", {"card_id": card.id}, key="theft")
        assert await bank.cards.list_for(session, stranger.id) == []
        assert await bank.cards.by_tail(session, owner.id, card.tail) == [card]
        assert await bank.cards.by_tail(session, owner.id, "x") == []
        assert await bank.cards.by_tail(session, stranger.id, card.tail) == []
