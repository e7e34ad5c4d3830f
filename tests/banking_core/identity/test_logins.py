"""Logging in, the same on every channel: password, then a code or the app's code; trusted devices; odd courses."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from banking_core.clock import ManualClock
from banking_core.identity import (
    LoginDone,
    LoginNeeds,
    LoginRefusal,
    LoginStale,
)
from banking_core.identity.models import PasswordCredential
from banking_core.storage import Database
from tests.banking_core.identity.logging_in import HERE, Customer
from tests.banking_core.people import Person


@pytest.fixture
def person(customer: Customer) -> Person:
    return customer.person


async def test_a_log_in_begun_with_the_old_password_goes_no_further(customer: Customer) -> None:
    needs = await customer.start()
    async with customer.database.transaction() as session:
        await customer.core.identity.passwords.set(session, customer.person.id, "river-Tulip-48")
    with pytest.raises(LoginStale):
        await customer.give(needs)


async def test_password_and_code_make_a_log_in_that_says_what_was_proved(
    customer: Customer, person: Person
) -> None:
    needs = await customer.start()
    assert isinstance(needs, LoginNeeds) and needs.need == "otp"
    assert needs.sent is not None and needs.sent.masked_phone == "138****0004"
    done = await customer.give(needs)
    assert isinstance(done, LoginDone)
    assert (done.customer_id, done.how) == (person.id, "密码+短信验证码")
    assert done.device_id is not None
    assert (await customer.events())[0] == ("login_ok", "ok")


async def test_a_wrong_password_goes_no_further(customer: Customer) -> None:
    assert await customer.start("wrong") == LoginRefusal("password", "wrong", 4)


async def test_an_unknown_number_is_told_the_same_as_a_wrong_password(customer: Customer) -> None:
    async with customer.database.transaction() as session:
        unknown = await customer.core.identity.logins.start(session, "13900000000", "wrong", origin=HERE)
    assert unknown == await customer.start("wrong")


async def test_wrong_codes_are_counted_and_a_new_one_goes_on(
    customer: Customer, person: Person, clock: ManualClock
) -> None:
    needs = await customer.start()
    tries = [await customer.give(needs, "000000") for _ in range(4)]
    assert [(r.kind, r.tries_left) for r in tries if isinstance(r, LoginRefusal)] == [
        ("wrong", 2),
        ("wrong", 1),
        ("exhausted", 0),
        ("exhausted", 0),
    ]
    assert (await customer.events())[0] == ("login_proof_refused", "exhausted")
    clock.advance(seconds=60)
    assert isinstance(await customer.give(await customer.resend(needs)), LoginDone)


async def test_a_code_asked_for_too_soon_is_not_sent_and_the_log_in_waits(
    customer: Customer, clock: ManualClock
) -> None:
    await customer.start()
    needs = await customer.start()
    assert isinstance(needs, LoginNeeds) and needs.sent is None and needs.not_sent is not None
    assert "60秒后" in needs.not_sent.customer_text
    assert await customer.give(needs) == LoginRefusal("otp", "expired")
    clock.advance(seconds=60)
    assert isinstance(await customer.give(await customer.resend(needs)), LoginDone)


async def test_a_log_in_goes_on_only_where_it_was_begun_and_not_for_ever(
    customer: Customer, clock: ManualClock
) -> None:
    needs = await customer.start()
    thief = replace(customer, origin=replace(HERE, session_id="visit-2"))
    for step in (thief.give(needs), thief.resend(needs)):
        with pytest.raises(LoginStale):
            await step
    clock.advance(seconds=600)
    with pytest.raises(LoginStale):
        await customer.give(needs)


async def test_one_right_code_given_twice_at_once_is_one_log_in(customer: Customer) -> None:
    needs = await customer.start()
    results = await asyncio.gather(*(customer.give(needs) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(result, LoginDone) for result in results) == 1
    assert sum(isinstance(result, LoginStale) for result in results) == 2


async def test_a_trusted_device_needs_no_code_and_another_does(
    customer: Customer, person: Person, clock: ManualClock
) -> None:
    first = await customer.log_in(trust=True)
    again = await customer.start()
    assert isinstance(again, LoginDone)
    assert (again.device_id, again.how) == (first.device_id, "密码")
    elsewhere = replace(customer, origin=replace(HERE, device="b" * 64))
    clock.advance(seconds=60)
    assert isinstance(await elsewhere.start(), LoginNeeds)
    assert await customer.start("wrong") == LoginRefusal("password", "wrong", 4)


async def test_a_device_is_trusted_only_by_a_finished_log_in(customer: Customer, clock: ManualClock) -> None:
    await customer.start(trust=True)
    clock.advance(seconds=60)
    assert isinstance(await customer.start(), LoginNeeds)


async def test_a_device_once_used_is_not_trusted_unasked(customer: Customer) -> None:
    await customer.log_in()
    assert isinstance(await customer.start(), LoginNeeds)


class App:
    def __init__(self, secret: str, clock: ManualClock) -> None:
        self._totp, self._clock = TOTP(base64.b32decode(secret), 6, SHA1(), 60), clock

    def code(self) -> str:
        return self._totp.generate(int(self._clock.now().timestamp())).decode()


async def bind_app(customer: Customer, person: Person, clock: ManualClock) -> tuple[App, str]:
    totp = customer.core.identity.totp
    async with customer.database.transaction() as session:
        app = App((await totp.enrol(session, person.id)).secret, clock)
        _, recovery = await totp.confirm(session, person.id, app.code())
    clock.advance(seconds=60)
    return app, recovery[0]


async def test_a_bound_app_takes_the_place_of_the_text_message(
    customer: Customer, person: Person, clock: ManualClock
) -> None:
    app, _ = await bind_app(customer, person, clock)
    needs = await customer.start()
    assert needs == LoginNeeds(needs.attempt_id, "totp") if isinstance(needs, LoginNeeds) else False
    assert customer.core.providers.sandbox_sms is not None
    assert await customer.core.providers.sandbox_sms.recent() == []
    assert await customer.give(needs, "000000") == LoginRefusal("totp", "wrong", 4)
    done = await customer.give(needs, app.code())
    assert isinstance(done, LoginDone) and done.how == "密码+动态口令"


async def test_without_the_app_a_recovery_code_or_a_text_message_do(
    customer: Customer, person: Person, clock: ManualClock
) -> None:
    _, recovery = await bind_app(customer, person, clock)
    done = await customer.give(await customer.start(), recovery)
    assert isinstance(done, LoginDone) and done.how == "密码+恢复码"
    used = await customer.give(await customer.start(), recovery)
    assert used == LoginRefusal("totp", "wrong", 4)
    needs = await customer.resend(await customer.start())
    assert needs.need == "otp"
    done = await customer.give(needs)
    assert isinstance(done, LoginDone) and done.how == "密码+短信验证码"


@pytest.mark.parametrize("odd", ["", "12", "\0", "\ud800", "x" * 5000, "１２３４５６"])
async def test_what_is_no_proof_is_a_wrong_one(
    customer: Customer, person: Person, clock: ManualClock, odd: str
) -> None:
    assert await customer.give(await customer.start(), odd) == LoginRefusal("otp", "wrong", 2)
    clock.advance(seconds=60)
    await bind_app(customer, person, clock)
    assert await customer.give(await customer.start(), odd) == LoginRefusal("totp", "wrong", 4)


async def test_parameters_of_the_settings_reach_the_hash(database: Database, person: Person) -> None:
    async with database.snapshot() as session:
        credential = await session.get(PasswordCredential, person.id)
    assert credential is not None and "m=8,t=1,p=1" in credential.password_hash
