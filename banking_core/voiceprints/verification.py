"""One recording against the digits that were asked for and the template: text and voice, never one of them alone."""

from __future__ import annotations

import base64
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
from banking_core.voiceprints.biometrics import Biometrics, Fault, VoiceSample
from banking_core.voiceprints.models import VoiceAttempt, Voiceprint, VoicePrompt
from banking_core.voiceprints.prompts import Owner, Prompts, VoicePrompted
from banking_core.voiceprints.rules import Tier, VoiceRules

OutcomeKind = Literal["ok", "fault", "late", "wrong_digits", "wrong_voice", "replayed"]
FINGERPRINTS_MAX = 2000  # former recordings that one is compared with, the newest
MEAN_WEIGHT = 0.2  # of the newest sample in the running mean
AGAINST_MAX = 2  # so many clearly foreign voices are no accident
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class VoiceOutcome:
    """What became of one recording. `next` is another password to say; without one, and not ok, it is over.

    `suspicious`: a recording was played, or clearly somebody else spoke; then no other proof makes up for it.
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
    nearness: float | None = None


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
        keep_audio: bool,
    ) -> None:
        self._clock, self._rules, self._prompts = clock, rules, prompts
        self._lockout, self._fingerprints, self._log = lockout, fingerprints, log
        self._keep_audio = keep_audio

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
        now = self._clock.now()
        heard = await self._judge(session, biometrics, voiceprint, prompt, sample, tier, now)
        customer_id = owner.customer_id
        if customer_id is not None:
            await self.keep(session, customer_id, prompt, sample, heard.kind, heard.nearness, origin)
        if heard.kind == "ok":
            assert voiceprint is not None and customer_id is not None, "nobody is known by no template"
            await self._fitted(session, biometrics, voiceprint, sample, heard, strong=strong, origin=origin)
            return VoiceOutcome("ok")
        against = prompt.against + (
            heard.nearness is not None and heard.nearness < self._rules.other and heard.kind == "wrong_voice"
        )
        paused = await self._count(session, owner, heard.kind, now)
        suspicious = heard.kind == "replayed" or against >= AGAINST_MAX
        left = self._rules.tries - prompt.attempt
        following = None
        if left > 0 and not suspicious and not paused:
            following = await self._prompts.make(
                session, owner, purpose, attempt=prompt.attempt + 1, against=against
            )
        return VoiceOutcome(heard.kind, sample.fault, following, suspicious)

    async def _judge(
        self,
        session: AsyncSession,
        biometrics: Biometrics,
        voiceprint: Voiceprint | None,
        prompt: VoicePrompt,
        sample: VoiceSample,
        tier: Tier,
        now: datetime,
    ) -> Heard:
        if now >= prompt.expires_at:
            return Heard("late")
        if sample.fault:
            return Heard("fault")
        if await self.was_played(session, biometrics, prompt.customer_id, sample):
            return Heard("replayed")
        nearness = None
        if voiceprint is not None:
            nearness = biometrics.nearness(
                base64.b64decode(voiceprint.template), sample.embedding, age_days=age_days(voiceprint, now)
            )
        if sample.content < self._rules.content:
            return Heard("wrong_digits", nearness)
        if nearness is None or nearness < self._rules.accept[tier]:
            return Heard("wrong_voice", nearness)
        return Heard("ok", nearness)

    async def was_played(
        self, session: AsyncSession, biometrics: Biometrics, customer_id: str | None, sample: VoiceSample
    ) -> bool:
        """Whether this very recording was heard before, whatever became of it then."""
        if customer_id is None or not sample.fingerprint:
            return False
        former = await session.scalars(
            select(VoiceAttempt)
            .where(VoiceAttempt.customer_id == customer_id, VoiceAttempt.fingerprint_sealed.is_not(None))
            .order_by(VoiceAttempt.at.desc())
            .limit(FINGERPRINTS_MAX)
        )
        known = [base64.b64decode(attempt.fingerprint or "") for attempt in former]
        return biometrics.same_recording(sample.fingerprint, known)

    async def keep(
        self,
        session: AsyncSession,
        customer_id: str,
        prompt: VoicePrompt,
        sample: VoiceSample,
        outcome: str,
        nearness: float | None,
        origin: Origin,
    ) -> None:
        """Writes down what became of a recording: its fingerprint, and the recording itself only if the bank wants."""
        attempt = VoiceAttempt(
            customer_id=customer_id,
            prompt_id=prompt.id,
            purpose=prompt.purpose,
            channel=origin.channel[:32],
            outcome=outcome,
            fault=sample.fault,
            nearness=nearness,
            content=sample.content if sample.content > float("-inf") else None,
            at=self._clock.now(),
        )
        attempt.fingerprint = base64.b64encode(sample.fingerprint).decode() if sample.fingerprint else None
        kept = sample.audio if self._keep_audio else b""
        attempt.audio = base64.b64encode(kept).decode() if kept else None
        session.add(attempt)
        await session.flush()
        detail = {"purpose": prompt.purpose.partition(":")[0]} | (
            {"fault": sample.fault} if sample.fault else {}
        )
        await self._log.record(
            session, "voice_tried", customer_id=customer_id, outcome=outcome, origin=origin, detail=detail
        )

    async def paused_until(self, session: AsyncSession, owner: Owner) -> datetime | None:
        """The end of the pause under way after too many wrong ones."""
        guard = await locked_guard(session, self._guard_key(owner))
        return self._lockout.locked_until(guard, self._clock.now())

    async def forget_pause(self, session: AsyncSession, owner: Owner) -> None:
        """A fresh template begins with a clean sheet."""
        self._lockout.forget(await locked_guard(session, self._guard_key(owner)))

    async def _count(self, session: AsyncSession, owner: Owner, kind: OutcomeKind, now: datetime) -> bool:
        """Counts what was wrong, not what was only unclear; True when a pause has begun."""
        if kind in ("fault", "late"):
            return False
        guard = await locked_guard(session, self._guard_key(owner))
        return self._lockout.count_wrong(guard, now) == 0

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
        assert heard.nearness is not None
        now, rules = self._clock.now(), self._rules
        await self.forget_pause(session, self._prompts.owner(voiceprint.customer_id))
        before = heard.nearness if voiceprint.near is None else voiceprint.near
        voiceprint.near = before + MEAN_WEIGHT * (heard.nearness - before)
        voiceprint.verified_at = now
        drifted = voiceprint.near < rules.drift_below or age_days(voiceprint, now) >= rules.renew_after.days
        if drifted and voiceprint.drifted_at is None:
            voiceprint.drifted_at = now
            await self._log.record(
                session, "voice_drifted", customer_id=voiceprint.customer_id, origin=origin
            )
        last = voiceprint.adapted_at or voiceprint.enrolled_at
        if strong and heard.nearness >= rules.adapt_from and now - last >= rules.adapt_every:
            moved = biometrics.adapted(base64.b64decode(voiceprint.template), sample.embedding)
            voiceprint.template = base64.b64encode(moved).decode()
            voiceprint.adapted_at, voiceprint.adaptations = now, voiceprint.adaptations + 1
            await self._log.record(
                session, "voice_adapted", customer_id=voiceprint.customer_id, origin=origin
            )
        await session.flush()

    def _guard_key(self, owner: Owner) -> str:
        return self._fingerprints.of("voice_tries", owner.key)


def age_days(voiceprint: Voiceprint, now: datetime) -> float:
    """Since it was recorded; adapting makes it no younger."""
    return (now - voiceprint.enrolled_at).total_seconds() / SECONDS_A_DAY
