"""A forgotten password: code, real name and ID number, then a new one; small amounts only for a day."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from unittest.mock import patch

import pytest

from banking_core.clock import ManualClock
from banking_core.errors import ProviderUnavailable
from banking_core.identity import (
    LoginDone,
    LoginRefusal,
    OtpTooMany,
    Papers,
    PasswordTooWeak,
    RecoveryOutcome,
    RecoveryPaused,
    RecoveryPhoneInvalid,
    RecoverySent,
    RecoveryStale,
)
from banking_core.restrictions import CustomerFrozen, CustomerRestricted
from tests.banking_core.identity.logging_in import CODE, HERE, PASSWORD, PHONE, Customer

NEW = "river-Tulip-48"
STRANGER = "13900000000"
DAY_S = 24 * 3600


async def begin(customer: Customer, phone: str = PHONE) -> RecoverySent:
    async with customer.database.transaction() as session:
        return await customer.core.identity.recoveries.start(session, phone, origin=customer.origin)


def papers(customer: Customer, **changes: str) -> Papers:
    known = {"name": customer.person.customer.name, "id_number": customer.person.customer.id_number}
    return Papers(**(known | changes))


async def prove(
    customer: Customer, sent: RecoverySent, code: str = CODE, shown: Papers | None = None
) -> RecoveryOutcome:
    return await customer.core.identity.recoveries.prove(
        customer.database, sent.recovery_id, code, shown or papers(customer), origin=customer.origin
    )


async def finish(customer: Customer, sent: RecoverySent, password: str = NEW) -> None:
    async with customer.database.transaction() as session:
        await customer.core.identity.recoveries.finish(
            session, sent.recovery_id, password, origin=customer.origin
        )


async def recover(customer: Customer) -> None:
    sent = await begin(customer)
    assert await prove(customer, sent) == RecoveryOutcome("ok")
    await finish(customer, sent)


async def test_code_and_papers_lead_to_a_new_password(customer: Customer, clock: ManualClock) -> None:
    await customer.log_in(trust=True)
    token = ""
    async with customer.database.transaction() as session:
        done = LoginDone(customer.person.id, None, "密码")
        token, _ = await customer.core.identity.sessions.open(session, channel="web", login=done)
    clock.advance(seconds=60)
    await recover(customer)
    assert isinstance(await customer.start(PASSWORD), LoginRefusal)
    clock.advance(seconds=60)
    assert not isinstance(await customer.start(NEW), LoginRefusal | LoginDone)  # no device is trusted
    async with customer.database.snapshot() as session:
        assert await customer.core.identity.sessions.find(session, token) is None
    assert "您的登录密码已通过身份验证重设，24小时内只能办理小额" in (await customer.told())[0]


async def test_lower_case_and_blanks_in_the_papers_do_not_matter(customer: Customer) -> None:
    shown = papers(customer, id_number=f" {customer.person.customer.id_number.lower()} ", name=" 张伟 ")
    assert await prove(customer, await begin(customer), f" {CODE} ", shown) == RecoveryOutcome("ok")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "张三"},
        {"name": ""},
        {"name": "张伟伟"},
        {"id_number": "11010119900307001X"},
        {"id_number": ""},
        {"id_number": "\0\ud800"},
        {"name": "长" * 9000},
    ],
)
async def test_wrong_papers_and_a_wrong_code_get_the_same_answer(
    customer: Customer, changes: dict[str, str]
) -> None:
    sent = await begin(customer)
    assert await prove(customer, sent, CODE, papers(customer, **changes)) == RecoveryOutcome("wrong", 2)
    other = replace(customer)
    assert await prove(other, sent, "000000") == RecoveryOutcome("ok")  # the code was right the first time


async def test_a_stranger_s_number_gets_the_same_answers_and_no_message(
    customer: Customer, clock: ManualClock
) -> None:
    known, unknown = await begin(customer), await begin(customer, STRANGER)
    assert (known.resend_after_s, known.expires_at) == (unknown.resend_after_s, unknown.expires_at)
    assert (known.masked_phone, unknown.masked_phone) == ("138****0004", "139****0000")
    assert len(known.recovery_id) == len(unknown.recovery_id)
    answers: dict[str, list[object]] = {"known": [], "unknown": []}
    for name, sent, phone in (("known", known, PHONE), ("unknown", unknown, STRANGER)):
        with pytest.raises(OtpTooMany) as refused:
            await begin(customer, phone)
        answers[name].append(refused.value.customer_text)
        for code in ("000000", CODE, "1"):
            answers[name].append(await prove(customer, sent, code, papers(customer, name="王五")))
        with pytest.raises(RecoveryPaused) as paused:
            await begin(customer, phone)
        answers[name].append(paused.value.customer_text)
    assert answers["known"] == answers["unknown"]
    assert customer.core.providers.sandbox_sms is not None
    assert await customer.core.providers.sandbox_sms.recent(phone=STRANGER) == []


async def test_three_wrong_tries_pause_recovery_of_the_number_for_an_hour(
    customer: Customer, clock: ManualClock
) -> None:
    sent = await begin(customer)
    kinds = [(await prove(customer, sent, "000000")).kind for _ in range(4)]
    assert kinds == ["wrong", "wrong", "locked", "locked"]
    assert (await prove(customer, sent)).kind == "locked"
    with pytest.raises(RecoveryPaused) as paused:
        await begin(customer)
    assert (paused.value.retry_after_s, "1小时" in paused.value.customer_text) == (3600, True)
    clock.advance(seconds=3600)
    await recover(customer)


async def test_a_new_password_may_be_set_only_after_proof_once_and_in_time(
    customer: Customer, clock: ManualClock
) -> None:
    sent = await begin(customer)
    with pytest.raises(RecoveryStale):
        await finish(customer, sent)
    await prove(customer, sent)
    with pytest.raises(PasswordTooWeak):
        await finish(customer, sent, "weak")
    await finish(customer, sent)
    with pytest.raises(RecoveryStale):
        await finish(customer, sent, "another-Tulip-48")
    clock.advance(seconds=60)
    late = await begin(customer)
    await prove(customer, late)
    clock.advance(seconds=15 * 60)
    with pytest.raises(RecoveryStale):
        await finish(customer, late)


async def test_a_recovery_goes_on_only_where_it_was_begun(customer: Customer) -> None:
    sent = await begin(customer)
    thief = replace(customer, origin=replace(HERE, session_id="visit-2"))
    with pytest.raises(RecoveryStale):
        await prove(thief, sent)
    await prove(customer, sent)
    with pytest.raises(RecoveryStale):
        await finish(thief, sent)


async def test_a_code_for_recovery_logs_nobody_in(customer: Customer, clock: ManualClock) -> None:
    await begin(customer)
    clock.advance(seconds=60)
    with patch("banking_core.identity.otp.random_code", return_value="999999"):
        needs = await customer.start()
    assert await customer.give(needs, CODE) == LoginRefusal("otp", "wrong", 2)


async def test_two_proofs_at_once_lead_to_one_new_password(customer: Customer) -> None:
    sent = await begin(customer)
    outcomes = await asyncio.gather(*(prove(customer, sent) for _ in range(3)), return_exceptions=True)
    assert RecoveryOutcome("ok") in outcomes
    results = await asyncio.gather(
        *(finish(customer, sent, password) for password in (NEW, "another-Tulip-48")), return_exceptions=True
    )
    assert Counter(type(result) for result in results) == {type(None): 1, RecoveryStale: 1}


async def test_a_recovered_password_ends_the_pause_of_the_log_in(customer: Customer) -> None:
    for _ in range(5):
        refusal = await customer.start("wrong")
    assert isinstance(refusal, LoginRefusal) and refusal.kind == "locked"
    await recover(customer)
    assert not isinstance(await customer.start(NEW), LoginRefusal)


async def test_only_small_amounts_leave_within_a_day_of_it(customer: Customer, clock: ManualClock) -> None:
    await recover(customer)
    with pytest.raises(CustomerRestricted) as refused:
        await customer.transfer(1_000_01)
    assert "单笔最多¥1,000.00" in refused.value.customer_text
    assert "11月3日10:00前" in refused.value.customer_text
    for number in range(3):
        assert (await customer.pay(900_00, f"small-{number}")).status == "executed"
    with pytest.raises(CustomerRestricted) as refused:
        await customer.transfer(300_01)
    assert "现在还可以办理¥300.00" in refused.value.customer_text
    assert (await customer.pay(300_00)).status == "executed"
    clock.advance(seconds=DAY_S)
    assert (await customer.pay(1_000_01)).status == "executed"


async def test_an_order_read_back_before_is_held_to_the_lower_limits_too(customer: Customer) -> None:
    order = await customer.transfer(5_000_00)
    async with customer.database.transaction() as session:
        await customer.core.orders.read_back(session, order.id, customer.person.id)
        await customer.core.orders.confirm(session, order.id, customer.person.id)
    await recover(customer)
    with pytest.raises(CustomerRestricted):
        async with customer.database.transaction() as session:
            await customer.core.orders.execute(session, order.id, customer.person.id, otp_verified=True)


async def test_papers_that_the_state_does_not_know_are_wrong(customer: Customer) -> None:
    name, number = customer.person.customer.name, customer.person.customer.id_number
    first = await customer.core.providers.realname.check(key="k", name="别人", id_number=number)
    assert first == "match"
    sent = await begin(customer)
    assert await prove(customer, sent) == RecoveryOutcome("wrong", 2)
    assert ("recovery_tried", "realname_mismatch") in await customer.events()
    assert await customer.core.providers.realname.check(key="x", name=name, id_number=number) == "mismatch"


async def test_a_register_that_does_not_answer_loses_nothing(customer: Customer) -> None:
    sent = await begin(customer)
    register = customer.core.providers.realname
    silent = patch.object(type(register), "check", side_effect=ProviderUnavailable("no answer"))
    with silent, pytest.raises(ProviderUnavailable):
        await prove(customer, sent)
    assert await prove(customer, sent, "") == RecoveryOutcome("ok")


async def test_a_frozen_customer_recovers_nothing(customer: Customer) -> None:
    async with customer.database.transaction() as session:
        await customer.core.identity.takeovers.freeze(session, customer.person.id, reason="test")
    sent = await begin(customer)
    assert await prove(customer, sent, "000000") == RecoveryOutcome("wrong", 2)
    with pytest.raises(CustomerFrozen):
        await prove(customer, sent)
    with pytest.raises(CustomerFrozen):
        await finish(customer, sent)


@pytest.mark.parametrize(
    "phone", ["", "1380000000", "１３８００００００００４", "\0", "' OR 1=1 --", "x" * 5000]
)
async def test_what_is_no_phone_number_is_told_so(customer: Customer, phone: str) -> None:
    with pytest.raises(RecoveryPhoneInvalid):
        await begin(customer, phone)


async def test_papers_and_codes_are_in_no_log_and_no_repr(customer: Customer) -> None:
    shown = papers(customer)
    await prove(customer, await begin(customer), "000000")
    assert customer.person.customer.name not in repr(shown)
    async with customer.database.engine.connect() as connection:
        for table in ("recovery", "security_event", "otp_challenge", "attempt_guard"):
            rows = str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all())
            assert shown.id_number not in rows and shown.name not in rows and PHONE not in rows
