"""What is made of voices has a key ring of its own: moved there once, opened by it alone, lost without other loss."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from banking_core.bank import build_bank
from banking_core.clock import ManualClock
from banking_core.settings import BankSettings
from banking_core.storage import Database
from banking_core.vault import FixedKeys, KeyRing, KeyRingInvalid, Place, SealBroken, Vault, sealed_attributes
from banking_core.vault.rotation import Use, reseal, sealed_models, uses
from banking_core.voiceprints import VoiceEnrolmentStale
from banking_core.voiceprints.keys import forget_unreadable, voices_open
from banking_core.voiceprints.models import VoiceAttempt, VoiceEnrolment, Voiceprint
from migrations import upgrade
from migrations.runner import downgrade
from tests import keys
from tests.banking_core.people import Person, make_person
from tests.banking_core.stored import stored_bytes
from tests.banking_core.voiceprints.test_voiceprints import ORDER, Caller
from tests.banking_core.voiceprints.voices import said
from tests.keys import MADE_AT

BEFORE, PHONE = "0042", "13800000004"


class Rings:
    """The two rings of a bank, and vaults of them."""

    def __init__(self) -> None:
        self.data, self.voice = keys.ring(), keys.ring("voice")

    def vault(self, *, voice: KeyRing | None = None) -> Vault:
        return Vault(FixedKeys(self.data), voice=FixedKeys(voice or self.voice))

    def without_voices(self) -> Vault:
        return Vault(FixedKeys(self.data))


@pytest.fixture
def rings() -> Rings:
    return Rings()


@pytest.fixture
async def settings_keeping(settings: BankSettings) -> BankSettings:
    await upgrade(settings.database_url)
    return replace(settings, voice_audio_days=30)


@asynccontextmanager
async def opened(settings: BankSettings, clock: ManualClock, vault: Vault) -> AsyncIterator[Caller]:
    """The bank with these keys, and its first customer, who is made if there is none."""
    database = Database(settings.database_url, vault=vault)
    bank = build_bank(settings, clock)
    await bank.start(database)
    async with database.transaction() as session:
        customer = await bank.customers.by_phone(session, PHONE)
        if customer is None:
            person = await make_person(session, bank, "张伟", PHONE, 1000_00)
        else:
            (account,) = await bank.accounts.list_for(session, customer.id)
            person = Person(customer, account)
    caller = Caller(bank, database, person)
    bank.voiceprints.use(caller.voices)
    yield caller
    await bank.close()
    await database.close()


async def fill(caller: Caller) -> None:
    """A voiceprint, attempts with recordings, and an enrolment under way."""
    await caller.enrol()
    assert (await caller.try_once(audio=b"pcm", take="an old recording")).proved
    await caller.agree()
    await caller.record(said(await caller.begin()))


async def stored(caller: Caller) -> list[str]:
    """Every sealed value that was made of a voice."""
    return await stored_in(caller.database)


async def stored_at(url: str) -> list[str]:
    """The same, whatever revision the database is at."""
    database = Database(url)
    found = await stored_in(database)
    await database.close()
    return found


async def stored_in(database: Database) -> list[str]:
    found: list[str] = []
    async with database.snapshot() as session:
        for model in sealed_models(["voice"]):
            columns = [c for c in model.__table__.c if c.name.endswith("_sealed")]
            rows = await session.execute(select(*columns))
            found += [value for row in rows for value in row if value is not None]
    return found


def test_exactly_what_is_made_of_a_voice_belongs_to_its_ring() -> None:
    assert sealed_models(["voice"]) == [VoiceAttempt, VoiceEnrolment, Voiceprint]


async def test_only_the_ring_of_the_voices_opens_them_and_it_opens_nothing_else(
    settings_keeping: BankSettings, clock: ManualClock, rings: Rings
) -> None:
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
        values = await stored(caller)
        assert len(values) > 6 and {value[:5] for value in values} == {"A.v1."}
        found = await caller.do(lambda session: session.scalar(select(Voiceprint)))
        assert found is not None
        place = Voiceprint.template.place(found.id)
        with pytest.raises(KeyRingInvalid):
            rings.without_voices().open(found.template_sealed, place)
        with pytest.raises(SealBroken):
            rings.vault(voice=keys.ring("voice")).open(found.template_sealed, place)
        with pytest.raises(KeyRingInvalid):
            rings.without_voices().seal(b"x", place)
    personal = Place("customer", "name", "a" * 32)
    as_voice = rings.vault().seal(b"x", personal._replace(ring="voice"))
    with pytest.raises(SealBroken, match="another ring"):
        rings.vault().open(as_voice, personal)


async def seal_as_formerly(caller: Caller, rings: Rings) -> None:
    """What a former version would have written: the same values, sealed by the ring `data`."""
    vault = rings.vault()
    for model in sealed_models(["voice"]):
        for attribute in sealed_attributes(model):
            async with caller.database.transaction() as session:
                column = getattr(model, attribute.column)
                for row_id, value in (await session.execute(select(model.id, column))).all():
                    if value is not None:
                        place = attribute.place(row_id)
                        late = vault.seal(vault.open(value, place), place._replace(ring="data"))
                        change = update(model).where(model.id == row_id).values({attribute.column: late})
                        await session.execute(change)


async def test_voices_of_former_versions_open_are_moved_once_and_leave_nothing_for_the_old_ring(
    settings_keeping: BankSettings, clock: ManualClock, rings: Rings, tmp_path: Path
) -> None:
    url = settings_keeping.database_url
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
        await seal_as_formerly(caller, rings)
        former = await stored(caller)
        assert {value[:5] for value in former} == {"A.k1."}
        assert (await caller.try_once("order:2")).proved, "they still open"
        former = [value for value in await stored(caller) if value.startswith("A.k1.")]
        count = len(await stored(caller))
    await downgrade(url, BEFORE, vault=rings.vault())
    await upgrade(url, vault=rings.vault())
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        moved = await stored(caller)
        assert len(moved) == count and {value[:5] for value in moved} == {"A.v1."}
        password = await caller.password(await caller.ask("order:3"))
        assert b"an old recording" in password.former
        assert (await caller.give(said(password.prompt_id), "order:3")).proved
    await upgrade(url, vault=rings.vault())
    assert set(moved) <= set(await stored_at(url)), "the second start moves nothing"
    raw = await stored_bytes(url, tmp_path)
    assert not [value for value in former if value.encode() in raw]


async def test_a_move_that_is_interrupted_has_not_begun(
    settings_keeping: BankSettings, clock: ManualClock, rings: Rings
) -> None:
    url = settings_keeping.database_url
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
    await downgrade(url, BEFORE, vault=rings.vault())

    class Dying(Vault):
        left = 3

        def seal(self, plain: bytes, place: Place) -> str:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("the machine stops")
            return super().seal(plain, place)

    with pytest.raises(RuntimeError):
        await upgrade(url, vault=Dying(FixedKeys(rings.data), voice=FixedKeys(rings.voice)))
    with pytest.raises(KeyRingInvalid, match="voice"):
        await upgrade(url, vault=rings.without_voices())
    assert {value[:5] for value in await stored_at(url)} == {"A.k1."}
    await upgrade(url, vault=rings.vault())
    assert {value[:5] for value in await stored_at(url)} == {"A.v1."}


async def test_an_old_value_that_does_not_open_hinders_nobody(
    settings_keeping: BankSettings, clock: ManualClock, rings: Rings, caplog: pytest.LogCaptureFixture
) -> None:
    url = settings_keeping.database_url
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
    await downgrade(url, BEFORE, vault=rings.vault())
    database = Database(url)
    async with database.transaction() as session:
        await session.execute(text("UPDATE voiceprint SET template_sealed = 'A.k1.torn'"))
    await database.close()
    await upgrade(url, vault=rings.vault())
    assert "not sealed anew code=seal_broken: voiceprint.template" in caplog.text
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        assert sorted({value[:5] for value in await stored(caller)}) == ["A.k1.", "A.v1."]
        assert await caller.ask(ORDER) == ""


async def test_changing_the_voices_keys_touches_voices_only_and_finds_what_a_former_version_wrote(
    settings_keeping: BankSettings, clock: ManualClock, rings: Rings
) -> None:
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
        voices = len(await stored(caller))
        found = await caller.do(lambda session: session.scalar(select(Voiceprint)))
        assert found is not None
        place = Voiceprint.template.place(found.id)
        late = rings.vault().seal(
            rings.vault().open(found.template_sealed, place), place._replace(ring="data")
        )
        await caller.do(
            lambda session: session.execute(
                text("UPDATE voiceprint SET template_sealed = :late"), {"late": late}
            )
        )
        others = await caller.do(lambda session: uses(session, ["data"]))
    rings.voice = rings.voice.with_new_key(MADE_AT)
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await reseal(caller.database, rings=["voice"])
        assert await caller.do(lambda session: uses(session, ["voice"])) == [Use("v2", "A", voices)]
        assert await caller.do(lambda session: uses(session, ["data"])) == others
    rings.voice = rings.voice.without("v1")
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        assert (await caller.try_once("order:9")).proved


@pytest.mark.parametrize("how", ["fresh keys", "no keys"])
async def test_with_the_voices_keys_lost_the_bank_goes_on_and_voices_are_recorded_anew(
    settings_keeping: BankSettings,
    clock: ManualClock,
    rings: Rings,
    how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
        waiting = await caller.begin()
    lost = rings.vault(voice=keys.ring("voice")) if how == "fresh keys" else rings.without_voices()
    async with opened(settings_keeping, clock, lost) as caller:
        voiceprints, customer_id = caller.bank.voiceprints, caller.person.id
        assert "customers must record anew" in caplog.text
        if how == "no keys":
            voiceprints.use(None)
        status = await caller.do(lambda session: voiceprints.status(session, customer_id))
        assert (status.enrolled, status.usable, status.renew) == (True, False, how == "fresh keys")
        assert await caller.do(lambda session: voiceprints.way(session, customer_id, ORDER)) == "shut"
        customer = await caller.do(lambda session: caller.bank.customers.by_phone(session, "13800000004"))
        assert customer is not None and customer.name == "张伟"
        if how == "no keys":
            return
        with pytest.raises(VoiceEnrolmentStale):
            await caller.record(said(waiting))
        await caller.enrol()
        password = await caller.password(await caller.ask())
        assert len(password.former) == 3, "former recordings are not known again"
        assert (await caller.give(said(password.prompt_id))).proved


async def test_what_opens_no_more_is_destroyed_on_request_and_the_voiceprint_stays_guarded(
    settings_keeping: BankSettings, clock: ManualClock, rings: Rings
) -> None:
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
        assert await forget_unreadable(caller.database) == 0, "nothing that opens is touched"
    rings.voice = keys.ring("voice")
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        clock.advance(seconds=86400)
        assert await forget_unreadable(caller.database) == 7
        assert await forget_unreadable(caller.database) == 0
        assert await caller.do(voices_open)
        status = await caller.do(lambda session: caller.bank.voiceprints.status(session, caller.person.id))
        assert (status.enrolled, status.usable, status.renew, status.may_record) == (True, False, True, False)
        assert await caller.count(VoiceEnrolment) == 0
        await caller.enrol()
        assert (await caller.try_once()).proved


async def test_a_cancelled_voiceprint_is_gone_from_the_embedded_database_s_files_too(
    settings_keeping: BankSettings, clock: ManualClock, rings: Rings, tmp_path: Path
) -> None:
    async with opened(settings_keeping, clock, rings.vault()) as caller:
        await fill(caller)
        values = await stored(caller)
        await caller.do(lambda session: caller.bank.voiceprints.cancel(session, caller.person.id))
        assert await stored(caller) == [] and await caller.count(Voiceprint) == 0
        embedded = caller.database.is_sqlite
    if embedded:
        raw = await stored_bytes(settings_keeping.database_url, tmp_path)
        assert b"voiceprint" in raw and not [value for value in values if value[40:].encode() in raw]
