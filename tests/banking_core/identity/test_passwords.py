from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, text

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.identity import NOWHERE, Origin, PasswordHashes, Passwords, PasswordSame, PasswordTooWeak
from banking_core.identity.keys import Fingerprints
from banking_core.identity.models import PasswordCredential
from banking_core.identity.notices import SecurityNotices
from banking_core.storage import Database
from tests.banking_core.people import make_person

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
    return passwords_of(core, hasher)


def passwords_of(core: Core, hasher: PasswordHasher) -> Passwords:
    return Passwords(
        clock=core.clock,
        terms=core.terms,
        customers=core.customers,
        security_log=core.identity.log,
        fingerprints=Fingerprints(b"k" * 32),
        notices=SecurityNotices(core.notices, "95177"),
        hashes=PasswordHashes(hasher),
        sessions=core.identity.sessions,
        devices=core.identity.devices,
    )


@pytest.fixture
async def customer_id(database: Database, core: Core, passwords: Passwords) -> str:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", PHONE)
        await passwords.set(session, person.id, PASSWORD)
    return person.id


async def attempt(
    database: Database, passwords: Passwords, password: str, phone: str = PHONE, origin: Origin = NOWHERE
) -> tuple[str, int]:
    async with database.transaction() as session:
        outcome = await passwords.verify(session, phone, password, origin=origin)
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
    minutes = core.terms.value("identity.login_pause_minutes")
    assert isinstance(minutes, list)
    expected = [timedelta(minutes=length) for length in minutes]
    assert pauses == [*expected, expected[-1], expected[-1]][:6]
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


@pytest.mark.parametrize(
    ("weak", "why"),
    [
        ("Ab1!xyz", "8到64位"),
        ("Aa1!" * 20, "8到64位"),
        ("password1", "字母、数字和符号"),
        ("PASSWORD!", "字母、数字和符号"),
        ("12345678!", "字母、数字和符号"),
        ("Abc 12345 defg", "字母、数字和符号"),
        ("Abc!123\x00456x", "字母、数字和符号"),
        (f"Aa!{PHONE}", "手机号、生日"),
        ("Xq!19900307zz", "手机号、生日"),
        ("xq-900307-Zt", "手机号、生日"),
        ("张伟Aa1!xyzq", "姓名"),
        ("Password1!", "容易被猜到"),
        ("P@ssw0rd2026", "容易被猜到"),
        ("Qwer1234!", "容易被猜到"),
        ("Aa1!" * 8, "容易被猜到"),
        ("woaini520!", "容易被猜到"),
    ],
)
async def test_weak_passwords_are_refused_and_told_why(
    database: Database, passwords: Passwords, customer_id: str, weak: str, why: str
) -> None:
    async with database.transaction() as session:
        with pytest.raises(PasswordTooWeak) as refused:
            await passwords.set(session, customer_id, weak)
    assert why in refused.value.customer_text
    assert weak not in str(refused.value) + refused.value.customer_text
    assert (await attempt(database, passwords, PASSWORD))[0] == "ok"


@pytest.mark.parametrize("strong", ["river-Tulip 48", "Kx9#vLq2mT", "春眠不觉晓 Rain-1999"])
async def test_what_is_hard_to_guess_is_taken(
    database: Database, passwords: Passwords, customer_id: str, strong: str
) -> None:
    async with database.transaction() as session:
        await passwords.set(session, customer_id, strong)
    assert (await attempt(database, passwords, strong))[0] == "ok"


async def test_a_new_password_replaces_the_old_one(
    database: Database, passwords: Passwords, customer_id: str
) -> None:
    async with database.transaction() as session:
        await passwords.set(session, customer_id, "Other-tulip-2027")
    assert (await attempt(database, passwords, PASSWORD))[0] == "wrong"
    assert (await attempt(database, passwords, "Other-tulip-2027"))[0] == "ok"


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
    now = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    verify = passwords_of(core, now).verify
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
        ("Older#pass1", "ok", "m=16,t=2,p=1"),
        ("Older#pass1", "ok", "m=16,t=2,p=1"),
    ):
        async with database.transaction() as session:
            outcome = await verify(session, "13800000091", password)
            credential = await session.get(PasswordCredential, person.id)
            assert outcome.kind == kind
            assert credential is not None and parameters in credential.password_hash


@pytest.mark.parametrize(
    ("made_with", "renewed"),
    [
        ({"time_cost": 1}, True),
        ({"memory_cost": 16}, True),
        ({"parallelism": 1}, True),
        ({}, False),
        ({"time_cost": 3}, False),
    ],
)
async def test_a_hash_is_renewed_when_parameters_rise_and_left_alone_when_they_fall(
    database: Database, core: Core, customer_id: str, made_with: dict[str, int], renewed: bool
) -> None:
    today = {"time_cost": 2, "memory_cost": 32, "parallelism": 2}
    stored = PasswordHasher(**(today | made_with)).hash(PASSWORD)
    async with database.transaction() as session:
        credential = await session.get(PasswordCredential, customer_id)
        assert credential is not None
        credential.password_hash = stored
    passwords = passwords_of(core, PasswordHasher(**today))
    assert (await attempt(database, passwords, "wrong"))[0] == "wrong"
    assert (await attempt(database, passwords, PASSWORD))[0] == "ok"
    async with database.snapshot() as session:
        credential = await session.get(PasswordCredential, customer_id)
        assert credential is not None
        assert (credential.password_hash != stored) is renewed
    assert (await attempt(database, passwords, PASSWORD))[0] == "ok"


HERE, ELSEWHERE = Origin("web", "203.0.113.7"), Origin("web", "198.51.100.9")


async def exhaust_address(database: Database, passwords: Passwords, core: Core) -> None:
    """Wrong tries from one address, four to a phone number, so that no number is paused."""
    for number in range(core.terms.integer("identity.address_tries")):
        phone = f"139{number // 4:08d}"
        assert (await attempt(database, passwords, "wrong", phone, HERE))[0] == "wrong"


@pytest.mark.usefixtures("customer_id")
async def test_an_address_that_tries_many_numbers_is_paused_for_all_of_them(
    database: Database, core: Core, passwords: Passwords, hasher: CountingHasher, clock: ManualClock
) -> None:
    await exhaust_address(database, passwords, core)
    checks = hasher.checks
    async with database.transaction() as session:
        outcome = await passwords.verify(session, PHONE, PASSWORD, origin=HERE)
    assert (outcome.kind, outcome.locked_what) == ("locked", "address")
    assert outcome.locked_until == clock.now() + timedelta(minutes=5)
    assert hasher.checks == checks
    assert (await attempt(database, passwords, PASSWORD, origin=ELSEWHERE))[0] == "ok"
    clock.advance(seconds=5 * 60)
    assert (await attempt(database, passwords, PASSWORD, origin=HERE))[0] == "ok"


@pytest.mark.usefixtures("customer_id")
async def test_an_addresses_pause_grows_and_quiet_makes_it_begin_anew(
    database: Database, core: Core, passwords: Passwords, clock: ManualClock
) -> None:
    pauses: list[float] = []
    for quiet_s in (0, 0, 3600, 0):
        await exhaust_address(database, passwords, core)
        async with database.transaction() as session:
            outcome = await passwords.verify(session, PHONE, PASSWORD, origin=HERE)
        assert outcome.locked_until is not None
        pauses.append((outcome.locked_until - clock.now()).total_seconds() / 60)
        clock.advance(seconds=pauses[-1] * 60 + quiet_s)
        async with (
            database.transaction() as session
        ):  # the numbers' own counts are not what is looked at here
            await session.execute(text("UPDATE attempt_guard SET wrong_count = 0 WHERE wrong_count < 5"))
    assert pauses == [5, 15, 60, 5]


async def test_a_right_password_does_not_clear_the_count_of_its_address(
    database: Database, core: Core, passwords: Passwords, customer_id: str
) -> None:
    """Else a thief would clear it with an account of their own between guesses."""
    for number in range(core.terms.integer("identity.address_tries")):
        assert (await attempt(database, passwords, PASSWORD, origin=HERE))[0] == "ok"
        await attempt(database, passwords, "wrong", f"139{number:08d}", HERE)
    assert (await attempt(database, passwords, PASSWORD, origin=HERE))[0] == "locked"


async def told(database: Database, core: Core, customer_id: str) -> list[str]:
    async with database.snapshot() as session:
        return [notice.text for notice in await core.notices.list(session, customer_id)]


async def change(database: Database, passwords: Passwords, customer_id: str, old: str, new: str) -> str:
    async with database.transaction() as session:
        return (await passwords.change(session, customer_id, old, new, origin=HERE)).kind


async def test_a_password_is_changed_with_the_old_one_and_the_customer_is_told(
    database: Database, core: Core, passwords: Passwords, customer_id: str
) -> None:
    new = "river-Tulip-48"
    assert await change(database, passwords, customer_id, PASSWORD, new) == "ok"
    assert (await attempt(database, passwords, PASSWORD))[0] == "wrong"
    assert (await attempt(database, passwords, new))[0] == "ok"
    (text,) = await told(database, core, customer_id)
    assert "您的登录密码已修改（11月2日10:00）" in text and "95177" in text
    assert await core.notices.send_due(database) == 1


@pytest.mark.parametrize(
    ("new", "error"), [("short", PasswordTooWeak), (PASSWORD, PasswordSame), (f"Aa!{PHONE}", PasswordTooWeak)]
)
async def test_a_refused_new_password_changes_nothing(
    database: Database, core: Core, passwords: Passwords, customer_id: str, new: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await change(database, passwords, customer_id, PASSWORD, new)
    assert (await attempt(database, passwords, PASSWORD))[0] == "ok"
    assert await told(database, core, customer_id) == []


async def test_wrong_old_passwords_count_as_tries_to_log_in(
    database: Database, core: Core, passwords: Passwords, customer_id: str
) -> None:
    kinds = [await change(database, passwords, customer_id, "wrong", "river-Tulip-48") for _ in range(5)]
    assert kinds == ["wrong"] * 4 + ["locked"]
    assert (await attempt(database, passwords, PASSWORD))[0] == "locked"
    (text,) = await told(database, core, customer_id)
    assert "登录已暂停" in text


async def test_an_unknown_number_costs_the_same_statements_as_a_known_one(
    database: Database, passwords: Passwords, customer_id: str
) -> None:
    """The slow part, the hash, is counted elsewhere; here no query tells the two apart by more than one."""
    counts: dict[str, int] = {}
    await attempt(database, passwords, "wrong", "13700000000", HERE)
    for phone in (PHONE, "13900000000"):
        statements: list[str] = []

        def note(*arguments: object, seen: list[str] = statements) -> None:
            seen.append(str(arguments[2]))

        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        await attempt(database, passwords, "wrong", phone, HERE)
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
        counts[phone] = len(statements)
    assert abs(counts[PHONE] - counts["13900000000"]) <= 1


async def test_the_log_says_from_where_and_keeps_the_address_sealed(
    database: Database, core: Core, passwords: Passwords, customer_id: str
) -> None:
    await attempt(database, passwords, "wrong", origin=HERE)
    async with database.snapshot() as session:
        newest = (await core.identity.log.recent(session, customer_id, 1))[0]
        assert (newest.kind, newest.outcome, newest.channel) == ("login_password_wrong", "wrong", "web")
        assert newest.address == "203.0.113.7"
    async with database.engine.connect() as connection:
        rows = str((await connection.exec_driver_sql("SELECT * FROM security_event")).all())
    assert "203.0.113" not in rows
