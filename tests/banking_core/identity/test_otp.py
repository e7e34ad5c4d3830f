from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import text

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.errors import ProviderUnavailable
from banking_core.identity import (
    LOGIN,
    NOWHERE,
    CodePurpose,
    OneTimeCodes,
    Origin,
    OtpSent,
    OtpTooMany,
    OtpUnknown,
)
from banking_core.identity.keys import Fingerprints
from banking_core.storage import Database, new_id
from tests.banking_core.people import Person, make_person

PHONE = "13800000004"
PAYING = CodePurpose("order:1", signs="a", words="转账（*三，¥500.00）")


@pytest.fixture
async def person(database: Database, core: Core) -> Person:
    async with database.transaction() as session:
        return await make_person(session, core, "张伟", PHONE)


async def message_to(core: Core, phone: str = PHONE) -> str:
    assert core.providers.sandbox_sms is not None
    return (await core.providers.sandbox_sms.recent(1, phone=phone))[0].text


async def send(
    database: Database,
    core: Core,
    person: Person,
    purpose: CodePurpose = PAYING,
    origin: Origin = NOWHERE,
) -> tuple[OtpSent, str]:
    """A code and what the customer reads on the phone."""
    phone = person.customer.phone
    async with database.transaction() as session:
        sent = await core.identity.otp.send(
            session, customer_id=person.id, phone=phone, purpose=purpose, origin=origin
        )
    found = re.search(r"验证码(\d{6})", await message_to(core, phone))
    assert found is not None
    return sent, found.group(1)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def attempt(
    database: Database,
    core: Core,
    sent: OtpSent,
    code: str,
    person: Person,
    purpose: CodePurpose = PAYING,
) -> tuple[str, int]:
    async with database.transaction() as session:
        outcome = await core.identity.otp.verify(
            session, sent.challenge_id, code, customer_id=person.id, purpose=purpose
        )
    return outcome.kind, outcome.tries_left


async def test_the_code_from_the_message_is_accepted_once(
    database: Database, core: Core, person: Person
) -> None:
    sent, code = await send(database, core, person)
    assert sent.masked_phone == "138****0004"
    assert await attempt(database, core, sent, f" {code} ", person) == ("ok", 0)
    assert await attempt(database, core, sent, code, person) == ("used", 0)


async def test_three_wrong_tries_end_the_code(database: Database, core: Core, person: Person) -> None:
    sent, code = await send(database, core, person)
    outcomes = [await attempt(database, core, sent, wrong(code), person) for _ in range(3)]
    assert outcomes == [("wrong", 2), ("wrong", 1), ("exhausted", 0)]
    assert await attempt(database, core, sent, code, person) == ("exhausted", 0)


async def test_a_code_expires(database: Database, core: Core, person: Person, clock: ManualClock) -> None:
    sent, code = await send(database, core, person)
    assert (sent.expires_at - clock.now()).total_seconds() == core.terms.integer("security.otp_valid_s")
    clock.advance(seconds=core.terms.integer("security.otp_valid_s"))
    assert await attempt(database, core, sent, code, person) == ("expired", 0)


async def test_a_new_code_voids_the_older_one_of_its_purpose_only(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    await send(database, core, person)
    clock.advance(seconds=core.terms.integer("security.otp_resend_wait_s"))
    other, other_code = await send(database, core, person, LOGIN)
    clock.advance(seconds=core.terms.integer("security.otp_resend_wait_s"))
    await send(database, core, person, LOGIN)
    assert await attempt(database, core, other, other_code, person, LOGIN) == ("expired", 0)
    async with database.snapshot() as session:
        rows = await session.execute(text("SELECT purpose, status FROM otp_challenge ORDER BY sent_at"))
        statuses = [tuple(row) for row in rows]
    assert statuses == [("order:1", "open"), ("login", "void"), ("login", "open")]


async def test_another_code_too_soon_is_refused_with_the_waiting_time(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    await send(database, core, person)
    clock.advance(seconds=10)
    with pytest.raises(OtpTooMany) as refused:
        await send(database, core, person)
    wait_s = core.terms.integer("security.otp_resend_wait_s") - 10
    assert refused.value.retry_after_s == wait_s
    assert f"{wait_s}秒" in refused.value.customer_text


async def test_a_code_that_was_given_makes_nobody_wait_for_the_next(
    database: Database, core: Core, person: Person
) -> None:
    sent, code = await send(database, core, person, LOGIN)
    assert await attempt(database, core, sent, code, person, LOGIN) == ("ok", 0)
    await send(database, core, person)
    with pytest.raises(OtpTooMany):
        await send(database, core, person)


async def test_a_code_may_be_for_one_order_and_says_so(
    database: Database, core: Core, person: Person
) -> None:
    purpose = CodePurpose(f"order:{new_id()}", signs="s", words=PAYING.words)
    sent, code = await send(database, core, person, purpose)
    assert "用于转账（*三，¥500.00），60秒内有效" in await message_to(core)
    assert await attempt(database, core, sent, code, person, purpose) == ("ok", 0)


async def test_a_code_opens_no_other_door(database: Database, core: Core, person: Person) -> None:
    sent, code = await send(database, core, person)
    for purpose in (LOGIN, CodePurpose("order:2", signs=PAYING.signs)):
        with pytest.raises(OtpUnknown):
            await attempt(database, core, sent, code, person, purpose)
    assert await attempt(database, core, sent, code, person) == ("ok", 0)


async def test_a_code_for_an_order_that_changed_since_is_wrong(
    database: Database, core: Core, person: Person
) -> None:
    sent, code = await send(database, core, person)
    changed = CodePurpose(PAYING.name, signs="another payee")
    assert await attempt(database, core, sent, code, person, changed) == ("wrong", 2)
    assert await attempt(database, core, sent, code, person) == ("ok", 0)


@pytest.mark.parametrize(
    "odd", ["", "12345", "1234567", "一二三四五六", "\ud800", "\0", "１２３４５６", "x" * 9000]
)
async def test_what_is_no_code_is_a_wrong_one(
    database: Database, core: Core, person: Person, odd: str
) -> None:
    sent, _ = await send(database, core, person)
    assert await attempt(database, core, sent, odd, person) == ("wrong", 2)


async def test_codes_asked_for_at_once_are_sent_once(database: Database, core: Core, person: Person) -> None:
    results = await asyncio.gather(*(send(database, core, person) for _ in range(4)), return_exceptions=True)
    assert [isinstance(result, OtpTooMany) for result in results].count(False) == 1
    assert core.providers.sandbox_sms is not None
    assert len(await core.providers.sandbox_sms.recent()) == 1


async def test_a_code_tried_by_two_at_once_opens_one_door(
    database: Database, core: Core, person: Person
) -> None:
    sent, code = await send(database, core, person)
    outcomes = await asyncio.gather(*(attempt(database, core, sent, code, person) for _ in range(3)))
    assert sorted(kind for kind, _ in outcomes) == ["ok", "used", "used"]


async def test_another_customers_code_is_unknown(database: Database, core: Core, person: Person) -> None:
    sent, code = await send(database, core, person)
    async with database.transaction() as session:
        other = await make_person(session, core, "李静", "13800000006")
        with pytest.raises(OtpUnknown):
            await core.identity.otp.verify(
                session, sent.challenge_id, code, customer_id=other.id, purpose=PAYING
            )
    assert await attempt(database, core, sent, code, person) == ("ok", 0)


async def test_no_message_is_sent_when_the_transaction_is_rolled_back(
    database: Database, core: Core, person: Person
) -> None:
    with pytest.raises(RuntimeError, match="crash"):
        async with database.transaction() as session:
            await core.identity.otp.send(session, customer_id=person.id, phone=PHONE, purpose=LOGIN)
            raise RuntimeError("crash")
    assert core.providers.sandbox_sms is not None
    assert await core.providers.sandbox_sms.recent() == []


async def test_the_code_is_nowhere_in_the_banks_database(
    database: Database, core: Core, person: Person
) -> None:
    _, code = await send(database, core, person)
    async with database.engine.connect() as connection:
        for table in ("otp_challenge", "security_event"):
            rows = (await connection.exec_driver_sql(f"SELECT * FROM {table}")).mappings().all()
            for row in rows:
                columns = {
                    name: value
                    for name, value in row.items()
                    if name not in ("id", "code_hmac", "customer_id", "phone_key", "address_key")
                }
                assert code not in str(columns)
                assert PHONE not in str(row)


async def test_a_silent_sms_gateway_does_not_break_the_conversation(
    database: Database, core: Core, person: Person
) -> None:
    class Silent:
        async def send(self, *, key: str, phone: str, text: str) -> None:
            raise ProviderUnavailable("no answer")

    codes = OneTimeCodes(
        fingerprints=Fingerprints(b"k" * 32),
        clock=core.clock,
        terms=core.terms,
        customers=core.customers,
        sms=Silent(),
        security_log=core.identity.log,
    )
    async with database.transaction() as session:
        sent = await codes.send(session, customer_id=person.id, phone=PHONE, purpose=LOGIN)
    assert await attempt(database, core, sent, "000000", person, LOGIN) in [("wrong", 2), ("ok", 0)]
