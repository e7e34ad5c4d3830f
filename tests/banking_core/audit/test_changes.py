"""Whatever changes a customer's money or safety leaves its mark: who, for whom, before and after, masked."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import AuditQuery, AuditRecord, Who, acting, search
from banking_core.bank import Bank
from banking_core.identity.origin import Origin
from banking_core.storage import Database
from tests.banking_core.people import Person, give_card, make_person

ORIGIN = Origin(channel="web", address="203.0.113.7", device="d1", device_name="我的手机")


async def trail(database: Database, customer_id: str, action: str = "") -> list[AuditRecord]:
    async with database.snapshot() as session:
        page = await search(session, AuditQuery(customer_id=customer_id, action=action), limit=1000)
        return list(reversed(page.records))


async def zhang_wei(session: AsyncSession, bank: Bank) -> Person:
    return await make_person(session, bank, "张伟", "13800000004", 10_000_00)


async def test_a_new_customer(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await zhang_wei(session, bank)
    (record,) = await trail(database, person.id)
    assert (record.action, record.actor_kind, record.actor_id) == ("customer.registered", "system", "bank")
    assert record.after == {"name": "*伟", "phone": "138****0004", "level": "standard"}


async def test_the_payee_book(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await zhang_wei(session, bank)
        with acting(Who("customer", person.id, channel="web")):
            payee = await bank.payees.add(
                session,
                customer_id=person.id,
                name="司马明月",
                account_number="6222020200112233445",
                bank_code="ICBC",
            )
            await bank.payees.delete(session, person.id, payee.id)
    added, deleted = await trail(database, person.id, "payee.")
    shown = {"name": "**明月", "account": "尾号3445", "bank": payee.bank_name}
    assert (added.action, added.before) == ("payee.added", None)
    assert added.after is not None and added.after.keys() == shown.keys()
    assert (deleted.action, deleted.before, deleted.after) == ("payee.deleted", added.after, None)
    assert {added.object_id, deleted.object_id} == {payee.id}
    assert {added.actor_id, deleted.actor_id} == {person.id}
    written = str([added.after, deleted.before])
    assert "司马明月" not in written and "6222020200112233445" not in written and "3445" in written


async def test_locks_and_cards(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await zhang_wei(session, bank)
        card = await give_card(session, bank, person)
        await bank.locks.lock(session, person.id, "transfers")
        await bank.locks.lock(session, person.id, "transfers")
        await bank.locks.unlock(session, person.id)
        await bank.cards.report_loss(session, person.id, card.id)
        await bank.cards.report_loss(session, person.id, card.id)
        await bank.cards.cancel_loss(session, person.id, card.id)
    locks = await trail(database, person.id, "lock.")
    assert [(r.action, r.before["locked"], r.after["locked"]) for r in locks if r.before and r.after] == [
        ("lock.set", False, True),
        ("lock.released", True, False),
    ]
    cards = await trail(database, person.id, "card.")
    assert [(r.action, r.before, r.after["status"]) for r in cards if r.after] == [
        ("card.loss_reported", {"status": "active"}, "lost"),
        ("card.loss_cancelled", {"status": "lost"}, "active"),
    ]
    assert person.account.number not in str([r.after for r in cards])
    assert await trail(database, person.id, "security.") == [], "told once, by the area that knows more"


async def test_passwords_and_devices_with_where_from(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await zhang_wei(session, bank)
        await bank.identity.passwords.set(session, person.id, "Sunny-Day-2031!")
        await bank.identity.log.record(session, "device_bound", customer_id=person.id, origin=ORIGIN)
        await bank.identity.log.record(session, "otp_tried", customer_id=person.id, origin=ORIGIN)
    password, device = await trail(database, person.id, "security.")
    assert password.action == "security.password_set"
    assert (device.action, device.actor_kind, device.actor_id) == (
        "security.device_bound",
        "customer",
        person.id,
    )
    assert (device.channel, device.address, device.device) == ("web", "203.0.*.*", "我的手机")


async def test_every_step_of_an_order_and_by_whom(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await zhang_wei(session, bank)
        with acting(Who("customer", person.id, channel="web", address="203.0.*.*")) as who:
            order = await bank.orders.draft(
                session,
                customer_id=person.id,
                kind="security_lock",
                body={"scope": "all"},
                idempotency_key="k",
                channel="web",
            )
            await bank.orders.read_back(session, order.id, person.id)
            await bank.orders.confirm(session, order.id, person.id)
            await bank.orders.execute(session, order.id, person.id, otp_verified=False)
            same: Any = await bank.orders.draft(
                session,
                customer_id=person.id,
                kind="security_lock",
                body={"scope": "all"},
                idempotency_key="k",
                channel="web",
            )
            assert same.id == order.id
    steps = await trail(database, person.id, "order.")
    assert [step.action.removeprefix("order.") for step in steps] == [
        "drafted",
        "read_back",
        "confirmed",
        "authorised",
        "executed",
    ]
    assert {(step.actor_id, step.address, step.object_id) for step in steps} == {
        (person.id, "203.0.*.*", order.number)
    }
    assert {step.correlation_id for step in steps} == {who.correlation_id}
    assert steps[1].before == {"status": "drafted"}
    assert steps[-1].after == {"status": "executed", "kind": "security_lock", "amount_fen": 0}


async def test_an_order_that_expires_was_moved_by_the_bank_s_own_job(database: Database, bank: Bank) -> None:
    async with database.transaction() as session:
        person = await zhang_wei(session, bank)
        await bank.orders.draft(
            session,
            customer_id=person.id,
            kind="security_lock",
            body={"scope": "all"},
            idempotency_key="k",
            channel="web",
        )
    bank.clock.advance(seconds=3600)  # type: ignore[attr-defined]
    async with database.transaction() as session:
        assert await bank.orders.expire_due(session) == 1
    *_, last = await trail(database, person.id)
    assert (last.action, last.actor_kind, last.actor_id) == ("order.expired", "system", "order_expiry")
