"""The life of a voiceprint: explained and agreed to, recorded, compared, recorded anew, cancelled."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.core import Core
from banking_core.identity import HOTLINE_TERM
from banking_core.identity.callbacks import Callbacks
from banking_core.identity.keys import Fingerprints
from banking_core.identity.lockout import Lockout
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.orders.models import Order
from banking_core.orders.proofs import VoiceStandsIn
from banking_core.settings import BankSettings
from banking_core.storage import new_id
from banking_core.vault import VaultError
from banking_core.voiceprints.biometrics import Biometrics, SpokenPassword, Tier, VoiceSample
from banking_core.voiceprints.enrolment import Enrolments, EnrolmentStep
from banking_core.voiceprints.errors import VoiceConsentMissing, VoiceUnavailable
from banking_core.voiceprints.models import (
    VoiceAttempt,
    VoiceConsent,
    VoiceEnrolment,
    Voiceprint,
    VoicePrompt,
)
from banking_core.voiceprints.orders import CANCEL_KIND, ENROL_KIND, CancelHandler, EnrolHandler, Explanation
from banking_core.voiceprints.prompts import Prompts, VoicePrompted
from banking_core.voiceprints.recordings import Recording, Recordings
from banking_core.voiceprints.rules import AREA, VoiceRules
from banking_core.voiceprints.suspicion import VoiceSuspicion, Why
from banking_core.voiceprints.verification import Verification, VoiceOutcome, age_days

log = logging.getLogger(__name__)
LOGIN = "login:"  # purposes of those who have not proved who they are yet
PROMPTS_KEPT = timedelta(days=2)  # longer than any span in which digits must not come again
BATCH_ROWS = 500
CHANGES = frozenset({ENROL_KIND, CANCEL_KIND})
VoiceWay = Literal["none", "open", "paused", "shut"]


@dataclass(frozen=True)
class VoiceStatus:
    """Where a customer stands. `available`: voices can be compared here; `usable`: this one's can, now; `renew`: it
    should be recorded anew, and can be.

    `may_record`: with the consent and a code one may be recorded now, over an existing one too.
    """

    available: bool
    agreed: bool
    enrolled: bool
    usable: bool
    renew: bool
    may_record: bool
    enrolled_at: datetime | None = None
    verified_at: datetime | None = None


@checked
class Voiceprints:
    """Voiceprints of customers. Never commits: commit whatever `verify` and `take_sample` return."""

    def __init__(self, core: Core, settings: BankSettings) -> None:
        """Raises UnknownTerm, TermsError when a figure is missing or senseless."""
        rules = VoiceRules.of_terms(core.terms)
        fingerprints = Fingerprints(settings.otp_key)
        self._clock, self._rules, self._customers = core.clock, rules, core.customers
        self._log = core.identity.log
        self._notices = SecurityNotices(core.notices, core.terms.text(HOTLINE_TERM))
        self._audio_days = settings.voice_audio_days
        self._recordings = Recordings(settings.voice_audio_days)
        self._biometrics: Biometrics | None = None
        self.prompts = Prompts(core.clock, rules, fingerprints)
        self._verification = Verification(
            core.clock,
            rules,
            self.prompts,
            Lockout.of_terms(core.terms, f"{AREA}.pause_tries", f"{AREA}.pause_minutes"),
            fingerprints,
            core.identity.log,
            audio_days=settings.voice_audio_days,
        )
        self._enrolments = Enrolments(core.clock, rules, self.prompts, self._verification, core.identity.log)
        self.suspicion = VoiceSuspicion(
            core.clock,
            core.customers,
            core.restrictions,
            core.identity.log,
            self._notices,
            unproved_life=rules.suspicion,
        )
        core.orders.let_voice_stand_in(
            VoiceStandsIn(
                core.terms.fen(f"{AREA}.alone_yuan"), core.terms.fen(f"{AREA}.alone_day_yuan"), CHANGES
            )
        )
        core.orders.register(EnrolHandler(self))
        core.orders.register(CancelHandler(self))

    def use(self, biometrics: Biometrics | None) -> None:
        """Says what compares voices; with None there are no voiceprints here."""
        self._biometrics = biometrics

    def use_callbacks(self, callbacks: Callbacks) -> None:
        """Says where call-back tasks are filed."""
        self.suspicion.callbacks = callbacks

    @property
    def available(self) -> bool:
        """Whether voices can be compared here."""
        return self._biometrics is not None

    @property
    def cooling_hours(self) -> int:
        """So long a new voiceprint does not count for orders yet."""
        return int(self._rules.cooling.total_seconds() // 3600)

    @property
    def explanation(self) -> Explanation:
        """What a customer is shown now."""
        return Explanation(self._rules.consent_version, self._audio_days)

    @property
    def enrol_samples(self) -> int:
        """How many recordings make a voiceprint."""
        return self._rules.enrol_samples

    def ensure_available(self) -> None:
        """Raises VoiceUnavailable."""
        self._compares()

    def _compares(self) -> Biometrics:
        if self._biometrics is None:
            raise VoiceUnavailable("nothing compares voices here")
        return self._biometrics

    async def status(self, session: AsyncSession, customer_id: str) -> VoiceStatus:
        """Where a customer stands."""
        found = await self._of(session, customer_id)
        consent = await self._consent(session, customer_id)
        agreed = consent is not None and consent.version == self._rules.consent_version
        usable = found is not None and agreed and self._is_usable(found)
        available = self.available if found is None else self._compares_now()
        return VoiceStatus(
            available=available,
            agreed=agreed,
            enrolled=found is not None,
            usable=usable,
            renew=found is not None
            and available
            and (not agreed or found.drifted_at is not None or not self._is_usable(found)),
            may_record=found is None or self._may_replace(consent),
            enrolled_at=found.enrolled_at if found else None,
            verified_at=found.verified_at if found else None,
        )

    # Explained, agreed to, recorded.

    async def explained(self, session: AsyncSession, customer_id: str, origin: Origin = NOWHERE) -> None:
        """The customer was told what a voiceprint is and what becomes of it."""
        detail = {"version": self._rules.consent_version}
        await self._log.record(
            session, "voice_explained", customer_id=customer_id, origin=origin, detail=detail
        )

    async def agree(
        self,
        session: AsyncSession,
        customer_id: str,
        origin: Origin = NOWHERE,
        *,
        shown: Explanation | None = None,
    ) -> None:
        """The customer agreed to what was `shown`, or as it reads now, and proved what that order asked for.

        Raises CustomerNotFound.
        """
        await self._customers.lock(session, customer_id)
        now, agreed = self._clock.now(), shown or self.explanation
        version, audio_days = agreed.version, agreed.audio_days
        record_until = now + self._rules.record
        consent = await self._consent(session, customer_id)
        if consent is not None and Explanation(consent.version, consent.audio_days) == agreed:
            consent.record_until = record_until
            await session.flush()
            return
        if consent is not None:
            consent.revoked_at = now
            await session.flush()
        session.add(
            VoiceConsent(
                customer_id=customer_id,
                version=version,
                channel=origin.channel,
                audio_days=audio_days,
                given_at=now,
                record_until=record_until,
            )
        )
        await session.flush()
        await self._log.record(
            session, "voice_agreed", customer_id=customer_id, origin=origin, detail={"version": version}
        )

    async def begin_enrolment(
        self, session: AsyncSession, customer_id: str, order_id: str = ""
    ) -> VoicePrompted:
        """The first digits to say, in an enrolment that goes by the id of the order of its consent.

        Raises VoiceUnavailable, VoiceConsentMissing.
        """
        biometrics = self._compares()
        consent = await self._consent(session, customer_id)
        if consent is None or consent.version != self._rules.consent_version:
            raise VoiceConsentMissing("no consent to the explanation as it reads now")
        if await self._of(session, customer_id) is not None and not self._may_replace(consent):
            raise VoiceConsentMissing("the voiceprint there is may not be replaced on a code alone")
        return await self._enrolments.begin(session, customer_id, biometrics.encoder, order_id or new_id())

    async def take_sample(
        self, session: AsyncSession, customer_id: str, sample: VoiceSample, *, origin: Origin = NOWHERE
    ) -> EnrolmentStep:
        """One recording of an enrolment. Raises VoiceUnavailable, VoiceEnrolmentStale, VoicePromptUnknown."""
        await self._customers.lock(session, customer_id)
        before = await self._of(session, customer_id)
        step = await self._enrolments.take(session, self._compares(), customer_id, sample, origin)
        if step.kind == "replayed":
            await self.suspect(session, customer_id, why="replayed", origin=origin)
        if step.kind == "done":
            what = "您的声纹已重新录制" if before is not None else "您的声纹已开通"
            consent = await self._consent(session, customer_id)
            if consent is not None:
                consent.record_until = None
            await self._notices.tell(session, customer_id, what, self._clock.now())
        return step

    async def give_up_enrolment(self, session: AsyncSession, customer_id: str, order_id: str = "") -> None:
        """Forgets an enrolment under way and all it has heard; with an order none that another call has begun."""
        await self._enrolments.give_up(session, customer_id, order_id)

    # Compared.

    async def ask(self, session: AsyncSession, customer_id: str, purpose: str) -> VoicePrompted | None:
        """Digits to say for a purpose; None where the voice is no way (not recorded, paused, tried too often)."""
        if not await self.offered(session, customer_id, purpose):
            return None
        owner = self.prompts.owner(customer_id)
        left = await self.prompts.tries_left(session, owner, purpose)
        return await self.prompts.make(session, owner, purpose, left=left)

    async def offered(self, session: AsyncSession, customer_id: str, purpose: str) -> bool:
        """Whether the voice is a way for this purpose now."""
        return await self.way(session, customer_id, purpose) == "open"

    async def way(self, session: AsyncSession, customer_id: str, purpose: str) -> VoiceWay:
        """What the voice is good for: none was recorded, it may be asked for, it pauses, or it cannot be had now."""
        found = await self._of(session, customer_id)
        if found is None:
            return "none"
        owner = self.prompts.owner(customer_id)
        if await self._verification.paused_until(session, owner) is not None:
            return "paused"
        if not (await self.status(session, customer_id)).usable:
            return "shut"
        if await self._cools(session, found, purpose):
            return "shut" if found.replaces else "none"
        return "open" if await self.prompts.tries_left(session, owner, purpose) > 0 else "shut"

    async def _cools(self, session: AsyncSession, found: Voiceprint, purpose: str) -> bool:
        """Whether it is too new for this order. What changes or cancels it does not wait: that is its own voice's."""
        if found.counts_from is None or self._clock.now() >= found.counts_from:
            return False
        kind, _, order_id = purpose.partition(":")
        order = await session.get(Order, order_id) if kind == "order" else None
        return kind == "order" and (order is None or order.kind not in CHANGES)

    async def password(
        self, session: AsyncSession, prompt_id: str, *, former: bool = True
    ) -> SpokenPassword | None:
        """What the caller is to say; for the line only. None when it counts no more.

        With `former` what they said before comes with it: to judge a recording, not to read digits out.
        """
        prompt = await session.get(VoicePrompt, prompt_id)
        if prompt is None or prompt.status != "open":
            return None
        heard: tuple[bytes, ...] = ()
        if former and prompt.customer_id is not None:
            heard = await self._verification.former(session, prompt.customer_id)
        return SpokenPassword(prompt.id, prompt.digits, heard)

    async def verify(
        self,
        session: AsyncSession,
        customer_id: str,
        purpose: str,
        tier: Tier,
        sample: VoiceSample,
        *,
        strong: bool = False,
        origin: Origin = NOWHERE,
    ) -> VoiceOutcome:
        """One try at the digits that wait for this purpose; raises VoiceUnavailable, VoicePromptUnknown.

        `strong`: another strong proof was given in this visit, so that a voice that fits well may change its template.
        """
        await self._customers.lock(session, customer_id)
        outcome = await self._verification.verify(
            session,
            self._compares(),
            await self._usable(session, customer_id),
            sample,
            self.prompts.owner(customer_id),
            purpose,
            tier,
            strong=strong,
            origin=origin,
        )
        if outcome.suspicious:
            why: Why = "replayed" if outcome.kind == "replayed" else "foreign"
            proved = not purpose.startswith(LOGIN)
            await self.suspicion.rises(session, customer_id, why, proved=proved, origin=origin)
        return outcome

    # Somebody else spoke.

    async def suspect(
        self, session: AsyncSession, customer_id: str, *, why: Why, origin: Origin = NOWHERE
    ) -> None:
        """Somebody who had logged in spoke in the customer's name: until `trust_again`, orders by telephone go to a
        human. Raises CustomerNotFound.
        """
        await self.suspicion.rises(session, customer_id, why, proved=True, origin=origin)

    async def suspected(self, session: AsyncSession, customer_id: str) -> bool:
        """Whether that stands."""
        return await self.suspicion.stands(session, customer_id)

    async def trust_again(self, session: AsyncSession, customer_id: str, *, by: str, grounds: str) -> bool:
        """A person has made sure who the customer is. `by` answers for it, `grounds` says what was checked.

        False when nothing stood. Raises CustomerNotFound.
        """
        return await self.suspicion.ends(session, customer_id, by=by, grounds=grounds)

    async def ask_stranger(self, session: AsyncSession, phone: str, purpose: str) -> VoicePrompted | None:
        """Digits for a number that the bank does not know; None when there are no more for this purpose."""
        owner = self.prompts.owner(None, phone)
        left = await self.prompts.tries_left(session, owner, purpose)
        return None if left == 0 else await self.prompts.make(session, owner, purpose, left=left)

    async def stranger_paused(self, session: AsyncSession, phone: str) -> bool:
        """Whether the voice pauses for such a number, as it would for a customer."""
        owner = self.prompts.owner(None, phone)
        return await self._verification.paused_until(session, owner) is not None

    async def verify_stranger(
        self, session: AsyncSession, phone: str, purpose: str, sample: VoiceSample
    ) -> VoiceOutcome:
        """The same for a number that the bank does not know: it never fits, and does not say so."""
        owner = self.prompts.owner(None, phone)
        return await self._verification.verify(
            session, self._compares(), None, sample, owner, purpose, "medium", strong=False, origin=NOWHERE
        )

    # Cancelled.

    async def cancel(self, session: AsyncSession, customer_id: str, origin: Origin = NOWHERE) -> None:
        """Destroys the template and whatever was made of the voice, and takes the consent back.

        Raises CustomerNotFound.
        """
        await self._customers.lock(session, customer_id)
        now = self._clock.now()
        await session.execute(delete(Voiceprint).where(Voiceprint.customer_id == customer_id))
        await self._enrolments.give_up(session, customer_id)
        await self.prompts.void_all(session, customer_id)
        await session.execute(
            update(VoiceAttempt)
            .where(VoiceAttempt.customer_id == customer_id)
            .values(fingerprint_sealed=None, audio_sealed=None)
        )
        await session.execute(
            update(VoiceConsent)
            .where(VoiceConsent.customer_id == customer_id, VoiceConsent.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        await self._log.record(
            session, "voice_cancelled", customer_id=customer_id, outcome="ok", origin=origin
        )
        await self._notices.tell(session, customer_id, "您的声纹已取消", now)

    async def clear(self, session: AsyncSession) -> int:
        """Deletes old spoken passwords, unfinished enrolments, recordings kept long enough; some rows at a time."""
        now = self._clock.now()
        count = 0
        for model, old in (
            (VoicePrompt, VoicePrompt.expires_at < now - PROMPTS_KEPT),
            (VoiceEnrolment, VoiceEnrolment.expires_at <= now),
        ):
            ids = select(model.id).where(old).limit(BATCH_ROWS)
            gone = await session.execute(delete(model).where(model.id.in_(ids)).returning(model.id))
            count += len(gone.all())
        return count + await self._recordings.delete_old(session, now, BATCH_ROWS)

    async def recordings(self, session: AsyncSession, customer_id: str) -> Sequence[Recording]:
        """The customer's recordings that are kept, the oldest first: when, and until when; never what they hold."""
        return await self._recordings.kept(session, customer_id)

    def _may_replace(self, consent: VoiceConsent | None) -> bool:
        if consent is None or consent.version != self._rules.consent_version:
            return False
        return consent.record_until is not None and self._clock.now() < consent.record_until

    def _compares_now(self) -> bool:
        """Asks the encoder, which may have to be loaded: not of those who have no voiceprint."""
        try:
            return self._compares().encoder != ""
        except VoiceUnavailable:
            return False

    def _is_usable(self, voiceprint: Voiceprint) -> bool:
        try:
            if voiceprint.encoder != self._compares().encoder:
                return False
            if not voiceprint.template:
                return False
        except VoiceUnavailable:
            return False
        except VaultError as error:
            log.error("voiceprint does not open, it must be recorded anew code=%s: %s", error.code, error)
            return False
        return age_days(voiceprint, self._clock.now()) < self._rules.life.days

    async def _usable(self, session: AsyncSession, customer_id: str) -> Voiceprint | None:
        """The voiceprint, locked, if a voice may be compared with it."""
        statement = (
            select(Voiceprint)
            .where(Voiceprint.customer_id == customer_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        found = await session.scalar(statement)
        return found if found is not None and self._is_usable(found) else None

    async def _of(self, session: AsyncSession, customer_id: str) -> Voiceprint | None:
        return await session.scalar(select(Voiceprint).where(Voiceprint.customer_id == customer_id))

    async def _consent(self, session: AsyncSession, customer_id: str) -> VoiceConsent | None:
        return await session.scalar(
            select(VoiceConsent).where(
                VoiceConsent.customer_id == customer_id, VoiceConsent.revoked_at.is_(None)
            )
        )
