"""Recording a voiceprint: several spoken passwords of good quality, all in one voice. Nothing is kept half-made."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.identity.log import SecurityLog
from banking_core.identity.origin import Origin
from banking_core.vault import VaultError
from banking_core.voiceprints.biometrics import Biometrics, Fault, VoiceSample
from banking_core.voiceprints.errors import VoiceEnrolmentStale
from banking_core.voiceprints.models import VoiceEnrolment, Voiceprint, VoicePrompt
from banking_core.voiceprints.prompts import Owner, Prompts, VoicePrompted
from banking_core.voiceprints.rules import VoiceRules
from banking_core.voiceprints.verification import Verification

PURPOSE = "enrol"
StepKind = Literal["taken", "done", "fault", "late", "wrong_digits", "another_voice", "replayed"]


@dataclass(frozen=True)
class EnrolmentStep:
    """What became of a recording: `taken` wants the `number`-th next, `done` made the template.

    Anything else was no good and says why; without `next` the enrolment has been given up, and nothing was kept.
    """

    kind: StepKind
    number: int
    of: int
    fault: Fault = ""
    next: VoicePrompted | None = None


class Enrolments:
    """Enrolments under way: at most one per customer. Never commits."""

    def __init__(
        self,
        clock: Clock,
        rules: VoiceRules,
        prompts: Prompts,
        verification: Verification,
        log: SecurityLog,
    ) -> None:
        self._clock, self._rules, self._prompts = clock, rules, prompts
        self._verification, self._log = verification, log

    async def begin(
        self, session: AsyncSession, customer_id: str, encoder: str, enrolment_id: str
    ) -> VoicePrompted:
        """The first password of a fresh enrolment; one under way is given up."""
        await self.give_up(session, customer_id)
        enrolment = VoiceEnrolment(
            id=enrolment_id,
            customer_id=customer_id,
            encoder=encoder,
            tries_left=self._rules.enrol_tries,
            expires_at=self._clock.now() + self._rules.enrol_life,
        )
        enrolment.samples = []
        session.add(enrolment)
        await session.flush()
        return await self._ask(session, self._prompts.owner(customer_id), enrolment)

    async def take(
        self,
        session: AsyncSession,
        biometrics: Biometrics,
        customer_id: str,
        sample: VoiceSample,
        origin: Origin,
    ) -> EnrolmentStep:
        """One recording. Raises VoiceEnrolmentStale, VoicePromptUnknown."""
        owner = self._prompts.owner(customer_id)
        enrolment = await self._under_way(session, customer_id, biometrics)
        prompt = await self._prompts.take(session, sample.prompt_id, owner, PURPOSE)
        kind = self._judge(biometrics, enrolment, prompt, sample)
        outcome = {"taken": "enrolled", "another_voice": "wrong_voice"}.get(kind, kind)
        await self._verification.keep(session, customer_id, prompt, sample, outcome, None, origin)
        enrolment.tries_left -= 1
        if kind == "taken":
            enrolment.samples = [*enrolment.samples, base64.b64encode(sample.embedding).decode()]
        await session.flush()
        number, of = len(enrolment.samples), self._rules.enrol_samples
        if number == of:
            await self._finish(session, biometrics, enrolment, origin)
            return EnrolmentStep("done", number, of)
        if enrolment.tries_left == 0 or kind == "replayed":
            await self.give_up(session, customer_id)
            await self._log.record(
                session, "voice_enrolment_failed", customer_id=customer_id, outcome=kind, origin=origin
            )
            return EnrolmentStep(kind, number, of, sample.fault)
        following = await self._ask(session, owner, enrolment)
        return EnrolmentStep(kind, number, of, sample.fault, following)

    async def give_up(self, session: AsyncSession, customer_id: str, enrolment_id: str = "") -> None:
        """Forgets an enrolment under way with all it has heard; with an id none but that one."""
        forgets = delete(VoiceEnrolment).where(VoiceEnrolment.customer_id == customer_id)
        if enrolment_id:
            forgets = forgets.where(VoiceEnrolment.id == enrolment_id)
        await session.execute(forgets)

    def _judge(
        self, biometrics: Biometrics, enrolment: VoiceEnrolment, prompt: VoicePrompt, sample: VoiceSample
    ) -> StepKind:
        now = self._clock.now()
        if now >= prompt.expires_at:
            return "late"
        if sample.fault:
            return "fault"
        if sample.replayed:
            return "replayed"
        if sample.content < self._rules.content:
            return "wrong_digits"
        one_voice = biometrics.template([*_embeddings(enrolment), sample.embedding], now)
        return "taken" if one_voice is not None else "another_voice"

    async def _finish(
        self, session: AsyncSession, biometrics: Biometrics, enrolment: VoiceEnrolment, origin: Origin
    ) -> None:
        customer_id, now = enrolment.customer_id, self._clock.now()
        template = biometrics.template(_embeddings(enrolment), now)
        assert template is not None, "each was compared with those before it"
        gone = await session.execute(
            delete(Voiceprint).where(Voiceprint.customer_id == customer_id).returning(Voiceprint.id)
        )
        changed = gone.first() is not None
        made = Voiceprint(
            customer_id=customer_id,
            encoder=biometrics.encoder,
            enrolled_at=now,
            counts_from=now + self._rules.cooling,
            replaces=changed,
            adaptations=0,
        )
        made.template = base64.b64encode(template).decode()
        session.add(made)
        await self.give_up(session, customer_id)
        await self._verification.forget_pause(session, self._prompts.owner(customer_id))
        await session.flush()
        kind = "voice_changed" if changed else "voice_enrolled"
        await self._log.record(
            session,
            kind,
            customer_id=customer_id,
            outcome="ok",
            origin=origin,
            detail={"encoder": made.encoder},
        )

    async def _ask(self, session: AsyncSession, owner: Owner, enrolment: VoiceEnrolment) -> VoicePrompted:
        return await self._prompts.make(session, owner, PURPOSE, left=enrolment.tries_left)

    async def _under_way(
        self, session: AsyncSession, customer_id: str, biometrics: Biometrics
    ) -> VoiceEnrolment:
        statement = (
            select(VoiceEnrolment)
            .where(VoiceEnrolment.customer_id == customer_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        enrolment = await session.scalar(statement)
        if enrolment is None or self._clock.now() >= enrolment.expires_at:
            raise VoiceEnrolmentStale("no enrolment under way")
        if enrolment.encoder != biometrics.encoder:
            raise VoiceEnrolmentStale("the encoder has changed")
        try:
            _embeddings(enrolment)
        except VaultError as error:
            raise VoiceEnrolmentStale("the keys have changed") from error
        return enrolment


def _embeddings(enrolment: VoiceEnrolment) -> list[bytes]:
    return [base64.b64decode(one) for one in enrolment.samples]
