"""One recording against the digits that were asked for and the template: text and voice, never one of them alone."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.identity.guards import locked_guard
from banking_core.identity.keys import Fingerprints
from banking_core.identity.lockout import Lockout
from banking_core.identity.log import SecurityLog
from banking_core.identity.origin import Origin
from banking_core.vault import VaultError
from banking_core.voiceprints.biometrics import (
    NOTHING_HEARD,
    Biometrics,
    Fault,
    Likeness,
    Tier,
    VoiceSample,
)
from banking_core.voiceprints.models import VoiceAttempt, VoiceConsent, Voiceprint, VoicePrompt
from banking_core.voiceprints.prompts import Owner, Prompts, VoicePrompted
from banking_core.voiceprints.rules import VoiceRules

log = logging.getLogger(__name__)
OutcomeKind = Literal["ok", "fault", "late", "wrong_digits", "wrong_voice", "replayed"]
FINGERPRINTS_MAX = 300  # former recordings that one is compared with, the newest: more would not fit the time
MEAN_WEIGHT = 0.2  # of the newest sample in the running mean
HEAD_START = 4.0  # above the drift, for a voice that has just been recorded: one unclear sample is no drift
AGAINST_MAX = 2  # so many clearly foreign voices within a day, with no right one between, are no accident
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class VoiceOutcome:
    """What became of one recording. `next` is another password to say; without one, and not ok, it is over.

    `suspicious`: a recording was played, or clearly somebody else spoke; then no other proof makes up for it, now or
    later (`suspicion`).
    """

    kind: OutcomeKind
    fault: Fault = ""
    next: VoicePrompted | None = None
    suspicious: bool = False

    @property
    def proved(self) -> bool:
        """Right digits in the right voice."""
        return self.kind == "ok"


@dataclass(frozen=True)
class Heard:
    """A sample as it was judged, before anything is counted."""

    kind: OutcomeKind
    likeness: Likeness | None = None

    @property
    def llr(self) -> float | None:
        """How much speaks for the same voice, where it was compared."""
        return None if self.likeness is None else self.likeness.llr


class Verification:
    """Judges recordings. Never commits: commit whatever comes of it."""

    def __init__(
        self,
        clock: Clock,
        rules: VoiceRules,
        prompts: Prompts,
        lockout: Lockout,
        fingerprints: Fingerprints,
        log: SecurityLog,
        *,
        audio_days: int,
    ) -> None:
        self._clock, self._rules, self._prompts = clock, rules, prompts
        self._lockout, self._fingerprints, self._log = lockout, fingerprints, log
        self._audio_days = audio_days

    async def verify(
        self,
        session: AsyncSession,
        biometrics: Biometrics,
        voiceprint: Voiceprint | None,
        sample: VoiceSample,
        owner: Owner,
        purpose: str,
        tier: Tier,
        *,
        strong: bool,
        origin: Origin,
    ) -> VoiceOutcome:
        """One try; `strong` says that another strong proof was given in this call. Raises VoicePromptUnknown."""
        prompt = await self._prompts.take(session, sample.prompt_id, owner, purpose)
        heard = self._judge(biometrics, voiceprint, prompt, sample, tier)
        customer_id = owner.customer_id
        if customer_id is not None:
            await self.keep(session, customer_id, prompt, sample, heard.kind, heard.llr, origin)
        if heard.kind == "ok":
            assert voiceprint is not None and customer_id is not None, "nobody is known by no template"
            await self._fitted(session, biometrics, voiceprint, sample, heard, strong=strong, origin=origin)
            return VoiceOutcome("ok")
        prompt.against = int(heard.llr is not None and heard.llr < self._rules.other)
        await session.flush()
        paused = await self._count(session, owner, heard.kind)
        against = await self._prompts.against(session, owner)
        suspicious = heard.kind == "replayed" or against >= AGAINST_MAX
        left = await self._prompts.tries_left(session, owner, purpose)
        following = None
        if left > 0 and not suspicious and not paused:
            following = await self._prompts.make(session, owner, purpose, left=left)
        return VoiceOutcome(heard.kind, sample.fault, following, suspicious)

    def _judge(
        self,
        biometrics: Biometrics,
        voiceprint: Voiceprint | None,
        prompt: VoicePrompt,
        sample: VoiceSample,
        tier: Tier,
    ) -> Heard:
        now = self._clock.now()
        if now >= prompt.expires_at:
            return Heard("late")
        if sample.fault:
            return Heard("fault")
        if sample.replayed:
            return Heard("replayed")
        likeness = None
        if voiceprint is not None:
            likeness = biometrics.compare(base64.b64decode(voiceprint.template), sample.embedding, now)
        if sample.content < self._rules.content:
            return Heard("wrong_digits", likeness)
        if likeness is None or tier not in likeness.accepted:
            return Heard("wrong_voice", likeness)
        return Heard("ok", likeness)

    async def former(self, session: AsyncSession, customer_id: str) -> tuple[bytes, ...]:
        """Fingerprints of everything this customer, or who claimed to be, has said here, whatever became of it."""
        found = await session.scalars(
            select(VoiceAttempt)
            .where(VoiceAttempt.customer_id == customer_id, VoiceAttempt.fingerprint_sealed.is_not(None))
            .order_by(VoiceAttempt.at.desc())
            .limit(FINGERPRINTS_MAX)
        )
        return tuple(mark for attempt in found if (mark := _fingerprint(attempt)))

    async def keep(
        self,
        session: AsyncSession,
        customer_id: str,
        prompt: VoicePrompt,
        sample: VoiceSample,
        outcome: str,
        llr: float | None,
        origin: Origin,
    ) -> None:
        """Writes down what became of a recording: its fingerprint, and itself only where bank and customer agreed."""
        attempt = VoiceAttempt(
            customer_id=customer_id,
            prompt_id=prompt.id,
            purpose=prompt.purpose,
            channel=origin.channel[:32],
            outcome=outcome,
            fault=sample.fault,
            nearness=llr,
            content=sample.content if sample.content > NOTHING_HEARD else None,
            at=self._clock.now(),
        )
        attempt.fingerprint = base64.b64encode(sample.fingerprint).decode() if sample.fingerprint else None
        kept = sample.audio if await self._may_keep_audio(session, customer_id) else b""
        attempt.audio = base64.b64encode(kept).decode() if kept else None
        session.add(attempt)
        await session.flush()
        detail = {"purpose": prompt.purpose.partition(":")[0]} | (
            {"fault": sample.fault} if sample.fault else {}
        )
        await self._log.record(
            session, "voice_tried", customer_id=customer_id, outcome=outcome, origin=origin, detail=detail
        )

    async def _may_keep_audio(self, session: AsyncSession, customer_id: str) -> bool:
        """Only of those who were told so when they agreed: who was told otherwise is not recorded."""
        if self._audio_days == 0:
            return False
        consent = select(VoiceConsent.id).where(
            VoiceConsent.customer_id == customer_id,
            VoiceConsent.revoked_at.is_(None),
            VoiceConsent.audio_days >= self._audio_days,
        )
        return await session.scalar(consent) is not None

    async def paused_until(self, session: AsyncSession, owner: Owner) -> datetime | None:
        """The end of the pause under way after too many wrong ones."""
        guard = await locked_guard(session, self._guard_key(owner))
        return self._lockout.locked_until(guard, self._clock.now())

    async def forget_pause(self, session: AsyncSession, owner: Owner) -> None:
        """A fresh template begins with a clean sheet."""
        self._lockout.forget(await locked_guard(session, self._guard_key(owner)))

    async def _count(self, session: AsyncSession, owner: Owner, kind: OutcomeKind) -> bool:
        """Counts what was wrong, not what was only unclear; True when a pause has begun."""
        if kind in ("fault", "late"):
            return False
        guard = await locked_guard(session, self._guard_key(owner))
        return self._lockout.count_wrong(guard, self._clock.now()) == 0

    async def _fitted(
        self,
        session: AsyncSession,
        biometrics: Biometrics,
        voiceprint: Voiceprint,
        sample: VoiceSample,
        heard: Heard,
        *,
        strong: bool,
        origin: Origin,
    ) -> None:
        """Forgets wrong ones, follows the voice slowly, and notes when it drifts away."""
        assert heard.likeness is not None, "what fits was compared"
        now, rules, customer_id = self._clock.now(), self._rules, voiceprint.customer_id
        await self.forget_pause(session, self._prompts.owner(customer_id))
        await self._prompts.clear_against(session, customer_id)
        llr = heard.likeness.llr
        before = max(llr, rules.drift + HEAD_START) if voiceprint.near is None else voiceprint.near
        voiceprint.near = before + MEAN_WEIGHT * (llr - before)
        voiceprint.verified_at = now
        drifted = voiceprint.near < rules.drift or heard.likeness.stale
        if drifted and voiceprint.drifted_at is None:
            voiceprint.drifted_at = now
            await self._log.record(session, "voice_drifted", customer_id=customer_id, origin=origin)
        if strong and now - (voiceprint.adapted_at or voiceprint.enrolled_at) >= rules.adapt_every:
            await self._adapt(session, biometrics, voiceprint, sample, origin)
        await session.flush()

    async def _adapt(
        self,
        session: AsyncSession,
        biometrics: Biometrics,
        voiceprint: Voiceprint,
        sample: VoiceSample,
        origin: Origin,
    ) -> None:
        now, before = self._clock.now(), base64.b64decode(voiceprint.template)
        after = biometrics.adapted(before, sample.embedding, now)
        if after == before:
            return
        voiceprint.template = base64.b64encode(after).decode()
        voiceprint.adapted_at, voiceprint.adaptations = now, voiceprint.adaptations + 1
        await self._log.record(session, "voice_adapted", customer_id=voiceprint.customer_id, origin=origin)

    def _guard_key(self, owner: Owner) -> str:
        return self._fingerprints.of("voice_tries", owner.key)


def _fingerprint(attempt: VoiceAttempt) -> bytes:
    """Empty where it does not open: without its key a former attempt is not known again."""
    try:
        return base64.b64decode(attempt.fingerprint or "")
    except VaultError as error:
        log.error("fingerprint does not open code=%s: %s", error.code, error)
        return b""


def age_days(voiceprint: Voiceprint, now: datetime) -> float:
    """Since it was recorded; adapting makes it no younger."""
    return (now - voiceprint.enrolled_at).total_seconds() / SECONDS_A_DAY
