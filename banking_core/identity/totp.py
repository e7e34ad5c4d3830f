"""Codes of an authenticator app (RFC 6238) with a step of 60 s, and the recovery codes for a lost phone.

The app's secret is sealed at rest. A step's code works once, also within its life; the app's clock may be one step
off. Methods never commit: commit after `verify` and `recover` whatever the outcome.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import AnyText, checked
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.identity.errors import TotpUnknown
from banking_core.identity.guards import locked_guard
from banking_core.identity.keys import Fingerprints
from banking_core.identity.lockout import Lockout
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import RecoveryCode, TotpCredential
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.money_text import mask_phone

ISSUER = "掌柜银行"
CODE_DIGITS = 6
SECRET_BYTES = 20  # what RFC 4226 recommends, the length of a SHA-1 digest
DRIFT_STEPS = 1
ENROLMENT_LIFE = timedelta(minutes=10)
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs, none to be taken for another
RECOVERY_CHARS = 10  # 50 bits
STEP_TERM = "security.totp_step_s"
TRIES_TERM = "security.totp_tries"
PAUSE_TERM = "security.totp_pause_minutes"


@dataclass(frozen=True)
class TotpEnrolment:
    """What the app is given: the same secret as a text to type and as an address for a QR code."""

    secret: str
    uri: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Never shows the secret."""
        return f"TotpEnrolment(expires_at={self.expires_at!r})"


@dataclass(frozen=True)
class TotpOutcome:
    """`used`: this step's code was given already. `tries_left` before the next pause."""

    kind: Literal["ok", "wrong", "used", "locked"]
    tries_left: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True)
class TotpStatus:
    """Whether an app is bound, since when, and how many recovery codes are left."""

    active: bool
    confirmed_at: datetime | None = None
    recovery_codes_left: int = 0


@checked
class TotpCodes:
    """Binding an app, checking its codes, recovery codes."""

    def __init__(
        self,
        *,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        security_log: SecurityLog,
        fingerprints: Fingerprints,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._log = security_log
        self._fingerprints = fingerprints
        self._step_s = terms.integer(STEP_TERM)
        self._lockout = Lockout.of_terms(terms, TRIES_TERM, PAUSE_TERM)

    async def enrol(self, session: AsyncSession, customer_id: str) -> TotpEnrolment:
        """Makes a secret that waits for its first code; one already waiting is replaced.

        An app that is bound stays in force until the new one is confirmed. Raises CustomerNotFound.
        """
        customer = await self._customers.lock(session, customer_id)
        await session.execute(delete(TotpCredential).where(_of(customer_id, "pending")))
        key = secrets.token_bytes(SECRET_BYTES)
        now = self._clock.now()
        pending = TotpCredential(customer_id=customer_id, status="pending", created_at=now)
        pending.secret = key.hex()
        session.add(pending)
        await self._log.record(session, "totp_enrolled", customer_id=customer_id)
        uri = self._totp(key).get_provisioning_uri(mask_phone(customer.phone), ISSUER)
        return TotpEnrolment(base64.b32encode(key).decode(), uri, now + ENROLMENT_LIFE)

    async def confirm(
        self, session: AsyncSession, customer_id: str, code: AnyText, *, origin: Origin = NOWHERE
    ) -> tuple[TotpOutcome, Sequence[str]]:
        """Binds the waiting app with its first code; gives the recovery codes, the only time they are seen.

        Raises TotpUnknown when nothing waits any more, CustomerNotFound.
        """
        await self._customers.lock(session, customer_id)
        pending = await self._locked(session, customer_id, "pending")
        now = self._clock.now()
        if pending is None or now >= pending.created_at + ENROLMENT_LIFE:
            raise TotpUnknown("no enrolment waits for its code")
        outcome = await self._checked(session, pending, code, origin)
        if outcome.kind != "ok":
            return outcome, ()
        await session.execute(delete(TotpCredential).where(_of(customer_id, "active")))
        pending.status, pending.confirmed_at = "active", now
        await session.flush()
        return outcome, await self.new_recovery_codes(session, customer_id)

    async def verify(
        self, session: AsyncSession, customer_id: str, code: AnyText, *, origin: Origin = NOWHERE
    ) -> TotpOutcome:
        """One try at the app's code; raises TotpUnknown when no app is bound."""
        credential = await self._locked(session, customer_id, "active")
        if credential is None:
            raise TotpUnknown("no app is bound")
        return await self._checked(session, credential, code, origin)

    async def recover(
        self, session: AsyncSession, customer_id: str, code: AnyText, *, origin: Origin = NOWHERE
    ) -> TotpOutcome:
        """One try at a recovery code, good once in place of the app; raises TotpUnknown when no app is bound."""
        if await self._locked(session, customer_id, "active") is None:
            raise TotpUnknown("no app is bound")
        guard = await locked_guard(session, self._guard_key(customer_id))
        now = self._clock.now()
        if until := self._lockout.locked_until(guard, now):
            return TotpOutcome("locked", 0, until)
        used = await session.execute(
            update(RecoveryCode)
            .where(
                RecoveryCode.customer_id == customer_id,
                RecoveryCode.code_hash == self._recovery_hash(customer_id, code),
                RecoveryCode.used_at.is_(None),
            )
            .values(used_at=now)
            .returning(RecoveryCode.id)
        )
        right = used.first() is not None
        await self._log.record(
            session,
            "totp_recovery",
            customer_id=customer_id,
            outcome="ok" if right else "wrong",
            origin=origin,
        )
        if right:
            self._lockout.forget(guard)
            return TotpOutcome("ok", self._lockout.tries_max)
        tries_left = self._lockout.count_wrong(guard, now)
        return TotpOutcome("wrong" if tries_left else "locked", tries_left, guard.locked_until)

    async def new_recovery_codes(self, session: AsyncSession, customer_id: str) -> Sequence[str]:
        """Ten fresh codes in place of all earlier ones; raises TotpUnknown when no app is bound."""
        if await self._locked(session, customer_id, "active") is None:
            raise TotpUnknown("no app is bound")
        await session.execute(delete(RecoveryCode).where(RecoveryCode.customer_id == customer_id))
        codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
        session.add_all(
            RecoveryCode(customer_id=customer_id, code_hash=self._recovery_hash(customer_id, code))
            for code in codes
        )
        await self._log.record(session, "totp_recovery_codes", customer_id=customer_id)
        return codes

    async def unbind(self, session: AsyncSession, customer_id: str) -> None:
        """Takes the app off and makes its recovery codes worthless; nothing happens when there is none."""
        await self._customers.lock(session, customer_id)
        gone = await session.execute(
            delete(TotpCredential)
            .where(TotpCredential.customer_id == customer_id)
            .returning(TotpCredential.id)
        )
        await session.execute(delete(RecoveryCode).where(RecoveryCode.customer_id == customer_id))
        if gone.first() is not None:
            await self._log.record(session, "totp_unbound", customer_id=customer_id)

    async def status(self, session: AsyncSession, customer_id: str) -> TotpStatus:
        """Whether an app is bound."""
        credential = await session.scalar(select(TotpCredential).where(_of(customer_id, "active")))
        if credential is None:
            return TotpStatus(False)
        left = await session.scalar(
            select(func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.customer_id == customer_id, RecoveryCode.used_at.is_(None))
        )
        return TotpStatus(True, credential.confirmed_at, int(left or 0))

    async def _checked(
        self, session: AsyncSession, credential: TotpCredential, code: str, origin: Origin
    ) -> TotpOutcome:
        """Checks a code against a locked row, counts it and notes it."""
        guard = await locked_guard(session, self._guard_key(credential.customer_id))
        now = self._clock.now()
        if until := self._lockout.locked_until(guard, now):
            return TotpOutcome("locked", 0, until)
        step = self._step_of(bytes.fromhex(credential.secret), code.strip(), now)
        if step is None:
            tries_left = self._lockout.count_wrong(guard, now)
            kind: Literal["wrong", "locked"] = "wrong" if tries_left else "locked"
            outcome = TotpOutcome(kind, tries_left, guard.locked_until)
        elif credential.last_step is not None and step <= credential.last_step:
            outcome = TotpOutcome("used", self._lockout.tries_max - guard.wrong_count)
        else:
            credential.last_step = step
            self._lockout.forget(guard)
            outcome = TotpOutcome("ok", self._lockout.tries_max)
        await self._log.record(
            session, "totp_tried", customer_id=credential.customer_id, outcome=outcome.kind, origin=origin
        )
        return outcome

    def _step_of(self, key: bytes, code: str, now: datetime) -> int | None:
        """The step whose code this is, within the drift; every step is compared whatever the others gave."""
        totp, current = self._totp(key), int(now.timestamp()) // self._step_s
        given = code.encode("utf-8", "surrogatepass")
        found: int | None = None
        for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
            if hmac.compare_digest(totp.generate(step * self._step_s), given):
                found = step
        return found

    def _totp(self, key: bytes) -> TOTP:
        return TOTP(key, CODE_DIGITS, SHA1(), self._step_s)  # the hash every authenticator app knows

    async def _locked(self, session: AsyncSession, customer_id: str, status: str) -> TotpCredential | None:
        statement = (
            select(TotpCredential)
            .where(_of(customer_id, status))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        return (await session.scalars(statement)).one_or_none()

    def _guard_key(self, customer_id: str) -> str:
        return self._fingerprints.of("totp_tries", customer_id)

    def _recovery_hash(self, customer_id: str, code: str) -> str:
        plain = "".join(character for character in code.upper() if character in RECOVERY_ALPHABET)
        return self._fingerprints.of("totp_recovery", customer_id, plain)


def _of(customer_id: str, status: str) -> ColumnElement[bool]:
    return (TotpCredential.customer_id == customer_id) & (TotpCredential.status == status)


def _new_recovery_code() -> str:
    signs = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_CHARS))
    return f"{signs[:5]}-{signs[5:]}"
