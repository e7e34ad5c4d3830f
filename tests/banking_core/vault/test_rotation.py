"""Keys are changed while the bank is open: nothing is lost, nothing stays behind, a crash only interrupts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from banking_core.accounts import Account
from banking_core.core import Core
from banking_core.customers import Customer
from banking_core.storage import Database
from banking_core.vault import CipherName, FixedKeys, KeyRing, Place, Vault
from banking_core.vault.rotation import Use, reseal, sealed_models, uses
from tests import keys
from tests.banking_core.people import make_person
from tests.keys import MADE_AT

PHONES = [f"138000000{number:02}" for number in range(12)]


class Crash(Exception):
    """The power goes."""


class Failing(Vault):
    """Dies when it has sealed so many values."""

    def __init__(self, ring: KeyRing, seals: int) -> None:
        super().__init__(FixedKeys(ring))
        self.seals_left = seals

    def seal(self, plain: bytes, place: Place) -> str:
        if self.seals_left == 0:
            raise Crash
        self.seals_left -= 1
        return super().seal(plain, place)


@pytest.fixture
def ring(vault: Vault) -> KeyRing:
    """The ring of the bank with one key more."""
    return vault.ring.with_new_key(MADE_AT)


def opened(url: str, ring: KeyRing, cipher: CipherName = "aes-256-gcm") -> Database:
    return Database(url, vault=Vault(FixedKeys(ring), cipher=cipher))


async def fill(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        for number, phone in enumerate(PHONES):
            await make_person(session, core, f"客户{number}", phone)


async def counts(database: Database) -> list[Use]:
    async with database.snapshot() as session:
        return await uses(session)


async def check(database: Database) -> None:
    """Everybody is still who they were."""
    async with database.snapshot() as session:
        everybody = sorted(await session.scalars(select(Customer)), key=lambda customer: customer.phone)
        assert [c.phone for c in everybody] == PHONES
        assert [c.name for c in everybody] == [f"客户{number}" for number in range(len(PHONES))]
        for account in await session.scalars(select(Account)):
            assert len(account.number) == 19


@pytest.mark.parametrize("cipher", ["aes-256-gcm", "sm4-gcm"])
async def test_everything_is_sealed_with_the_new_key_and_the_old_one_is_not_needed(
    database: Database, core: Core, database_url: str, ring: KeyRing, cipher: CipherName
) -> None:
    await fill(database, core)
    assert await counts(database) == [Use("k1", "A", 4 * len(PHONES))]
    rotated = opened(database_url, ring, cipher)
    told: list[tuple[str, int]] = []
    report = await reseal(rotated, lambda table, rows: told.append((table, rows)))
    assert (report.rows, report.broken) == (2 * len(PHONES), set())
    assert told == [("account", len(PHONES)), ("customer", len(PHONES))]
    assert await counts(rotated) == [Use("k2", "A" if cipher == "aes-256-gcm" else "S", 4 * len(PHONES))]
    assert (await reseal(rotated)).rows == 0
    await rotated.close()
    alone = opened(database_url, ring.without("k1"), cipher)
    await check(alone)
    await alone.close()


@pytest.mark.parametrize("seals", [0, 1, 13, 30, 47])
async def test_a_crash_in_the_middle_loses_nothing_and_the_next_run_goes_on(
    database: Database,
    core: Core,
    database_url: str,
    ring: KeyRing,
    seals: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("banking_core.vault.rotation.BATCH_ROWS", 5)
    await fill(database, core)
    dying = Database(database_url, vault=Failing(ring, seals))
    with pytest.raises(Crash):
        await reseal(dying)
    await check(dying)
    found = {use.key_id: use.count for use in await counts(dying)}
    assert found.get("k2", 0) <= seals and sum(found.values()) == 4 * len(PHONES)
    await dying.close()
    revived = opened(database_url, ring)
    await reseal(revived)
    assert await counts(revived) == [Use("k2", "A", 4 * len(PHONES))]
    await check(revived)
    await revived.close()


async def test_customers_may_change_their_data_meanwhile_with_either_key(
    database: Database, core: Core, database_url: str, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app's own process has not noticed the new key yet; it opens what it meets and seals with the old one."""
    monkeypatch.setattr("banking_core.vault.rotation.BATCH_ROWS", 2)
    await fill(database, core)
    assert database.vault is not None
    app = opened(database_url, replace(ring, current="k1"))
    rotating = opened(database_url, ring)

    async def rename(number: int) -> None:
        async def work(session: object) -> None:
            customer = await core.customers.by_phone(session, PHONES[number])  # type: ignore[arg-type]
            assert customer is not None
            customer.name = f"新名{number}"

        await app.run(work)

    await asyncio.gather(reseal(rotating), *(rename(number) for number in range(len(PHONES))))
    await reseal(rotating)
    assert {use.key_id for use in await counts(rotating)} == {"k2"}
    async with rotating.snapshot() as session:
        everybody = list(await session.scalars(select(Customer)))
        assert {c.name for c in everybody} == {f"新名{number}" for number in range(len(PHONES))}
    await app.close()
    await rotating.close()


async def test_a_value_that_does_not_open_is_named_and_left_as_it_is(
    database: Database, core: Core, database_url: str, ring: KeyRing
) -> None:
    await fill(database, core)
    async with database.transaction() as session:
        victim = await core.customers.by_phone(session, PHONES[3])
        assert victim is not None
        torn = victim.name_sealed[:-3]
        await session.execute(update(Customer).where(Customer.id == victim.id).values(name_sealed=torn))
    rotated = opened(database_url, ring)
    report = await reseal(rotated)
    assert report.rows == 2 * len(PHONES) - 1
    assert len(report.broken) == 1 and victim.id in report.broken.pop()
    assert Use("k1", "A", 3) in await counts(rotated)
    async with rotated.snapshot() as session:
        assert (await session.get_one(Customer, victim.id)).name_sealed == torn
    await rotated.close()


def test_every_table_with_sealed_columns_takes_part() -> None:
    from migrations.model_modules import load_metadata

    metadata = load_metadata()
    sealed = {
        table.name
        for table in metadata.tables.values()
        if any(c.name.endswith("_sealed") for c in table.columns)
    }
    assert {model.__tablename__ for model in sealed_models()} == sealed
    assert {"customer", "message", "bank_order"} <= sealed
    assert keys.vault().prefix == "A.k1."
