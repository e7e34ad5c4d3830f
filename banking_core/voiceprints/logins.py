"""Logging in by voice: whoever calls from the customer's number says digits, and is known or asked for a code.

The number a call comes from is a hint. So that asking for a voice does not tell who banks here, some numbers that the
bank does not know are asked for one too, always the same ones, and never fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.customers.service import Customers
from banking_core.identity import LoginDone, LoginRefusal, Logins, Origin
from banking_core.identity.keys import Fingerprints
from banking_core.identity.origin import NOWHERE
from banking_core.voiceprints.biometrics import Tier, VoiceSample
from banking_core.voiceprints.prompts import VoicePrompted
from banking_core.voiceprints.service import LOGIN, Voiceprints
from banking_core.voiceprints.verification import VoiceOutcome

LOGIN_TIER: Tier = "medium"
DECOYS_OF_16 = 4  # of sixteen unknown numbers


@dataclass(frozen=True)
class VoiceLogin:
    """A log-in that waits for a voice."""

    attempt_id: str
    prompted: VoicePrompted


@checked
class VoiceLogins:
    """Log-ins by voice. Never commits: commit whatever it returns."""

    def __init__(
        self, voiceprints: Voiceprints, logins: Logins, customers: Customers, fingerprints: Fingerprints
    ) -> None:
        self._voiceprints, self._logins = voiceprints, logins
        self._customers, self._fingerprints = customers, fingerprints

    async def start(
        self, session: AsyncSession, phone: str, *, origin: Origin = NOWHERE
    ) -> VoiceLogin | None:
        """Digits to say; None where another proof is asked for: then `Logins.start_by_code`."""
        if not self._voiceprints.available:
            return None
        customer = await self._customers.by_phone(session, phone)
        if customer is None or customer.status != "active":
            return await self._decoy(session, phone, origin)
        if not await self._voiceprints.offered(session, customer.id, "login"):
            return None
        attempt_id = await self._logins.start_by_voice(session, customer.id, origin=origin)
        if attempt_id is None:
            return None
        prompted = await self._voiceprints.ask(session, customer.id, f"{LOGIN}{attempt_id}")
        return None if prompted is None else VoiceLogin(attempt_id, prompted)

    async def _decoy(self, session: AsyncSession, phone: str, origin: Origin) -> VoiceLogin | None:
        if int(self._fingerprints.of("voice_decoy", phone)[0], 16) >= DECOYS_OF_16:
            return None
        if await self._voiceprints.stranger_paused(session, phone):
            return None
        attempt_id = await self._logins.start_by_voice(session, None, origin=origin)
        assert attempt_id is not None, "nothing is odd about nobody"
        prompted = await self._voiceprints.ask_stranger(session, phone, f"{LOGIN}{attempt_id}")
        assert prompted is not None, "nothing was asked for yet"
        return VoiceLogin(attempt_id, prompted)

    async def again(self, session: AsyncSession, attempt_id: str, phone: str) -> VoiceLogin | None:
        """Other digits for a log-in under way; None when there are no more."""
        purpose = f"{LOGIN}{attempt_id}"
        customer = await self._customers.by_phone(session, phone)
        if customer is None or customer.status != "active":
            prompted = await self._voiceprints.ask_stranger(session, phone, purpose)
        else:
            prompted = await self._voiceprints.ask(session, customer.id, purpose)
        return None if prompted is None else VoiceLogin(attempt_id, prompted)

    async def give(
        self,
        session: AsyncSession,
        attempt_id: str,
        phone: str,
        sample: VoiceSample,
        *,
        origin: Origin = NOWHERE,
    ) -> tuple[VoiceOutcome, LoginDone | LoginRefusal | None]:
        """One try. The log-in is done with the right voice. Raises LoginStale, VoicePromptUnknown."""
        purpose = f"{LOGIN}{attempt_id}"
        customer = await self._customers.by_phone(session, phone)
        if customer is None or customer.status != "active":
            return await self._voiceprints.verify_stranger(session, phone, purpose, sample), None
        outcome = await self._voiceprints.verify(
            session, customer.id, purpose, LOGIN_TIER, sample, origin=origin
        )
        if not outcome.proved:
            return outcome, None
        result = await self._logins.voice_proved(session, attempt_id, origin=origin)
        assert isinstance(result, LoginDone | LoginRefusal), "nothing else is needed after the voice"
        return outcome, result
