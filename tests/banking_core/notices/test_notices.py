"""A notice is recorded once, and an urgent one goes out as one text message."""

from __future__ import annotations

import asyncio

import pytest

from banking_core.bank import Bank
from banking_core.clock import ManualClock
from banking_core.errors import ProviderUnavailable
from banking_core.notices import Notice
from banking_core.notices.service import TRIES_MAX
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

PHONE = "13800000004"
TEXT = "您约定的转账没有成功，余额不足。"


@pytest.fixture
async def person(bank: Bank, database: Database) -> Person:
    async with database.transaction() as session:
        return await make_person(session, bank, "张伟", PHONE)


async def tell(
    bank: Bank, database: Database, person: Person, key: str = "k", *, urgent: bool = True
) -> Notice:
    async with database.transaction() as session:
        return await bank.notices.tell(
            session, key=key, customer_id=person.id, kind="test", text=TEXT, urgent=urgent
        )


async def messages(bank: Bank) -> list[str]:
    sandbox = bank.providers.sandbox_sms
    assert sandbox is not None
    return [message.text for message in await sandbox.recent(phone=PHONE)]


async def test_one_key_is_told_once(bank: Bank, database: Database, person: Person) -> None:
    first, second = await tell(bank, database, person), await tell(bank, database, person)
    assert first.id == second.id
    sent = await asyncio.gather(*(bank.notices.send_due(database) for _ in range(3)))
    assert sum(sent) >= 1
    assert await bank.notices.send_due(database) == 0
    assert await messages(bank) == [f"【掌柜银行】{TEXT}"]


async def test_what_is_not_urgent_waits_to_be_read(bank: Bank, database: Database, person: Person) -> None:
    await tell(bank, database, person, urgent=False)
    assert await bank.notices.send_due(database) == 0
    async with database.transaction() as session:
        (notice,) = await bank.notices.list(session, person.id, unread=True)
        assert notice.text == TEXT and notice.text_sealed != TEXT
        await bank.notices.mark_read(session, person.id, [notice])
        assert await bank.notices.list(session, person.id, unread=True) == []
        assert len(await bank.notices.list(session, person.id)) == 1
    assert await messages(bank) == []


async def test_a_gateway_that_does_not_answer_is_asked_again_and_not_for_ever(
    bank: Bank, database: Database, person: Person, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = await tell(bank, database, person)
    asked = []

    async def silent(*, key: str, phone: str, text: str) -> None:
        asked.append(key)
        raise ProviderUnavailable

    monkeypatch.setattr(bank.providers.sms, "send", silent)
    for _ in range(TRIES_MAX + 3):
        assert await bank.notices.send_due(database) == 0
        assert await bank.notices.send_due(database) == 0
        clock.advance(seconds=3600 * 2)
    assert asked == [f"notice:{notice.id}"] * TRIES_MAX
    async with database.snapshot() as session:
        (stored,) = await bank.notices.list(session, person.id)
    assert stored.given_up_at is not None and stored.sent_at is None
