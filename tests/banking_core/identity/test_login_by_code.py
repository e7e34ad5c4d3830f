"""Logging in by telephone, where no password can be given: code and end of the ID number; strangers learn nothing."""

from __future__ import annotations

import pytest

from banking_core.clock import ManualClock
from banking_core.identity import LoginDone, LoginNeeds, LoginRefusal, LoginResult, LoginStale, Origin
from tests.banking_core.identity.logging_in import CODE, PHONE, Customer, known_code

CALL = Origin(channel="phone", device_name="电话", caller=PHONE)
STRANGER = "13900000000"


async def start(customer: Customer, phone: str = PHONE) -> LoginNeeds:
    async with customer.database.transaction() as session:
        return await customer.core.identity.logins.start_by_code(session, phone, origin=CALL)


async def give(customer: Customer, needs: LoginResult, secret: str) -> LoginResult:
    assert isinstance(needs, LoginNeeds)
    async with customer.database.transaction() as session:
        return await customer.core.identity.logins.give(session, needs.attempt_id, secret, origin=CALL)


async def test_code_and_end_of_the_id_number_make_a_log_in_that_says_so(customer: Customer) -> None:
    needs = await start(customer)
    assert (needs.need, needs.sent is not None) == ("otp", True)
    needs = await give(customer, needs, CODE)
    assert isinstance(needs, LoginNeeds) and needs.need == "id_tail"
    done = await give(customer, needs, customer.id_tail)
    assert isinstance(done, LoginDone) and done.how == "短信验证码+证件后四位"
    assert done.device_id is None


async def test_the_code_alone_is_not_enough(customer: Customer) -> None:
    needs = await give(customer, await start(customer), CODE)
    refusal = await give(customer, needs, "0000")
    assert isinstance(refusal, LoginRefusal) and (refusal.proof, refusal.kind) == ("id_tail", "wrong")


async def test_an_unknown_number_gets_the_same_answers_and_no_code_is_ever_right(customer: Customer) -> None:
    known, unknown = await start(customer), await start(customer, STRANGER)
    assert unknown.need == known.need and unknown.sent is not None and known.sent is not None
    assert unknown.sent.resend_after_s == known.sent.resend_after_s
    for _ in range(3):
        ours, theirs = await give(customer, known, "000000"), await give(customer, unknown, "000000")
        assert ours == theirs and isinstance(ours, LoginRefusal)
    fresh = await give(customer, await start_again(customer), CODE)
    assert isinstance(fresh, LoginRefusal)


async def start_again(customer: Customer) -> LoginNeeds:
    """A stranger's number once more, with every code known to be CODE."""
    clock = customer.core.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds=61)
    with known_code():
        return await start(customer, STRANGER)


async def test_no_message_goes_to_an_unknown_number(customer: Customer) -> None:
    await start(customer, STRANGER)
    sandbox = customer.core.providers.sandbox_sms
    assert sandbox is not None
    assert list(await sandbox.recent(5, phone=STRANGER)) == []


async def test_too_many_codes_are_refused_for_known_and_unknown_numbers_alike(customer: Customer) -> None:
    for phone in (PHONE, STRANGER):
        first, second = await start(customer, phone), await start(customer, phone)
        assert first.not_sent is None and second.not_sent is not None


async def test_a_log_in_of_another_visit_is_not_gone_on_with(customer: Customer) -> None:
    needs = await start(customer)
    with pytest.raises(LoginStale):
        async with customer.database.transaction() as session:
            await customer.core.identity.logins.give(
                session, needs.attempt_id, CODE, origin=Origin(session_id="another")
            )
