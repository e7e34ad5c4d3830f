"""One-time codes by SMS: six digits, short-lived, three tries, single use, good for one purpose.

Only an HMAC is kept, over the code together with what the customer agrees to by giving it: a code cannot be
moved to another order, nor to the same order with another amount.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import AnyText, checked
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.errors import ProviderUnavailable
from banking_core.identity.errors import OtpUnknown
from banking_core.identity.keys import Fingerprints
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import OtpChallenge
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.purposes import CodePurpose
from banking_core.identity.sending import SendingLimits
from banking_core.money_text import mask_phone
from banking_core.providers.protocols import SmsGateway
from banking_core.storage import after_commit, new_id

log = logging.getLogger(__name__)
CODE_DIGITS = 6
VALID_TERM = "security.otp_valid_s"
TRIES_TERM = "security.otp_tries"


@dataclass(frozen=True)
class OtpSent:
    """A code is on its way to `masked_phone`; another may be asked for after `resend_after_s` seconds."""

    challenge_id: str
    masked_phone: str
    expires_at: datetime
    resend_after_s: int


@dataclass(frozen=True)
class OtpOutcome:
    """The result of one try; `tries_left` is 0 unless the code may be tried again."""

    kind: Literal["ok", "wrong", "expired", "exhausted", "used"]
    tries_left: int


@checked
class OneTimeCodes:
    """Sending and checking codes. Never commits: commit after `verify` whatever its outcome."""

    def __init__(
        self,
        *,
        fingerprints: Fingerprints,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        sms: SmsGateway,
        security_log: SecurityLog,
    ) -> None:
        self._fingerprints = fingerprints
        self._clock = clock
        self._customers = customers
        self._sms = sms
        self._log = security_log
        self._limits = SendingLimits(terms, fingerprints)
        self._valid_s = terms.integer(VALID_TERM)
        self._tries = terms.integer(TRIES_TERM)

    async def send(
        self,
        session: AsyncSession,
        *,
        customer_id: str,
        phone: str,
        purpose: CodePurpose,
        origin: Origin = NOWHERE,
    ) -> OtpSent:
        """Makes a code and sends it once the session is committed; an older one for the purpose becomes void.

        Raises OtpTooMany, CustomerNotFound.
        """
        await self._customers.lock(session, customer_id)
        challenge, code = await self._make(session, customer_id, phone, purpose, origin)
        detail = {"purpose": purpose.name}
        await self._log.record(
            session, "otp_sent", customer_id=customer_id, phone=phone, origin=origin, detail=detail
        )
        text = (
            f"【掌柜银行】验证码{code}，用于{purpose.words}，{self._valid_s}秒内有效。"
            "请勿告诉任何人，银行工作人员也不会向您索要。"
        )
        self._send_after_commit(session, challenge.id, phone, text)
        return self._sent(challenge, phone)

    async def send_nowhere(
        self, session: AsyncSession, *, phone: str, purpose: CodePurpose, origin: Origin = NOWHERE
    ) -> OtpSent:
        """What a stranger's phone number gets: the same answer and the same limits, but no message.

        Raises OtpTooMany. No code is ever right for it that the bank gave out.
        """
        challenge, _ = await self._make(session, None, phone, purpose, origin)
        await self._log.record(
            session, "otp_sent", phone=phone, origin=origin, detail={"purpose": purpose.name}
        )
        return self._sent(challenge, phone)

    async def _make(
        self,
        session: AsyncSession,
        customer_id: str | None,
        phone: str,
        purpose: CodePurpose,
        origin: Origin,
    ) -> tuple[OtpChallenge, str]:
        """A fresh challenge and its code, within the sending limits; older ones for the purpose become void."""
        now, phone_key = self._clock.now(), self._limits.phone_key(phone)
        await self._limits.check(session, phone=phone, address=origin.address, now=now)
        await session.execute(
            update(OtpChallenge)
            .where(
                OtpChallenge.phone_key == phone_key,
                OtpChallenge.purpose == purpose.name,
                OtpChallenge.status == "open",
            )
            .values(status="void")
        )
        code, challenge_id = random_code(), new_id()
        challenge = OtpChallenge(
            id=challenge_id,
            customer_id=customer_id,
            phone_key=phone_key,
            address_key=self._limits.address_key(origin.address),
            purpose=purpose.name,
            code_hmac=self._hmac(challenge_id, purpose, code),
            tries_left=self._tries,
            status="open",
            sent_at=now,
            expires_at=now + timedelta(seconds=self._valid_s),
        )
        session.add(challenge)
        await session.flush()
        return challenge, code

    def _sent(self, challenge: OtpChallenge, phone: str) -> OtpSent:
        return OtpSent(challenge.id, mask_phone(phone), challenge.expires_at, self._limits.resend_after_s)

    async def verify(
        self,
        session: AsyncSession,
        challenge_id: str,
        code: AnyText,
        *,
        customer_id: str | None,
        purpose: CodePurpose,
        origin: Origin = NOWHERE,
    ) -> OtpOutcome:
        """One try at a code; raises OtpUnknown when it was not sent to this customer for this purpose.

        `customer_id` is None for one that was sent nowhere. A right code for something else than `purpose.signs`
        counts as a wrong one.
        """
        statement = (
            select(OtpChallenge)
            .where(
                OtpChallenge.id == challenge_id,
                OtpChallenge.customer_id == customer_id,
                OtpChallenge.purpose == purpose.name,
            )
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        challenge = await session.scalar(statement)
        if challenge is None:
            raise OtpUnknown("no such challenge of this customer for this purpose")
        outcome = self._try(challenge, purpose, code)
        await self._log.record(
            session,
            "otp_tried",
            customer_id=customer_id,
            outcome=outcome.kind,
            origin=origin,
            detail={"purpose": purpose.name},
        )
        return outcome

    async def void_all(self, session: AsyncSession, customer_id: str) -> None:
        """Makes every open code of a customer worthless."""
        await session.execute(
            update(OtpChallenge)
            .where(OtpChallenge.customer_id == customer_id, OtpChallenge.status == "open")
            .values(status="void")
        )

    def _try(self, challenge: OtpChallenge, purpose: CodePurpose, code: str) -> OtpOutcome:
        right = hmac.compare_digest(challenge.code_hmac, self._hmac(challenge.id, purpose, code.strip()))
        if challenge.status == "used":
            return OtpOutcome("used", 0)
        if challenge.status == "exhausted":
            return OtpOutcome("exhausted", 0)
        if challenge.status == "void" or self._clock.now() >= challenge.expires_at:
            return OtpOutcome("expired", 0)
        if right:
            challenge.status = "used"
            return OtpOutcome("ok", 0)
        challenge.tries_left -= 1
        if challenge.tries_left == 0:
            challenge.status = "exhausted"
            return OtpOutcome("exhausted", 0)
        return OtpOutcome("wrong", challenge.tries_left)

    def _send_after_commit(self, session: AsyncSession, key: str, phone: str, text: str) -> None:
        async def send() -> None:
            try:
                await self._sms.send(key=key, phone=phone, text=text)
            except ProviderUnavailable:
                # The challenge is committed; the customer sees no SMS arrive and asks for another.
                log.warning("SMS of challenge %s was not accepted", key)

        after_commit(session, send)

    def _hmac(self, challenge_id: str, purpose: CodePurpose, code: str) -> str:
        return self._fingerprints.of("otp", challenge_id, purpose.name, purpose.signs, code)


def random_code() -> str:
    """Six digits nobody can foresee."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
