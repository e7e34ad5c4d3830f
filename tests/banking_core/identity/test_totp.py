"""Authenticator apps: RFC 6238 with a step of 60 s, and recovery codes."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.clock import ManualClock
from banking_core.configuration import Terms, TermsError
from banking_core.core import Core
from banking_core.identity import TotpEnrolment, TotpUnknown
from banking_core.identity.lockout import Lockout
from banking_core.identity.models import AttemptGuard
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

STEP_S = 60
START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


@pytest.fixture
async def person(database: Database, core: Core) -> Person:
    async with database.transaction() as session:
        return await make_person(session, core, "张伟", "13800000004")


class App:
    """The customer's authenticator app; `ahead_s` is how far its clock is off."""

    def __init__(self, enrolment: TotpEnrolment, clock: ManualClock) -> None:
        self._totp = TOTP(base64.b32decode(enrolment.secret), 6, SHA1(), STEP_S)
        self._clock = clock

    def code(self, ahead_s: float = 0) -> str:
        return self._totp.generate(int(self._clock.now().timestamp() + ahead_s)).decode()

    def wrong(self) -> str:
        near = {self.code(ahead * STEP_S) for ahead in range(-3, 4)}
        return next(code for code in (f"{number:06d}" for number in range(9)) if code not in near)


async def enrol(database: Database, core: Core, person: Person) -> TotpEnrolment:
    async with database.transaction() as session:
        return await core.identity.totp.enrol(session, person.id)


async def confirm(database: Database, core: Core, person: Person, code: str) -> tuple[str, list[str]]:
    async with database.transaction() as session:
        outcome, codes = await core.identity.totp.confirm(session, person.id, code)
    return outcome.kind, list(codes)


async def bind(database: Database, core: Core, person: Person, clock: ManualClock) -> tuple[App, list[str]]:
    """A bound app, a step later: its next code has not been given yet."""
    app = App(await enrol(database, core, person), clock)
    kind, codes = await confirm(database, core, person, app.code())
    assert kind == "ok"
    clock.advance(seconds=STEP_S)
    return app, codes


async def attempt(database: Database, core: Core, person: Person, code: str) -> str:
    async with database.transaction() as session:
        return (await core.identity.totp.verify(session, person.id, code)).kind


async def recover(database: Database, core: Core, person: Person, code: str) -> str:
    async with database.transaction() as session:
        return (await core.identity.totp.recover(session, person.id, code)).kind


async def test_an_app_counts_only_after_its_first_code(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    enrolment = await enrol(database, core, person)
    app = App(enrolment, clock)
    assert enrolment.uri.startswith("otpauth://totp/")
    assert "period=60" in enrolment.uri and enrolment.secret in enrolment.uri
    assert enrolment.secret not in repr(enrolment)
    with pytest.raises(TotpUnknown):
        await attempt(database, core, person, app.code())
    assert await confirm(database, core, person, app.wrong()) == ("wrong", [])
    kind, codes = await confirm(database, core, person, f" {app.code()} ")
    assert (kind, len(set(codes))) == ("ok", 10)
    async with database.snapshot() as session:
        status = await core.identity.totp.status(session, person.id)
    assert (status.active, status.confirmed_at, status.recovery_codes_left) == (True, clock.now(), 10)


async def test_an_enrolment_does_not_wait_for_ever(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    app = App(await enrol(database, core, person), clock)
    clock.advance(seconds=600)
    with pytest.raises(TotpUnknown):
        await confirm(database, core, person, app.code())


async def test_a_code_works_once_and_no_earlier_one_after_it(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    app, _ = await bind(database, core, person, clock)
    code, earlier = app.code(), app.code(-STEP_S)
    assert await attempt(database, core, person, code) == "ok"
    assert await attempt(database, core, person, code) == "used"
    assert await attempt(database, core, person, earlier) == "used"
    clock.advance(seconds=STEP_S)
    assert await attempt(database, core, person, code) == "used"
    assert await attempt(database, core, person, app.code()) == "ok"


@pytest.mark.parametrize(
    ("ahead_s", "kind"), [(-120, "wrong"), (-60, "ok"), (0, "ok"), (60, "ok"), (120, "wrong")]
)
async def test_the_apps_clock_may_be_one_step_off(
    database: Database, core: Core, person: Person, clock: ManualClock, ahead_s: int, kind: str
) -> None:
    app, _ = await bind(database, core, person, clock)
    clock.advance(seconds=10 * STEP_S)
    assert await attempt(database, core, person, app.code(ahead_s)) == kind


async def test_a_code_given_by_two_at_once_opens_one_door(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    app, _ = await bind(database, core, person, clock)
    code = app.code()
    kinds = await asyncio.gather(*(attempt(database, core, person, code) for _ in range(4)))
    assert Counter(kinds) == {"ok": 1, "used": 3}


async def test_a_recovery_code_given_by_two_at_once_works_once(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    _, codes = await bind(database, core, person, clock)
    kinds = await asyncio.gather(*(recover(database, core, person, codes[0]) for _ in range(3)))
    assert Counter(kinds) == {"ok": 1, "wrong": 2}
    assert await recover(database, core, person, codes[1].lower().replace("-", " ")) == "ok"
    async with database.snapshot() as session:
        assert (await core.identity.totp.status(session, person.id)).recovery_codes_left == 8


async def test_fresh_recovery_codes_end_the_earlier_ones(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    _, old = await bind(database, core, person, clock)
    async with database.transaction() as session:
        fresh = await core.identity.totp.new_recovery_codes(session, person.id)
    assert await recover(database, core, person, old[0]) == "wrong"
    assert await recover(database, core, person, fresh[0]) == "ok"


async def test_wrong_codes_and_recovery_codes_share_one_count_and_pause_even_right_ones(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    app, codes = await bind(database, core, person, clock)
    kinds = [await attempt(database, core, person, app.wrong()) for _ in range(3)]
    kinds += await asyncio.gather(*(recover(database, core, person, "23456-78923") for _ in range(4)))
    assert Counter(kinds) == {"wrong": 4, "locked": 3}
    assert await attempt(database, core, person, app.code()) == "locked"
    assert await recover(database, core, person, codes[0]) == "locked"
    clock.advance(seconds=5 * 60)
    assert await attempt(database, core, person, app.code()) == "ok"


async def test_a_new_app_takes_the_place_of_the_old_one_when_it_is_confirmed(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    old, old_codes = await bind(database, core, person, clock)
    fresh = App(await enrol(database, core, person), clock)
    assert await attempt(database, core, person, old.code()) == "ok"
    assert (await confirm(database, core, person, fresh.code()))[0] == "ok"
    clock.advance(seconds=STEP_S)
    assert await attempt(database, core, person, old.code()) == "wrong"
    assert await recover(database, core, person, old_codes[0]) == "wrong"
    assert await attempt(database, core, person, fresh.code()) == "ok"


async def test_an_app_that_is_taken_off_opens_nothing(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    app, codes = await bind(database, core, person, clock)
    async with database.transaction() as session:
        await core.identity.totp.unbind(session, person.id)
        await core.identity.totp.unbind(session, person.id)
        assert not (await core.identity.totp.status(session, person.id)).active
    for given_code, check in ((app.code(), attempt), (codes[0], recover)):
        with pytest.raises(TotpUnknown):
            await check(database, core, person, given_code)


@pytest.mark.parametrize("odd", ["", "12345", "１２３４５６", "\ud800", "\0", "x" * 9000])
async def test_what_is_no_code_is_a_wrong_one(
    database: Database, core: Core, person: Person, clock: ManualClock, odd: str
) -> None:
    await bind(database, core, person, clock)
    assert await attempt(database, core, person, odd) == "wrong"
    assert await recover(database, core, person, odd) == "wrong"


async def test_secret_and_recovery_codes_are_nowhere_in_the_database(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    enrolment = await enrol(database, core, person)
    _, codes = await confirm(database, core, person, App(enrolment, clock).code())
    plain = [base64.b32decode(enrolment.secret).hex(), enrolment.secret, *codes]
    async with database.engine.connect() as connection:
        for table in ("totp_credential", "recovery_code", "security_event", "attempt_guard"):
            rows = str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all())
            assert not any(secret in rows for secret in plain)


@given(st.lists(st.booleans(), max_size=60))
@settings(derandomize=True, deadline=None)
def test_pauses_grow_with_each_row_of_wrong_tries_and_a_right_one_forgets_them(tries: list[bool]) -> None:
    """Whatever the tries, never more than `tries_max` are looked at between two pauses or right ones."""
    lockout = Lockout(3, (timedelta(minutes=1), timedelta(minutes=5)))
    guard = AttemptGuard(key="k", wrong_count=0, lock_count=0, locked_until=None)
    now = START
    looked, pauses = 0, 0
    for right in tries:
        if until := lockout.locked_until(guard, now):
            assert looked == 3
            assert until - now == (timedelta(minutes=1) if pauses == 1 else timedelta(minutes=5))
            now, looked = until, 0
        if right:
            lockout.forget(guard)
            looked, pauses = 0, 0
        else:
            looked += 1
            pauses += lockout.count_wrong(guard, now) == 0
        assert looked <= 3


@pytest.mark.parametrize("minutes", [[], [5, 1], ["5"], [0], [True], 5])
def test_pauses_that_make_no_sense_are_refused_at_start(minutes: object) -> None:
    terms = Terms({"a.tries": 5, "a.minutes": minutes})  # type: ignore[dict-item]
    with pytest.raises(TermsError):
        Lockout.of_terms(terms, "a.tries", "a.minutes")
