"""Devices: bound by a log-in, trusted for a time, named, unbound."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.identity import NOWHERE, Device, DeviceNameInvalid, DeviceUnknown, LoginDone, Origin
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

PHONE_APP = Origin("web", "203.0.113.7", device="a" * 64, device_name="微信 · iPhone")
LAPTOP = replace(PHONE_APP, device="b" * 64, device_name="Chrome · Windows")
DAY_S = 24 * 3600


@pytest.fixture
async def person(database: Database, core: Core) -> Person:
    async with database.transaction() as session:
        return await make_person(session, core, "张伟", "13800000004")


async def bind(database: Database, core: Core, person: Person, origin: Origin = PHONE_APP) -> Device:
    async with database.transaction() as session:
        device = await core.identity.devices.bind(session, person.id, origin)
    assert device is not None
    return device


async def known(database: Database, core: Core, person: Person, origin: Origin = PHONE_APP) -> Device | None:
    async with database.snapshot() as session:
        return await core.identity.devices.known(session, person.id, origin)


async def kinds(database: Database, core: Core, person: Person) -> list[str]:
    async with database.snapshot() as session:
        return [event.kind for event in await core.identity.log.recent(session, person.id)]


async def test_a_device_is_known_after_its_first_log_in_to_this_customer_only(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    assert await known(database, core, person) is None
    first = await bind(database, core, person)
    clock.advance(seconds=60)
    again = await bind(database, core, person)
    assert (again.id, again.name, again.last_seen_at) == (first.id, "微信 · iPhone", clock.now())
    assert await kinds(database, core, person) == ["device_bound"]
    async with database.transaction() as session:
        other = await make_person(session, core, "李静", "13800000006")
    assert await known(database, core, other) is None
    assert (await bind(database, core, other)).id != first.id


async def test_a_channel_without_devices_binds_none(database: Database, core: Core, person: Person) -> None:
    async with database.transaction() as session:
        assert await core.identity.devices.bind(session, person.id, NOWHERE) is None
    assert await known(database, core, person, NOWHERE) is None


async def test_a_device_that_logs_in_twice_at_once_is_bound_once(
    database: Database, core: Core, person: Person
) -> None:
    devices = await asyncio.gather(*(bind(database, core, person) for _ in range(4)))
    assert len({device.id for device in devices}) == 1
    assert await kinds(database, core, person) == ["device_bound"]


async def test_trust_lasts_its_time_and_no_longer(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    device = await bind(database, core, person)
    devices = core.identity.devices
    assert not devices.is_trusted(device)
    async with database.transaction() as session:
        device = await devices.trust(session, person.id, device.id)
    days = core.terms.integer("identity.device_trust_days")
    clock.advance(seconds=days * DAY_S - 1)
    assert devices.is_trusted(await known(database, core, person))
    clock.advance(seconds=1)
    assert not devices.is_trusted(await known(database, core, person))


async def test_an_unbound_device_is_as_good_as_new_and_its_log_ins_end(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    device = await bind(database, core, person)
    async with database.transaction() as session:
        await core.identity.devices.trust(session, person.id, device.id)
        token, _ = await core.identity.sessions.open(
            session, channel="web", login=LoginDone(person.id, device.id, "密码")
        )
        await core.identity.devices.unbind(session, person.id, device.id)
        with pytest.raises(DeviceUnknown):
            await core.identity.devices.unbind(session, person.id, device.id)
        assert await core.identity.sessions.find(session, token) is None
        assert await core.identity.devices.bound(session, person.id) == []
    assert await known(database, core, person) is None
    clock.advance(seconds=60)
    again = await bind(database, core, person)
    assert not core.identity.devices.is_trusted(again)
    assert again.first_seen_at == clock.now()
    assert await kinds(database, core, person) == [
        "device_bound",
        "device_unbound",
        "device_trusted",
        "device_bound",
    ]


async def test_a_device_carries_the_name_its_owner_gives_it(
    database: Database, core: Core, person: Person
) -> None:
    device = await bind(database, core, person)
    async with database.transaction() as session:
        await core.identity.devices.rename(session, person.id, device.id, " 我的手机 ")
        for odd in ("", "  ", "长" * 21, "a\0b", "a\nb"):
            with pytest.raises(DeviceNameInvalid):
                await core.identity.devices.rename(session, person.id, device.id, odd)
    assert (await bind(database, core, person)).name == "我的手机"


async def test_nobody_touches_another_customers_device(
    database: Database, core: Core, person: Person
) -> None:
    device = await bind(database, core, person)
    async with database.transaction() as session:
        other = await make_person(session, core, "李静", "13800000006")
        devices = core.identity.devices
        for attempt in (
            devices.unbind(session, other.id, device.id),
            devices.trust(session, other.id, device.id),
            devices.rename(session, other.id, device.id, "x"),
        ):
            with pytest.raises(DeviceUnknown):
                await attempt


async def test_one_device_too_many_unbinds_the_one_not_seen_for_longest(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    most = core.terms.integer("identity.devices_max")
    first = await bind(database, core, person)
    for number in range(most):
        clock.advance(seconds=60)
        await bind(database, core, person, replace(LAPTOP, device=f"{number:064d}"))
    async with database.snapshot() as session:
        bound = await core.identity.devices.bound(session, person.id)
    assert len(bound) == most
    assert first.id not in {device.id for device in bound}
