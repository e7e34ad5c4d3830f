"""The life of a voiceprint in the bank: agreed to, recorded, compared, counted, followed, destroyed."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import AuditQuery, search
from banking_core.bank import Bank, build_bank
from banking_core.clock import ManualClock
from banking_core.orders.models import Order
from banking_core.settings import BankSettings
from banking_core.storage import Database
from banking_core.voiceprints import (
    EnrolmentStep,
    SpokenPassword,
    VoiceConsentMissing,
    VoiceEnrolmentStale,
    VoiceOutcome,
    VoicePromptUnknown,
    VoiceSample,
    VoiceUnavailable,
)
from banking_core.voiceprints.models import (
    VoiceAttempt,
    VoiceConsent,
    VoiceEnrolment,
    Voiceprint,
    VoicePrompt,
)
from banking_core.voiceprints.orders import EnrolHandler
from banking_core.voiceprints.prompts import random_digits
from tests.banking_core.people import Person, make_person
from tests.banking_core.voiceprints.voices import Voices, said

ORDER = "order:1"
T = TypeVar("T")


@dataclass
class Caller:
    """A customer whose voice is compared."""

    bank: Bank
    database: Database
    person: Person
    voices: Voices = field(default_factory=Voices)

    async def do(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self.database.transaction() as session:
            return await work(session)

    async def agree(self) -> None:
        await self.do(lambda session: self.bank.voiceprints.agree(session, self.person.id))

    async def begin(self) -> str:
        made = await self.do(lambda session: self.bank.voiceprints.begin_enrolment(session, self.person.id))
        return made.prompt_id

    async def record(self, sample: VoiceSample) -> EnrolmentStep:
        return await self.do(
            lambda session: self.bank.voiceprints.take_sample(session, self.person.id, sample)
        )

    async def enrol(self, *, cooled_hours: int = 24) -> None:
        await self.agree()
        prompt_id = await self.begin()
        for _ in range(3):
            step = await self.record(said(prompt_id))
            prompt_id = step.next.prompt_id if step.next else ""
        assert step.kind == "done"
        self.later(hours=cooled_hours)

    def later(self, hours: int) -> None:
        """A new voiceprint counts for orders after a day."""
        assert isinstance(self.bank.clock, ManualClock)
        self.bank.clock.advance(seconds=hours * 3600)

    async def ask(self, purpose: str = ORDER) -> str:
        made = await self.do(lambda session: self.bank.voiceprints.ask(session, self.person.id, purpose))
        return made.prompt_id if made else ""

    async def password(self, prompt_id: str) -> SpokenPassword:
        found = await self.do(lambda session: self.bank.voiceprints.password(session, prompt_id))
        assert found is not None
        return found

    async def give(self, sample: VoiceSample, purpose: str = ORDER, **more: Any) -> VoiceOutcome:
        return await self.do(
            lambda session: self.bank.voiceprints.verify(
                session, self.person.id, purpose, more.pop("tier", "medium"), sample, **more
            )
        )

    async def try_once(self, purpose: str = ORDER, **more: Any) -> VoiceOutcome:
        return await self.give(said(await self.ask(purpose), **more), purpose)

    async def count(self, model: type[Any]) -> int:
        return int(
            await self.do(lambda session: session.scalar(select(func.count()).select_from(model))) or 0
        )

    async def noted(self) -> list[str]:
        query = AuditQuery(customer_id=self.person.id, action="security.voice")
        page = await self.do(lambda session: search(session, query, limit=100))
        return [record.action.removeprefix("security.") for record in reversed(page.records)]


@pytest.fixture
async def caller(bank: Bank, database: Database) -> Caller:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13800000004", 1000_00)
    made = Caller(bank, database, person)
    bank.voiceprints.use(made.voices)
    return made


async def test_three_recordings_in_one_voice_make_a_voiceprint_and_every_act_is_noted(caller: Caller) -> None:
    await caller.enrol()
    status = await caller.do(lambda session: caller.bank.voiceprints.status(session, caller.person.id))
    assert status.usable and status.agreed and not status.renew
    assert (await caller.try_once()).kind == "ok"
    await caller.do(lambda session: caller.bank.voiceprints.cancel(session, caller.person.id))
    assert await caller.noted() == [
        "voice_agreed",
        *["voice_tried"] * 3,
        "voice_enrolled",
        "voice_tried",
        "voice_cancelled",
    ]
    told = await caller.do(lambda session: caller.bank.notices.list(session, caller.person.id))
    assert sorted(notice.text[:8] for notice in told) == ["您的声纹已取消（", "您的声纹已开通（"]


async def test_nobody_is_recorded_without_consent_to_the_explanation_as_it_reads(caller: Caller) -> None:
    with pytest.raises(VoiceConsentMissing):
        await caller.begin()
    await caller.agree()
    caller.bank.voiceprints._rules = replace(caller.bank.voiceprints._rules, consent_version=2)
    with pytest.raises(VoiceConsentMissing):
        await caller.begin()
    await caller.agree()
    await caller.agree()
    await caller.begin()
    consents = await caller.do(
        lambda session: session.execute(select(VoiceConsent.version, VoiceConsent.revoked_at.is_(None)))
    )
    assert sorted(map(tuple, consents.all())) == [(1, False), (2, True)]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"fault": "too_short"}, "fault"),
        ({"fault": "two_voices"}, "fault"),
        ({"content": 0.0}, "wrong_digits"),
        ({"name": "王五"}, "another_voice"),
    ],
)
async def test_a_bad_recording_is_asked_for_again_with_other_digits(
    caller: Caller, more: dict[str, Any], kind: str
) -> None:
    await caller.agree()
    first = await caller.record(said(await caller.begin()))
    assert (first.kind, first.number) == ("taken", 1) and first.next is not None
    step = await caller.record(said(first.next.prompt_id, **more))
    assert (step.kind, step.number) == (kind, 1) and step.next is not None
    assert await caller.count(Voiceprint) == 0


async def test_too_many_bad_recordings_leave_nothing(caller: Caller) -> None:
    await caller.agree()
    prompt_id = await caller.begin()
    steps = []
    while prompt_id:
        steps.append(await caller.record(said(prompt_id, fault="noisy")))
        prompt_id = steps[-1].next.prompt_id if steps[-1].next else ""
    assert len(steps) == 8
    assert (await caller.noted())[-1] == "voice_enrolment_failed"
    assert await caller.count(VoiceEnrolment) == await caller.count(Voiceprint) == 0


async def test_an_old_recording_ends_an_enrolment_and_is_held_against_the_caller(caller: Caller) -> None:
    await caller.agree()
    await caller.record(said(await caller.begin(), take="heard by somebody"))
    again = await caller.begin()
    password = await caller.password(again)
    step = await caller.record(said(again, take="heard by somebody", former=password.former))
    assert (step.kind, step.next) == ("replayed", None)
    assert await caller.count(VoiceEnrolment) == await caller.count(Voiceprint) == 0
    suspected = caller.bank.voiceprints.suspected
    assert await caller.do(lambda session: suspected(session, caller.person.id))
    assert (await caller.noted())[-2:] == ["voice_enrolment_failed", "voice_suspected"]


async def test_an_enrolment_that_takes_too_long_or_is_given_up_leaves_nothing(
    caller: Caller, clock: ManualClock
) -> None:
    await caller.agree()
    prompt_id = await caller.begin()
    clock.advance(seconds=11 * 60)
    with pytest.raises(VoiceEnrolmentStale):
        await caller.record(said(prompt_id))
    await caller.do(caller.bank.voiceprints.clear)
    assert await caller.count(VoiceEnrolment) == 0
    await caller.begin()
    await caller.do(lambda session: caller.bank.voiceprints.give_up_enrolment(session, caller.person.id))
    assert await caller.count(VoiceEnrolment) == 0


async def test_text_and_voice_are_both_needed(caller: Caller) -> None:
    await caller.enrol()
    assert (await caller.try_once(content=0.0)).kind == "wrong_digits"
    assert (await caller.try_once(name="王五")).kind == "wrong_voice"
    assert (await caller.try_once(llr=3.0)).kind == "wrong_voice"
    assert await caller.ask() == "", "asking anew gives no further try"


async def test_a_higher_risk_wants_a_nearer_voice(caller: Caller) -> None:
    await caller.enrol()
    assert not (await caller.give(said(await caller.ask(), llr=5.0), tier="high")).proved
    assert (await caller.give(said(await caller.ask(), llr=5.0), tier="medium")).proved


async def test_digits_count_once_for_one_purpose_and_for_a_minute(caller: Caller, clock: ManualClock) -> None:
    await caller.enrol()
    prompt_id = await caller.ask()
    with pytest.raises(VoicePromptUnknown):
        await caller.give(said(prompt_id), "order:2")
    await caller.give(said(prompt_id))
    with pytest.raises(VoicePromptUnknown):
        await caller.give(said(prompt_id))
    prompt_id = await caller.ask("order:3")
    clock.advance(seconds=60)
    assert (await caller.give(said(prompt_id), "order:3")).kind == "late"


async def test_asking_again_voids_the_digits_before(caller: Caller) -> None:
    await caller.enrol()
    before = await caller.ask()
    await caller.ask()
    with pytest.raises(VoicePromptUnknown):
        await caller.give(said(before))


async def test_after_three_tries_there_is_no_fourth(caller: Caller) -> None:
    await caller.enrol()
    outcome = await caller.try_once(content=0.0)
    tries = 1
    while outcome.next is not None:
        outcome = await caller.give(said(outcome.next.prompt_id, content=0.0))
        tries += 1
    assert (tries, outcome.suspicious) == (3, False)
    assert await caller.ask() == ""


async def test_a_voice_that_clearly_is_another_is_suspicious_the_second_time(caller: Caller) -> None:
    await caller.enrol()
    first = await caller.try_once(name="王五")
    assert not first.suspicious and first.next is not None
    second = await caller.try_once(name="王五")
    assert second.suspicious and second.next is None


async def test_a_recording_heard_before_is_known_again_whatever_became_of_it(caller: Caller) -> None:
    await caller.enrol()
    await caller.try_once(fault="noisy", take="the old one")
    prompt_id = await caller.ask("order:2")
    password = await caller.password(prompt_id)
    assert len(password.former) == 4, "three of the enrolment, one that was too noisy"
    outcome = await caller.give(said(prompt_id, take="the old one", former=password.former), "order:2")
    assert (outcome.kind, outcome.suspicious, outcome.next) == ("replayed", True, None)


async def test_wrong_ones_in_a_row_pause_the_voice_and_unclear_ones_do_not(
    caller: Caller, clock: ManualClock
) -> None:
    await caller.enrol()
    for number in range(10):
        await caller.try_once(f"order:a{number}", fault="noisy")
    for number in range(6):
        assert await caller.ask(f"order:b{number}")
        await caller.try_once(f"order:b{number}", content=0.0)
    assert await caller.ask("order:c") == ""
    clock.advance(seconds=60 * 60)
    assert await caller.ask("order:c")


async def test_no_digits_come_again_within_a_day(caller: Caller, clock: ManualClock) -> None:
    await caller.enrol()
    drawn = iter([12345678, 12345678, 12345678, 87654321, 12345678])
    caller.bank.voiceprints.prompts.randbelow = lambda _: next(drawn)
    first = await caller.password(await caller.ask("order:1"))
    second = await caller.password(await caller.ask("order:2"))
    assert (first.digits, second.digits) == ("12345678", "87654321")
    clock.advance(seconds=24 * 3600 + 1)
    assert (await caller.password(await caller.ask("order:3"))).digits == "12345678"


@given(st.integers())
@settings(derandomize=True, max_examples=200)
def test_digits_can_be_said_and_told_apart(seed: int) -> None:
    digits = random_digits(random.Random(seed).randrange)
    assert len(digits) == 8 and digits.isdecimal() and len(set(digits)) >= 5
    assert all(a != b for a, b in itertools.pairwise(digits))


async def test_the_template_follows_the_voice_only_after_another_strong_proof_and_slowly(
    caller: Caller, clock: ManualClock
) -> None:
    await caller.enrol()
    clock.advance(seconds=8 * 86400)

    async def proved(number: int, **more: Any) -> None:
        purpose = f"order:{number}"
        assert (await caller.give(said(await caller.ask(purpose), **more), purpose, strong=number > 1)).proved

    await proved(1)
    await proved(2, llr=5.0)
    assert (await caller.do(lambda s: s.scalar(select(Voiceprint)))).adaptations == 0  # type: ignore[union-attr]
    await proved(3)
    await proved(4)
    found = await caller.do(lambda s: s.scalar(select(Voiceprint)))
    assert found is not None and found.adaptations == 1
    assert "voice_adapted" in await caller.noted()


async def test_a_voice_that_drifts_away_is_asked_to_record_anew(caller: Caller) -> None:
    await caller.enrol()
    caller.bank.voiceprints._verification._rules = replace(caller.bank.voiceprints._rules, drift=5.0)
    for call in range(3):
        await caller.try_once(f"order:{call}", llr=4.5)
    status = await caller.do(lambda session: caller.bank.voiceprints.status(session, caller.person.id))
    assert status.usable and not status.renew, "a cold is no drift"
    for call in range(3, 12):
        await caller.try_once(f"order:{call}", llr=4.5)
    status = await caller.do(lambda session: caller.bank.voiceprints.status(session, caller.person.id))
    assert status.usable and status.renew and "voice_drifted" in await caller.noted()
    await caller.enrol()
    status = await caller.do(lambda session: caller.bank.voiceprints.status(session, caller.person.id))
    assert not status.renew and "voice_changed" in await caller.noted()


async def test_a_consent_proved_by_more_than_a_code_is_good_for_one_recording_and_for_a_day(
    caller: Caller,
) -> None:
    await caller.enrol()
    with pytest.raises(VoiceConsentMissing):
        await caller.begin()
    await caller.agree()
    caller.later(hours=23)
    await caller.begin()
    caller.later(hours=1)
    with pytest.raises(VoiceConsentMissing):
        await caller.begin()


@pytest.mark.parametrize(("first", "way"), [(True, "none"), (False, "shut")])
async def test_a_new_voiceprint_counts_for_orders_after_a_day(caller: Caller, first: bool, way: str) -> None:
    if not first:
        await caller.enrol()
    await caller.enrol(cooled_hours=23)
    voiceprints, person_id = caller.bank.voiceprints, caller.person.id
    assert await caller.do(lambda session: voiceprints.way(session, person_id, ORDER)) == way
    assert await caller.do(lambda session: voiceprints.way(session, person_id, "login:1")) == "open"
    caller.later(hours=1)
    assert await caller.do(lambda session: voiceprints.way(session, person_id, ORDER)) == "open"


async def test_a_template_of_another_encoder_or_too_old_is_not_used(
    caller: Caller, clock: ManualClock
) -> None:
    await caller.enrol()
    caller.voices.encoder = "names-2"
    assert await caller.ask() == ""
    caller.voices.encoder = "names-1"
    assert await caller.ask()
    clock.advance(seconds=1095 * 86400)
    assert await caller.ask() == ""


async def test_cancelling_destroys_whatever_was_made_of_the_voice(caller: Caller) -> None:
    await caller.enrol()
    waiting = await caller.ask()
    await caller.do(lambda session: caller.bank.voiceprints.cancel(session, caller.person.id))
    assert await caller.count(Voiceprint) == 0
    attempts = await caller.do(lambda session: session.scalars(select(VoiceAttempt)))
    assert [(one.fingerprint, one.audio) for one in attempts] == [(None, None)] * 3
    with pytest.raises(VoicePromptUnknown):
        await caller.give(said(waiting))
    with pytest.raises(VoiceConsentMissing):
        await caller.begin()


@pytest.mark.parametrize(("days", "kept"), [(0, 0), (30, 1)])
async def test_recordings_are_kept_only_where_the_bank_turns_it_on_and_for_so_long(
    settings: BankSettings, clock: ManualClock, database: Database, days: int, kept: int
) -> None:
    bank = build_bank(replace(settings, voice_audio_days=days), clock)
    await bank.start(database)
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13800000004", 0)
    caller = Caller(bank, database, person)
    bank.voiceprints.use(caller.voices)
    await caller.enrol()
    await caller.try_once(audio=b"pcm")

    async def recordings() -> int:
        statement = select(func.count()).where(VoiceAttempt.audio_sealed.is_not(None))
        return int(await caller.do(lambda session: session.scalar(statement)) or 0)

    assert await recordings() == kept
    clock.advance(seconds=days * 86400)
    await caller.do(bank.voiceprints.clear)
    assert await recordings() == 0
    await bank.close()


async def bank_keeping(settings: BankSettings, clock: ManualClock, database: Database, days: int) -> Bank:
    """The bank as it starts with another setting."""
    bank = build_bank(replace(settings, voice_audio_days=days), clock)
    await bank.start(database)
    return bank


@pytest.mark.parametrize(("shown_days", "days"), [(0, 30), (30, 60), (30, 0), (60, 30)])
async def test_who_was_shown_something_else_has_agreed_to_what_they_were_shown(
    settings: BankSettings, clock: ManualClock, database: Database, shown_days: int, days: int
) -> None:
    before = await bank_keeping(settings, clock, database, shown_days)
    async with database.transaction() as session:
        person = await make_person(session, before, "张伟", "13800000004", 0)
        before.voiceprints.use(Voices())
        quote = await EnrolHandler(before.voiceprints).price(session, person.customer, {})
    await before.close()
    after = await bank_keeping(settings, clock, database, days)
    caller = Caller(after, database, person)
    after.voiceprints.use(caller.voices)
    async with database.transaction() as session:
        order = Order(kind="voice_enrol", customer_id=person.id, channel="phone", body=quote.body)
        await EnrolHandler(after.voiceprints).execute(session, order)
    consent = (await caller.do(lambda session: session.scalars(select(VoiceConsent)))).one()
    assert consent.audio_days == shown_days
    assert dict(quote.facts)["录音"] == (f"念数字的录音加密保存{shown_days}天" if shown_days else "不存录音")
    await caller.record(said(await caller.begin(), audio=b"pcm"))
    kept = await caller.do(lambda session: after.voiceprints.recordings(session, person.id))
    assert len(kept) == (1 if 0 < days <= shown_days else 0), "nobody is recorded beyond what they agreed to"
    await after.close()


async def test_a_recording_goes_when_its_customer_was_told_whatever_the_bank_keeps_of_others_by_now(
    settings: BankSettings, clock: ManualClock, database: Database
) -> None:
    before = await bank_keeping(settings, clock, database, 30)
    async with database.transaction() as session:
        person = await make_person(session, before, "张伟", "13800000004", 0)
    caller = Caller(before, database, person)
    before.voiceprints.use(caller.voices)
    await caller.agree()
    at = clock.now()
    await caller.record(said(await caller.begin(), audio=b"pcm"))
    await before.close()
    after = await bank_keeping(settings, clock, database, 60)
    kept = await caller.do(lambda session: after.voiceprints.recordings(session, person.id))
    assert [(one.at, one.until) for one in kept] == [(at, at + timedelta(days=30))]
    clock.advance(seconds=30 * 86400 - 1)
    await caller.do(after.voiceprints.clear)
    assert len(await caller.do(lambda session: after.voiceprints.recordings(session, person.id))) == 1
    clock.advance(seconds=1)
    await caller.do(after.voiceprints.clear)
    assert len(await caller.do(lambda session: after.voiceprints.recordings(session, person.id))) == 0
    await after.close()


async def test_neither_template_nor_digits_nor_fingerprints_lie_open_in_the_database(caller: Caller) -> None:
    await caller.enrol()
    digits = (await caller.password(await caller.ask())).digits
    await caller.agree()
    prompt_id = await caller.begin()
    password = await caller.password(prompt_id)
    await caller.record(said(prompt_id, take="heard once", former=password.former))
    secrets = [digits, password.digits]
    for plain in (json.dumps({"name": "张伟"})[:-1].encode(), b"heard once", *password.former):
        secrets += [plain.decode(), base64.b64encode(plain).decode()[: len(plain) // 3 * 4]]
    for table in ("voiceprint", "voice_prompt", "voice_attempt", "voice_enrolment", "audit_record"):
        rows = await caller.do(lambda session, table=table: session.execute(text(f"SELECT * FROM {table}")))  # type: ignore[misc]
        everything = str(rows.all())
        assert len(everything) > 100 and not [each for each in secrets if each in everything], table


async def test_without_anything_to_compare_voices_there_are_none(bank: Bank, database: Database) -> None:
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13800000004", 0)
        await bank.voiceprints.agree(session, person.id)
        with pytest.raises(VoiceUnavailable):
            await bank.voiceprints.begin_enrolment(session, person.id)
        assert await bank.voiceprints.ask(session, person.id, ORDER) is None


async def test_old_digits_are_deleted(caller: Caller, clock: ManualClock) -> None:
    await caller.enrol()
    clock.advance(seconds=3 * 86400)
    await caller.do(caller.bank.voiceprints.clear)
    assert await caller.count(VoicePrompt) == 0
