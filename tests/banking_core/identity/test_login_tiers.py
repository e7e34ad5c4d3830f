"""How an odd log-in is judged and what follows: told, one more proof, no money until an agent has called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import ManualClock
from banking_core.configuration import Terms
from banking_core.core import Core
from banking_core.identity import (
    LoginDone,
    LoginNeeds,
    LoginRefusal,
    LoginSubject,
    LoginVerdict,
)
from banking_core.identity.login_risk import TIERS, LoginRules, Tier, needs_of
from banking_core.restrictions import CustomerRestricted
from tests.banking_core.identity.logging_in import CODE, HERE, Customer

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 2, 18, 30, tzinfo=UTC)  # half past two at the bank
ORDINARY = LoginSubject(
    customer_id="c",
    at=NOON,
    origin=HERE,
    device_known=True,
    device_trusted=False,
    place_known=True,
    logins=tuple(NOON - timedelta(days=days) for days in range(1, 9)),
    failures=0,
)


@pytest.fixture
def customer(customer: Customer) -> Customer:
    """Stands for the desk too, and writes down what calls are asked for."""
    customer.core.identity.logins.use_callbacks(customer)
    return customer


class Judge:
    """Gives the verdict it is told to."""

    def __init__(self, tier: Tier, *reasons: str) -> None:
        self.verdict = LoginVerdict(tier, reasons)
        self.asked: list[LoginSubject] = []

    async def assess(self, session: AsyncSession, subject: LoginSubject) -> LoginVerdict:
        self.asked.append(subject)
        return self.verdict


def judged(customer: Customer, tier: Tier, *reasons: str) -> Judge:
    judge = Judge(tier, *reasons)
    customer.core.identity.logins.use_risk(judge)
    return judge


@pytest.mark.parametrize(
    ("changes", "tier", "reasons"),
    [
        ({}, "none", ()),
        ({"device_known": False}, "low", ("new_device",)),
        ({"place_known": False}, "low", ("new_place",)),
        ({"at": NIGHT}, "low", ("unusual_hour",)),
        ({"failures": 4}, "none", ()),
        ({"failures": 5}, "low", ("failures",)),
        ({"device_known": False, "place_known": False}, "low", ("new_device", "new_place")),
        ({"device_known": False, "failures": 5}, "medium", ("new_device", "failures")),
        (
            {"device_known": False, "place_known": False, "at": NIGHT},
            "medium",
            ("new_device", "new_place", "unusual_hour"),
        ),
        (
            {"device_known": False, "place_known": False, "failures": 9},
            "high",
            ("new_device", "new_place", "failures"),
        ),
        ({"device_known": False, "place_known": False, "logins": ()}, "low", ("new_device",)),
        ({"at": NIGHT, "logins": tuple(NIGHT - timedelta(days=days) for days in range(1, 4))}, "none", ()),
    ],
)
async def test_the_rules_add_up_what_is_odd(
    changes: dict[str, object], tier: str, reasons: tuple[str, ...]
) -> None:
    rules = LoginRules(Terms.load())
    verdict = await rules.assess(AsyncSession(), replace(ORDINARY, **changes))
    assert verdict == LoginVerdict(tier, reasons)  # type: ignore[arg-type]


@given(st.sampled_from(TIERS), st.sampled_from(TIERS), st.booleans(), st.sampled_from(["otp", "totp"]))
@hypothesis_settings(derandomize=True)
def test_a_higher_tier_or_less_trust_never_asks_for_less(
    one: Tier, other: Tier, trusted: bool, code: str
) -> None:
    lower, higher = sorted((one, other), key=TIERS.index)
    asked = needs_of(lower, device_trusted=trusted, code=code)
    more = needs_of(higher, device_trusted=trusted, code=code)
    assert more[: len(asked)] == asked
    assert needs_of(lower, device_trusted=False, code=code)[: len(asked)] == asked
    assert set(needs_of("medium", device_trusted=trusted, code=code)) >= {code}
    assert needs_of("high", device_trusted=trusted, code=code) == [code, "id_tail"]


def test_a_verdict_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="tier"):
        LoginVerdict("urgent")  # type: ignore[arg-type]


async def test_the_judge_is_told_what_the_bank_knows(customer: Customer, clock: ManualClock) -> None:
    judge = judged(customer, "none")
    await customer.log_in(trust=True)
    clock.advance(seconds=3600)
    await customer.start("wrong")
    await customer.log_in()
    strange = replace(customer, origin=replace(HERE, address="198.51.100.9", device="b" * 64))
    await strange.start()
    first, second, third = judge.asked
    assert (first.device_known, first.place_known, first.logins, first.failures) == (False, False, (), 0)
    assert (second.device_known, second.device_trusted, second.place_known) == (True, True, True)
    assert (second.logins, second.failures) == ((clock.now() - timedelta(hours=1),), 1)
    assert (third.device_known, third.device_trusted, third.place_known) == (False, False, False)
    assert third.origin == strange.origin


async def test_the_first_log_in_is_told_to_the_customer_and_the_next_from_there_is_not(
    customer: Customer, clock: ManualClock
) -> None:
    await customer.log_in()
    (told,) = await customer.told()
    assert "有一次登录（Chrome · Windows，新设备）" in told and "95177" in told
    clock.advance(seconds=60)
    await customer.log_in()
    assert len(await customer.told()) == 1


async def test_medium_asks_for_a_code_even_on_a_trusted_device(
    customer: Customer, clock: ManualClock
) -> None:
    judged(customer, "none")
    await customer.log_in(trust=True)
    judged(customer, "medium", "unusual_hour")
    needs = await customer.start()
    assert isinstance(needs, LoginNeeds) and needs.need == "otp"
    assert isinstance(await customer.give(needs), LoginDone)
    assert "不常用的时间" in (await customer.told())[0]
    assert await customer.restrictions() == frozenset()


async def test_medium_on_another_device_asks_for_the_end_of_the_id_number_too(customer: Customer) -> None:
    judged(customer, "medium", "new_device")
    needs = await customer.give(await customer.start())
    assert isinstance(needs, LoginNeeds) and (needs.need, needs.sent) == ("id_tail", None)
    assert await customer.give(needs, "0000") == LoginRefusal("id_tail", "wrong", 2)
    done = await customer.give(needs, customer.id_tail.lower())
    assert isinstance(done, LoginDone)
    assert done.how == "密码+短信验证码+证件后四位"


async def test_guessing_the_end_of_the_id_number_is_paused_over_all_log_ins(
    customer: Customer, clock: ManualClock
) -> None:
    judged(customer, "medium")
    needs = await customer.give(await customer.start())
    kinds = [await customer.give(needs, "0000") for _ in range(3)]
    assert [refusal.kind for refusal in kinds if isinstance(refusal, LoginRefusal)] == [
        "wrong",
        "wrong",
        "locked",
    ]
    clock.advance(seconds=60)
    again = await customer.give(await customer.start())
    refused = await customer.give(again, customer.id_tail)
    assert isinstance(refused, LoginRefusal) and refused.kind == "locked"
    assert refused.locked_until == clock.now() + timedelta(minutes=59)
    clock.advance(seconds=59 * 60)
    later = await customer.give(await customer.start())
    assert isinstance(await customer.give(later, customer.id_tail), LoginDone)


async def test_a_code_is_not_sent_anew_while_something_else_is_needed(customer: Customer) -> None:
    judged(customer, "medium")
    needs = await customer.give(await customer.start())
    with pytest.raises(Exception, match="no code is needed"):
        await customer.resend(needs)


async def test_high_lets_the_customer_look_and_moves_no_money_until_an_agent_has_called(
    customer: Customer,
) -> None:
    judged(customer, "high", "new_device", "failures", "internal detail")
    await customer.log_in(trust=True)
    assert await customer.restrictions() == {"view_only"}
    (told,) = await customer.told()
    assert "新设备、多次输错密码之后" in told and "同事会给您打电话" in told and "internal" not in told
    assert len(customer.calls) == 1 and "*伟" in customer.calls[0] and "回电核实" in customer.calls[0]
    with pytest.raises(CustomerRestricted) as refused:
        await customer.transfer(1_00)
    assert "钱没有动" in refused.value.customer_text
    async with customer.database.transaction() as session:
        assert len(await customer.core.accounts.balances(session, customer.person.id)) == 1
        lifted = await customer.core.identity.takeovers.release(
            session, customer.person.id, by="agent:xiaowang", grounds="called, answered three questions"
        )
    assert lifted == ["view_only"]
    assert (await customer.transfer(1_00)).status == "drafted"


async def test_a_second_odd_log_in_asks_for_no_second_call_and_its_device_is_not_trusted(
    customer: Customer, clock: ManualClock
) -> None:
    judged(customer, "high")
    await customer.log_in(trust=True)
    clock.advance(seconds=60)
    await customer.log_in(trust=True)
    assert len(customer.calls) == 1
    assert isinstance(await customer.start(), LoginNeeds)


async def test_protecting_oneself_stays_possible(customer: Customer, bank_locks: object) -> None:
    judged(customer, "high")
    await customer.log_in()
    async with customer.database.transaction() as session:
        order = await customer.core.orders.draft(
            session,
            customer_id=customer.person.id,
            kind="security_lock",
            body={"scope": "all"},
            idempotency_key="lock",
            channel="web",
        )
    assert order.status == "drafted"


@pytest.fixture
def bank_locks(core: Core) -> object:
    from banking_core.locks.service import Locks

    return Locks(core)


async def test_every_step_is_in_the_log_with_its_tier_and_no_secret(customer: Customer) -> None:
    judged(customer, "medium", "new_device")
    needs = await customer.give(await customer.start())
    await customer.give(needs, "0000")
    await customer.give(needs, customer.id_tail)
    assert ("login_ok", "ok") in await customer.events()
    assert ("login_proof_refused", "wrong") in await customer.events()
    async with customer.database.snapshot() as session:
        events = await customer.core.identity.log.recent(session, customer.person.id)
    done = next(event for event in events if event.kind == "login_ok")
    assert done.detail == {
        "proofs": ["password", "otp", "id_tail"],
        "tier": "medium",
        "reasons": ["new_device"],
    }
    assert not any(secret in str([event.detail for event in events]) for secret in (CODE, customer.id_tail))
