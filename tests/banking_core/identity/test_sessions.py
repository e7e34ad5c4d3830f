"""Sessions: opaque tokens, idle and absolute time-out, revoking, listing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.identity import BankSession, LoginDone, Origin, SessionUnknown
from banking_core.settings import BankSettings
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

HERE = Origin("web", "203.0.113.7", device="a" * 64, device_name="Chrome · Windows")


@pytest.fixture
async def person(database: Database, core: Core) -> Person:
    async with database.transaction() as session:
        return await make_person(session, core, "张伟", "13800000004")


async def open_session(
    database: Database, core: Core, customer_id: str | None = None, device_id: str | None = None
) -> tuple[str, BankSession]:
    async with database.transaction() as session:
        login = LoginDone(customer_id, device_id, "密码") if customer_id else None
        return await core.identity.sessions.open(session, channel="web", login=login)


async def found(database: Database, core: Core, token: str) -> BankSession | None:
    async with database.snapshot() as session:
        return await core.identity.sessions.find(session, token)


async def test_a_token_finds_its_session_and_is_kept_only_as_a_hash(
    database: Database, core: Core, person: Person
) -> None:
    token, row = await open_session(database, core, person.id)
    assert len(token) >= 43  # 256 bits in base64
    seen = await found(database, core, token)
    assert seen is not None and (seen.id, seen.customer_id) == (row.id, person.id)
    async with database.engine.connect() as connection:
        stored = str((await connection.exec_driver_sql("SELECT * FROM bank_session")).all())
    assert token not in stored


@pytest.mark.parametrize("odd", ["", "x", "x" * 5000, "ünicode", "\ud800", "' OR 1=1 --"])
async def test_a_made_up_token_is_nobody(database: Database, core: Core, odd: str) -> None:
    assert await found(database, core, odd) is None


async def test_a_log_in_ends_after_idle_time_and_use_puts_it_off(
    database: Database, core: Core, person: Person, clock: ManualClock, settings: BankSettings
) -> None:
    token, row = await open_session(database, core, person.id)
    idle_s = settings.session_idle_min * 60
    for _ in range(3):
        clock.advance(seconds=idle_s - 1)
        assert await found(database, core, token) is not None
        async with database.transaction() as session:
            await core.identity.sessions.touch(session, row.id)
    clock.advance(seconds=idle_s)
    assert await found(database, core, token) is None


async def test_a_log_in_ends_at_its_absolute_time_however_busy(
    database: Database, core: Core, person: Person, clock: ManualClock, settings: BankSettings
) -> None:
    token, row = await open_session(database, core, person.id)
    step_s = settings.session_idle_min * 30
    while clock.now() + timedelta(seconds=step_s) < row.expires_at:
        clock.advance(seconds=step_s)
        async with database.transaction() as session:
            await core.identity.sessions.touch(session, row.id)
    assert await found(database, core, token) is not None
    clock.advance(seconds=step_s)
    assert clock.now() - row.created_at >= timedelta(hours=settings.session_ttl_h)
    assert await found(database, core, token) is None


async def test_a_visitor_who_is_not_logged_in_may_be_idle(
    database: Database, core: Core, clock: ManualClock, settings: BankSettings
) -> None:
    token, _ = await open_session(database, core)
    clock.advance(seconds=settings.session_idle_min * 60 + 1)
    assert await found(database, core, token) is not None
    clock.advance(seconds=settings.session_ttl_h * 3600)
    assert await found(database, core, token) is None
    await open_session(database, core)
    async with database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT id FROM bank_session")).all()
    assert len(rows) == 1


async def test_a_customer_sees_their_log_ins_and_ends_one_or_all(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    async with database.transaction() as session:
        device = await core.identity.devices.bind(session, person.id, HERE)
    assert device is not None
    tokens = []
    for device_id in (device.id, None, None):
        tokens.append(await open_session(database, core, person.id, device_id))
        clock.advance(seconds=60)
    sessions = core.identity.sessions
    async with database.transaction() as session:
        views = await sessions.open_logins(session, person.id, current=tokens[0][1].id)
        assert [(view.device_name, view.current) for view in views] == [
            ("", False),
            ("", False),
            ("Chrome · Windows", True),
        ]
        await sessions.revoke(session, person.id, tokens[1][1].id)
        with pytest.raises(SessionUnknown):
            await sessions.revoke(session, person.id, tokens[1][1].id)
    assert [await found(database, core, token) is not None for token, _ in tokens] == [True, False, True]
    async with database.transaction() as session:
        assert await sessions.end_all(session, person.id, "revoked", but=tokens[0][1].id) == 1
    assert [await found(database, core, token) is not None for token, _ in tokens] == [True, False, False]
    async with database.transaction() as session:
        assert await sessions.end_all(session, person.id, "revoked") == 1
        assert await sessions.open_logins(session, person.id) == []


async def test_nobody_ends_another_customers_log_in(database: Database, core: Core, person: Person) -> None:
    token, row = await open_session(database, core, person.id)
    async with database.transaction() as session:
        other = await make_person(session, core, "李静", "13800000006")
        with pytest.raises(SessionUnknown):
            await core.identity.sessions.revoke(session, other.id, row.id)
        assert await core.identity.sessions.end_all(session, other.id, "revoked") == 0
    assert await found(database, core, token) is not None


async def test_one_log_in_too_many_ends_the_one_idle_for_longest(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    tokens = []
    for _ in range(core.terms.integer("identity.sessions_max") + 1):
        tokens.append((await open_session(database, core, person.id))[0])
        clock.advance(seconds=1)
    alive = [await found(database, core, token) is not None for token in tokens]
    assert alive == [False] + [True] * (len(tokens) - 1)


async def test_a_visit_becomes_a_log_in_and_its_old_token_dies_with_the_new_one(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    token, row = await open_session(database, core)
    sessions = core.identity.sessions
    clock.advance(seconds=3600)
    async with database.transaction() as session:
        assert await sessions.renew(session, row.id) is None
        assert await sessions.log_in(session, row.id, LoginDone(person.id, None, "密码"))
    async with database.transaction() as session:
        fresh = await sessions.renew(session, row.id)
        assert await sessions.renew(session, row.id) is None
    assert fresh is not None
    seen = await found(database, core, fresh)
    assert seen is not None and (seen.id, seen.customer_id, seen.authenticated_at) == (
        row.id,
        person.id,
        clock.now(),
    )
    assert await found(database, core, token) is None
    async with database.transaction() as session:
        other = await make_person(session, core, "李静", "13800000006")
        assert not await sessions.log_in(session, row.id, LoginDone(other.id, None, "密码"))


async def test_a_token_owed_once_is_given_once(database: Database, core: Core, person: Person) -> None:
    _, row = await open_session(database, core)
    async with database.transaction() as session:
        await core.identity.sessions.log_in(session, row.id, LoginDone(person.id, None, "密码"))

    async def renew() -> str | None:
        async with database.transaction() as session:
            return await core.identity.sessions.renew(session, row.id)

    given = [token for token in await asyncio.gather(*(renew() for _ in range(4))) if token]
    assert len(given) == 1
    assert await found(database, core, given[0]) is not None


async def test_a_new_password_ends_every_log_in_but_the_asking_one(
    database: Database, core: Core, person: Person
) -> None:
    async with database.transaction() as session:
        await core.identity.passwords.set(session, person.id, "Kx9#vLq2mT")
        device = await core.identity.devices.bind(session, person.id, HERE)
        assert device is not None
        await core.identity.devices.trust(session, person.id, device.id)
    mine, row = await open_session(database, core, person.id, device.id)
    other, _ = await open_session(database, core, person.id)
    async with database.transaction() as session:
        origin = Origin("web", session_id=row.id)
        outcome = await core.identity.passwords.change(
            session, person.id, "Kx9#vLq2mT", "river-Tulip-48", origin=origin
        )
        assert outcome.kind == "ok"
        known = await core.identity.devices.known(session, person.id, HERE)
        assert not core.identity.devices.is_trusted(known)
    assert await found(database, core, mine) is not None
    assert await found(database, core, other) is None
