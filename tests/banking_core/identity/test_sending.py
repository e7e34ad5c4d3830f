"""Sending limits: per phone number, per address and over all, all of them terms of the bank."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from banking_core.clock import ManualClock
from banking_core.configuration import Terms
from banking_core.core import Core, build_core
from banking_core.identity import LOGIN, CodePurpose, Origin, OtpTooMany
from banking_core.identity.origin import line_of, mask_address, place_of
from banking_core.settings import BankSettings
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

PHONES = [f"138000001{index:02d}" for index in range(8)]
HERE, ELSEWHERE = Origin(address="203.0.113.7"), Origin(address="198.51.100.9")
Build = Callable[..., Core]


@pytest.fixture
def bank_with(settings: BankSettings, clock: ManualClock) -> Build:
    """A bank whose terms differ: `bank_with(otp_phone_hour_times=2)`."""

    def build(**terms: int) -> Core:
        default = Terms.load()
        names = default.keys()
        values = {name: default.value(name) for name in names}
        values |= {f"security.{name}": value for name, value in terms.items()}
        return build_core(settings, clock, terms=Terms(values))

    return build


@pytest.fixture
async def people(database: Database, core: Core) -> list[Person]:
    async with database.transaction() as session:
        return [await make_person(session, core, "张伟", phone) for phone in PHONES]


async def send(database: Database, core: Core, person: Person, origin: Origin = HERE) -> None:
    async with database.transaction() as session:
        await core.identity.otp.send(
            session, customer_id=person.id, phone=person.customer.phone, purpose=LOGIN, origin=origin
        )


async def refusal(database: Database, core: Core, person: Person, origin: Origin = HERE) -> OtpTooMany:
    with pytest.raises(OtpTooMany) as refused:
        await send(database, core, person, origin)
    return refused.value


async def test_a_phone_number_gets_so_many_codes_a_minute_even_if_each_is_given(
    database: Database, bank_with: Build, people: list[Person], clock: ManualClock
) -> None:
    core = bank_with(otp_phone_minute_times=2, otp_resend_wait_s=0)
    await send(database, core, people[0])
    clock.advance(seconds=20)
    await send(database, core, people[0])
    refused = await refusal(database, core, people[0], ELSEWHERE)
    assert (refused.retry_after_s, refused.customer_text) == (40, "验证码刚刚发过几次，请40秒后再获取。")
    clock.advance(seconds=refused.retry_after_s)
    await send(database, core, people[0])


async def test_a_phone_number_gets_so_many_codes_an_hour(
    database: Database, bank_with: Build, people: list[Person], clock: ManualClock
) -> None:
    core = bank_with(otp_phone_hour_times=3)
    for _ in range(3):
        await send(database, core, people[0])
        clock.advance(seconds=300)
    refused = await refusal(database, core, people[0])
    assert refused.retry_after_s == 3600 - 900
    assert "请45分钟后再试" in refused.customer_text
    clock.advance(seconds=refused.retry_after_s)
    await send(database, core, people[0])


async def test_a_phone_number_gets_so_many_codes_a_day_until_midnight(
    database: Database, bank_with: Build, people: list[Person], clock: ManualClock
) -> None:
    core = bank_with(otp_phone_day_times=2)
    for _ in range(2):
        await send(database, core, people[0])
        clock.advance(seconds=3600)
    refused = await refusal(database, core, people[0])
    assert refused.retry_after_s == 12 * 3600  # noon at the bank
    assert "请明天再试" in refused.customer_text
    clock.advance(seconds=refused.retry_after_s)
    await send(database, core, people[0])


async def test_an_address_gets_so_many_codes_whatever_the_phone_number(
    database: Database, bank_with: Build, people: list[Person], clock: ManualClock
) -> None:
    core = bank_with(otp_address_hour_times=3, otp_address_day_times=4)
    for person in people[:3]:
        await send(database, core, person)
    refused = await refusal(database, core, people[3])
    assert refused.retry_after_s == 3600
    assert "您所在的网络" in refused.customer_text and "1小时" in refused.customer_text
    await send(database, core, people[3], ELSEWHERE)
    clock.advance(seconds=3600)
    await send(database, core, people[4])
    assert "今天" in (await refusal(database, core, people[5])).customer_text


async def test_all_customers_together_get_so_many_codes_a_day_and_the_operator_hears_of_it(
    database: Database,
    bank_with: Build,
    people: list[Person],
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    core = bank_with(otp_all_day_times=2)
    await send(database, core, people[0])
    await send(database, core, people[1], ELSEWHERE)
    with caplog.at_level(logging.ERROR):
        refused = await refusal(database, core, people[2])
    assert "otp_budget_spent" in caplog.text
    assert "转人工" in refused.customer_text
    clock.advance(seconds=refused.retry_after_s)
    await send(database, core, people[2])


async def test_codes_asked_for_at_once_from_one_address_are_counted_one_by_one(
    database: Database, bank_with: Build, people: list[Person]
) -> None:
    core = bank_with(otp_address_hour_times=3)
    results = await asyncio.gather(
        *(send(database, core, person) for person in people), return_exceptions=True
    )
    assert [type(result) for result in results].count(type(None)) == 3
    assert sum(isinstance(result, OtpTooMany) for result in results) == len(people) - 3


async def test_an_unknown_address_is_not_counted_as_one(
    database: Database, bank_with: Build, people: list[Person]
) -> None:
    core = bank_with(otp_address_hour_times=1)
    for person, address in zip(people, ("", "", "not an address", "999.1.1.1"), strict=False):
        await send(database, core, person, replace(HERE, address=address))


async def test_limits_hold_for_every_purpose_together(
    database: Database, bank_with: Build, people: list[Person]
) -> None:
    core = bank_with(otp_phone_minute_times=1, otp_resend_wait_s=0)
    await send(database, core, people[0])
    async with database.transaction() as session:
        with pytest.raises(OtpTooMany):
            await core.identity.otp.send(
                session, customer_id=people[0].id, phone=PHONES[0], purpose=CodePurpose("order:1")
            )


def test_addresses_are_grouped_as_providers_give_them_out_and_masked() -> None:
    assert line_of("203.0.113.7") != line_of("203.0.113.8")
    assert line_of("2001:db8:1:2::3") == line_of("2001:db8:1:2:ffff::1") != line_of("2001:db8:1:3::3")
    assert line_of("::ffff:203.0.113.7") == line_of("203.0.113.7")
    assert place_of("203.0.113.7") == place_of("203.0.9.9") != place_of("203.1.113.7")
    assert [mask_address(text) for text in ("203.0.113.7", "2001:db8:1::2", "unknown", "")] == [
        "203.0.*.*",
        "2001:db8:*",
        "",
        "",
    ]
