from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.identity import Passwords, PasswordTooWeak
from banking_core.identity.keys import Fingerprints
from banking_core.identity.models import PasswordCredential
from banking_core.storage import Database
from tests.banking_core.people import make_person, on_both_engines

PHONE = "13800000004"
PASSWORD = "Zhanggui2026!"


class CountingHasher(PasswordHasher):
    """Cheap enough for tests; counts how often a password was really checked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checks = 0

    def verify(self, *arguments: object, **named: object) -> bool:  # type: ignore[override]
        self.checks += 1
        return super().verify(*arguments, **named)  # type: ignore[arg-type]


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def passwords(core: Core, hasher: CountingHasher) -> Passwords:
    fingerprints = Fingerprints(b"k" * 32)
    return Passwords(core.clock, core.terms, core.customers, core.identity.log, fingerprints, hasher=hasher)


@pytest.fixture
async def customer_id(database: Database, core: Core, passwords: Passwords) -> str:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", PHONE)
        await passwords.set(session, person.id, PASSWORD)
    return person.id


async def attempt(
    database: Database, passwords: Passwords, password: str, phone: str = PHONE
) -> tuple[str, int]:
    async with database.transaction() as session:
        outcome = await passwords.verify(session, phone, password)
    return outcome.kind, outcome.tries_left


async def test_the_right_password_names_the_customer(
    database: Database, passwords: Passwords, customer_id: str
) -> None:
    async with database.transaction() as session:
        outcome = await passwords.verify(session, PHONE, PASSWORD)
    assert (outcome.kind, outcome.customer_id) == ("ok", customer_id)


@pytest.mark.usefixtures("customer_id")
async def test_five_wrong_tries_pause_even_the_right_password(
    database: Database, passwords: Passwords, hasher: CountingHasher
) -> None:
    outcomes = [await attempt(database, passwords, "wrong") for _ in range(5)]
    assert outcomes == [("wrong", 4), ("wrong", 3), ("wrong", 2), ("wrong", 1), ("locked", 0)]
    checks = hasher.checks
    assert await attempt(database, passwords, PASSWORD) == ("locked", 0)
    assert hasher.checks == checks


@pytest.mark.usefixtures("customer_id")
async def test_the_pause_grows_and_has_an_end(
    database: Database, passwords: Passwords, clock: ManualClock, core: Core
) -> None:
    pauses: list[timedelta] = []
    for _ in range(6):
        for _ in range(4):
            assert (await attempt(database, passwords, "wrong"))[0] == "wrong"
        async with database.transaction() as session:
            outcome = await passwords.verify(session, PHONE, "wrong")
        assert outcome.locked_until is not None
        pauses.append(outcome.locked_until - clock.now())
        clock.advance(seconds=pauses[-1].total_seconds())
    longest = timedelta(hours=core.terms.integer("identity.login_lock_hours"))
    assert pauses[:3] == [timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == longest
    assert (await attempt(database, passwords, PASSWORD))[0] == "ok"


@pytest.mark.usefixtures("customer_id")
async def test_a_right_password_forgets_the_wrong_ones(database: Database, passwords: Passwords) -> None:
    for _ in range(3):
        await attempt(database, passwords, "wrong")
    await attempt(database, passwords, PASSWORD)
    assert await attempt(database, passwords, "wrong") == ("wrong", 4)


@pytest.mark.usefixtures("customer_id")
async def test_an_unknown_phone_number_cannot_be_told_from_a_known_one(
    database: Database, passwords: Passwords, hasher: CountingHasher
) -> None:
    seen: dict[str, list[tuple[str, int, int]]] = {}
    await attempt(database, passwords, "wrong", "13700000000")  # the decoy hash is made once
    for phone in (PHONE, "13900000000"):
        seen[phone] = []
        for _ in range(6):
            before = hasher.checks
            kind, left = await attempt(database, passwords, "wrong", phone)
            seen[phone].append((kind, left, hasher.checks - before))
    assert seen[PHONE] == seen["13900000000"]


@on_both_engines
@pytest.mark.usefixtures("customer_id")
async def test_parallel_guesses_are_counted_one_by_one(database: Database, passwords: Passwords) -> None:
    outcomes = await asyncio.gather(*(attempt(database, passwords, "wrong") for _ in range(9)))
    assert Counter(kind for kind, _ in outcomes) == {"wrong": 4, "locked": 5}


@pytest.mark.parametrize("phone", ["", "1380000000", "1380000000x", "' OR 1=1 --"])
async def test_what_is_no_phone_number_is_simply_wrong(
    database: Database, passwords: Passwords, phone: str
) -> None:
    assert (await attempt(database, passwords, PASSWORD, phone))[0] == "wrong"


async def test_a_customer_without_password_cannot_log_in(
    database: Database, core: Core, passwords: Passwords
) -> None:
    async with database.transaction() as session:
        await make_person(session, core, "张三", "13800000014")
    assert (await attempt(database, passwords, "decoy", "13800000014"))[0] == "wrong"


@pytest.mark.parametrize("weak", ["Ab1!", "password1", "PASSWORD!", "12345678!", "Aa1!" * 20, f"Aa!{PHONE}"])
async def test_weak_passwords_are_refused(
    database: Database, passwords: Passwords, customer_id: str, weak: str
) -> None:
    async with database.transaction() as session:
        with pytest.raises(PasswordTooWeak):
            await passwords.set(session, customer_id, weak)
    assert (await attempt(database, passwords, PASSWORD))[0] == "ok"


async def test_a_new_password_replaces_the_old_one(
    database: Database, passwords: Passwords, customer_id: str
) -> None:
    async with database.transaction() as session:
        await passwords.set(session, customer_id, "Another-2027")
    assert (await attempt(database, passwords, PASSWORD))[0] == "wrong"
    assert (await attempt(database, passwords, "Another-2027"))[0] == "ok"


async def test_every_try_is_in_the_security_log_without_password_or_full_phone_number(
    database: Database, core: Core, passwords: Passwords, customer_id: str
) -> None:
    await attempt(database, passwords, "wrong-Secret-1")
    await attempt(database, passwords, PASSWORD)
    async with database.snapshot() as session:
        events = await core.identity.log.recent(session, customer_id)
        assert [event.kind for event in events] == [
            "login_password_ok",
            "login_password_wrong",
            "password_set",
        ]
        written = " ".join(f"{event.phone_masked} {event.detail}" for event in events)
    assert "138****0004" in written
    assert PHONE not in written
    assert "Secret" not in written


@pytest.mark.usefixtures("customer_id")
async def test_the_bank_itself_uses_argon2id(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        customer = await core.customers.by_phone(session, PHONE)
        assert customer is not None
        await core.identity.passwords.set(session, customer.id, PASSWORD)
        outcome = await core.identity.passwords.verify(session, PHONE, PASSWORD)
    assert outcome.kind == "ok"
    async with database.engine.connect() as connection:
        stored = (
            await connection.exec_driver_sql("SELECT password_hash FROM password_credential")
        ).scalar_one()
    assert stored.startswith("$argon2id$")


async def test_a_log_in_renews_a_hash_made_with_older_parameters(core: Core, database: Database) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000091")
        weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        session.add(
            PasswordCredential(
                customer_id=person.id, password_hash=weak.hash("Older#pass1"), changed_at=core.clock.now()
            )
        )
    for password, kind, parameters in (
        ("Wrong#pass1", "wrong", "m=8,t=1,p=1"),
        ("Older#pass1", "ok", "m=65536,t=3,p=4"),
        ("Older#pass1", "ok", "m=65536,t=3,p=4"),
    ):
        async with database.transaction() as session:
            outcome = await core.identity.passwords.verify(session, "13800000091", password)
            credential = await session.get(PasswordCredential, person.id)
            assert outcome.kind == kind
            assert credential is not None and parameters in credential.password_hash
