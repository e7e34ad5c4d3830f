"""An account in a stranger's hands: locked at once in every way, opened only by a person who has made sure."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import ManualClock
from banking_core.identity import (
    LoginDone,
    LoginNeeds,
    LoginRefusal,
    LoginStale,
    LoginSubject,
    LoginVerdict,
    OtpOutcome,
)
from banking_core.identity.purposes import CodePurpose
from banking_core.restrictions import CustomerFrozen
from tests.banking_core.identity.logging_in import CODE, PHONE, Customer


async def freeze(customer: Customer) -> None:
    async with customer.database.transaction() as session:
        await customer.core.identity.takeovers.freeze(
            session, customer.person.id, reason="reported by phone", origin=customer.origin
        )


async def test_freezing_ends_everything_a_stranger_could_use(customer: Customer, clock: ManualClock) -> None:
    identity, person = customer.core.identity, customer.person
    done = await customer.log_in(trust=True)
    clock.advance(seconds=60)
    async with customer.database.transaction() as session:
        token, _ = await identity.sessions.open(session, channel="web", login=done)
        code = await identity.otp.send(
            session, customer_id=person.id, phone=PHONE, purpose=CodePurpose("order:1")
        )
    await freeze(customer)
    async with customer.database.transaction() as session:
        assert await identity.sessions.find(session, token) is None
        device = await identity.devices.known(session, person.id, customer.origin)
        assert not identity.devices.is_trusted(device)
        outcome = await identity.otp.verify(
            session, code.challenge_id, CODE, customer_id=person.id, purpose=CodePurpose("order:1")
        )
        assert outcome == OtpOutcome("expired", 0)
    with pytest.raises(CustomerFrozen):
        await customer.transfer(1_00)
    assert await customer.start() == LoginRefusal("password", "frozen")
    assert "已保护性锁定" in (await customer.told())[0]
    assert ("account_frozen", "ok") in await customer.events()


async def test_a_wrong_password_does_not_tell_that_the_customer_is_frozen(customer: Customer) -> None:
    await freeze(customer)
    assert await customer.start("wrong") == LoginRefusal("password", "wrong", 4)


async def test_freezing_twice_is_told_once(customer: Customer) -> None:
    await freeze(customer)
    await freeze(customer)
    assert len(await customer.told()) == 1


async def test_a_log_in_under_way_goes_no_further(customer: Customer) -> None:
    needs = await customer.start()
    await freeze(customer)
    with pytest.raises(LoginStale):
        await customer.give(needs)


async def test_a_log_in_that_was_begun_at_the_very_moment_of_the_freeze_is_refused_at_its_end(
    customer: Customer,
) -> None:
    needs = await customer.start()
    async with customer.database.transaction() as session:  # the freeze did not see the attempt
        await customer.core.restrictions.lay(session, customer.person.id, "frozen", reason="test")
    assert await customer.give(needs) == LoginRefusal("password", "frozen")
    with pytest.raises(LoginStale):
        await customer.give(needs)


class High:
    """Every log-in is very odd."""

    async def assess(self, session: AsyncSession, subject: LoginSubject) -> LoginVerdict:
        return LoginVerdict("high")


async def finish(customer: Customer, needs: LoginNeeds) -> None:
    """The last proof and the session, in one transaction as channels do; or it is too late."""
    identity = customer.core.identity
    async with customer.database.transaction() as session:
        try:
            done = await identity.logins.give(
                session, needs.attempt_id, customer.id_tail, origin=customer.origin
            )
        except LoginStale:
            return
        if isinstance(done, LoginDone):
            await identity.sessions.open(session, channel="web", login=done)


async def test_a_log_in_that_is_finished_at_the_moment_of_the_freeze_leaves_no_session_and_no_deadlock(
    customer: Customer, clock: ManualClock
) -> None:
    customer.core.identity.logins.use_risk(High())
    for _ in range(5):
        clock.advance(seconds=3600)
        needs = await customer.give(await customer.start())
        assert isinstance(needs, LoginNeeds) and needs.need == "id_tail"
        await asyncio.gather(finish(customer, needs), freeze(customer))
        async with customer.database.transaction() as session:
            assert await customer.core.identity.sessions.open_logins(session, customer.person.id) == []
            await customer.core.identity.takeovers.release(
                session, customer.person.id, by="agent:xiaowang", grounds="test"
            )


async def test_only_a_person_opens_it_again_and_answers_for_it(customer: Customer) -> None:
    await freeze(customer)
    async with customer.database.transaction() as session:
        lifted = await customer.core.identity.takeovers.release(
            session, customer.person.id, by="agent:xiaowang", grounds="came with the identity card"
        )
        assert lifted == ["frozen"]
        again = await customer.core.identity.takeovers.release(
            session, customer.person.id, by="agent:xiaowang", grounds="again"
        )
        assert again == []
    assert isinstance(await customer.log_in(), LoginDone)
    assert (await customer.transfer(1_00)).status == "drafted"
