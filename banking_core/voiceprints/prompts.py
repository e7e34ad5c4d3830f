"""Dynamic spoken passwords: eight digits nobody can foresee, said once, within a minute, never twice in a day."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.identity.keys import Fingerprints
from banking_core.storage import new_id
from banking_core.voiceprints.errors import VoicePromptUnknown
from banking_core.voiceprints.models import VoicePrompt
from banking_core.voiceprints.rules import VoiceRules

DIGITS = 8
DIFFERENT_MIN = 5  # a voice is known by many sounds, and the same digit again and again is easily miscounted
DRAWS_MAX = 200
AGAINST_LIFE = timedelta(days=1)
Randbelow = Callable[[int], int]


@dataclass(frozen=True)
class Owner:
    """Whose voice is asked for: a customer, or nobody, where a number unknown to the bank gets the same questions."""

    key: str
    customer_id: str | None


@dataclass(frozen=True)
class VoicePrompted:
    """A spoken password waits to be said. Its digits are told to the line only, never written."""

    prompt_id: str
    expires_at: datetime
    tries_left: int


class Prompts:
    """Makes spoken passwords and takes each once. Never commits."""

    def __init__(
        self,
        clock: Clock,
        rules: VoiceRules,
        fingerprints: Fingerprints,
        *,
        randbelow: Randbelow = secrets.randbelow,
    ) -> None:
        self._clock, self._rules, self._fingerprints = clock, rules, fingerprints
        self.randbelow = randbelow

    def owner(self, customer_id: str | None, phone: str = "") -> Owner:
        """The owner of prompts; `phone` where the customer is unknown."""
        return Owner(self._fingerprints.of("voice_owner", customer_id or "", phone), customer_id)

    async def tries_left(self, session: AsyncSession, owner: Owner, purpose: str) -> int:
        """How many more passwords may be said for this purpose.

        Asking for others costs none, but they are not drawn without end: who waits for digits they have a recording
        of must not get to choose.
        """
        counted = select(
            func.count(), func.coalesce(func.sum(case((VoicePrompt.status == "used", 1), else_=0)), 0)
        ).where(VoicePrompt.owner_key == owner.key, VoicePrompt.purpose == purpose)
        drawn, used = (await session.execute(counted)).one()
        return max(0, min(self._rules.tries - int(used), self._rules.draws - int(drawn)))

    async def against(self, session: AsyncSession, owner: Owner) -> int:
        """How many samples of the last day clearly were another voice, whatever they were for."""
        counted = select(func.sum(VoicePrompt.against)).where(
            VoicePrompt.owner_key == owner.key, VoicePrompt.made_at > self._clock.now() - AGAINST_LIFE
        )
        return int(await session.scalar(counted) or 0)

    async def clear_against(self, session: AsyncSession, customer_id: str) -> None:
        """The right voice was there: foreign ones before it were an accident."""
        await session.execute(
            update(VoicePrompt)
            .where(VoicePrompt.customer_id == customer_id, VoicePrompt.against > 0)
            .values(against=0)
        )

    async def make(self, session: AsyncSession, owner: Owner, purpose: str, *, left: int) -> VoicePrompted:
        """A fresh password; one that waits for the same purpose becomes void. `left` is what is said to be left."""
        now = self._clock.now()
        await session.execute(
            update(VoicePrompt)
            .where(
                VoicePrompt.owner_key == owner.key,
                VoicePrompt.purpose == purpose,
                VoicePrompt.status == "open",
            )
            .values(status="void")
        )
        digits, key = await self._unused(session, owner, now)
        prompt = VoicePrompt(
            id=new_id(),
            customer_id=owner.customer_id,
            owner_key=owner.key,
            purpose=purpose,
            digits_key=key,
            against=0,
            status="open",
            made_at=now,
            expires_at=now + self._rules.valid,
        )
        prompt.digits = digits
        session.add(prompt)
        await session.flush()
        return VoicePrompted(prompt.id, prompt.expires_at, left)

    async def _unused(self, session: AsyncSession, owner: Owner, now: datetime) -> tuple[str, str]:
        for _ in range(DRAWS_MAX):
            digits = random_digits(self.randbelow)
            key = self._fingerprints.of("voice_digits", owner.key, digits)
            again = await session.scalar(
                select(VoicePrompt.id)
                .where(VoicePrompt.digits_key == key, VoicePrompt.made_at > now - self._rules.no_repeat)
                .limit(1)
            )
            if again is None:
                return digits, key
        raise RuntimeError("the source of random digits repeats itself")

    async def take(self, session: AsyncSession, prompt_id: str, owner: Owner, purpose: str) -> VoicePrompt:
        """The password has been said, rightly or not: it counts no more. Raises VoicePromptUnknown."""
        statement = (
            select(VoicePrompt)
            .where(
                VoicePrompt.id == prompt_id,
                VoicePrompt.owner_key == owner.key,
                VoicePrompt.purpose == purpose,
                VoicePrompt.status == "open",
            )
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        prompt = await session.scalar(statement)
        if prompt is None:
            raise VoicePromptUnknown("no such spoken password waits")
        prompt.status = "used"
        await session.flush()
        return prompt

    async def void_all(self, session: AsyncSession, customer_id: str) -> None:
        """Makes every password that waits worthless."""
        await session.execute(
            update(VoicePrompt)
            .where(VoicePrompt.customer_id == customer_id, VoicePrompt.status == "open")
            .values(status="void")
        )


def random_digits(randbelow: Randbelow) -> str:
    """Eight digits, five of them different, none twice in a row."""
    for _ in range(DRAWS_MAX):
        digits = f"{randbelow(10**DIGITS):0{DIGITS}d}"
        if len(set(digits)) >= DIFFERENT_MIN and all(a != b for a, b in itertools.pairwise(digits)):
            return digits
    raise RuntimeError("the source of random digits gives none that can be said")
