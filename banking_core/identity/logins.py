"""Logging in, the same way on every channel: the password, then whatever else is needed, one proof at a time.

    start(phone, password) ──> LoginNeeds(otp | totp) ──> give(secret) ──> ... ──> LoginDone
                           └─> LoginRefusal                            └─> LoginRefusal

An attempt lives for ten minutes, belongs to the session it was begun in, and never says whether a phone number is
known. After `LoginDone` the channel opens a session. Methods never commit: commit whatever they return.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.customers.service import Customers
from banking_core.identity.devices import Devices
from banking_core.identity.errors import LoginStale, OtpTooMany
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import LoginAttempt
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.otp import OneTimeCodes, OtpSent
from banking_core.identity.passwords import Passwords
from banking_core.identity.purposes import LOGIN
from banking_core.identity.sessions import LoginDone
from banking_core.identity.totp import TotpCodes
from banking_core.storage import new_id

Need = Literal["otp", "totp"]
ATTEMPT_LIFE = timedelta(minutes=10)
PROOF_NAMES: dict[str, str] = {"otp": "短信验证码", "totp": "动态口令", "recovery": "恢复码"}


@dataclass(frozen=True)
class LoginNeeds:
    """The next proof. With `otp` either `sent` says where the code went, or `not_sent` why none was sent."""

    attempt_id: str
    need: Need
    sent: OtpSent | None = None
    not_sent: OtpTooMany | None = None


@dataclass(frozen=True)
class LoginRefusal:
    """A proof was not right. `proof` says which, `tries_left` how often it may still be tried."""

    proof: Literal["password", "otp", "totp"]
    kind: Literal["wrong", "locked", "expired", "exhausted", "used"]
    tries_left: int = 0
    locked_until: datetime | None = None
    locked_what: Literal["phone", "address"] = "phone"


LoginResult = LoginNeeds | LoginDone | LoginRefusal


class Logins:
    """The log-in of customers."""

    def __init__(
        self,
        *,
        clock: Clock,
        customers: Customers,
        passwords: Passwords,
        otp: OneTimeCodes,
        totp: TotpCodes,
        devices: Devices,
        security_log: SecurityLog,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._passwords = passwords
        self._otp = otp
        self._totp = totp
        self._devices = devices
        self._log = security_log

    async def start(
        self,
        session: AsyncSession,
        phone: str,
        password: str,
        *,
        origin: Origin = NOWHERE,
        trust_device: bool = False,
    ) -> LoginResult:
        """Checks the password and says what comes next; with `trust_device` the device is trusted at the end."""
        outcome = await self._passwords.verify(session, phone, password, origin=origin)
        if outcome.kind != "ok":
            return LoginRefusal(
                "password", outcome.kind, outcome.tries_left, outcome.locked_until, outcome.locked_what
            )
        assert outcome.customer_id is not None
        now = self._clock.now()
        attempt = LoginAttempt(
            id=new_id(),
            customer_id=outcome.customer_id,
            session_id=origin.session_id,
            needs=await self._needs(session, outcome.customer_id, origin),
            proofs=[],
            trust_device=trust_device,
            status="open",
            created_at=now,
            expires_at=now + ATTEMPT_LIFE,
        )
        session.add(attempt)
        await session.flush()
        return await self._next(session, attempt, origin)

    async def give(
        self, session: AsyncSession, attempt_id: str, secret: str, *, origin: Origin = NOWHERE
    ) -> LoginResult:
        """One try at the proof that is needed now; raises LoginStale."""
        attempt = await self._open_attempt(session, attempt_id, origin)
        refusal = await self._check(session, attempt, secret.strip(), origin)
        if refusal is not None:
            await self._note(session, attempt, "login_proof_refused", refusal.kind, origin)
            return refusal
        attempt.needs = attempt.needs[1:]
        return await self._next(session, attempt, origin)

    async def resend(self, session: AsyncSession, attempt_id: str, *, origin: Origin = NOWHERE) -> LoginNeeds:
        """Another code, also in place of the app's; raises LoginStale, also when no code is needed now."""
        attempt = await self._open_attempt(session, attempt_id, origin)
        if attempt.needs[0] not in ("otp", "totp"):
            raise LoginStale("no code is needed now")
        attempt.needs = ["otp", *attempt.needs[1:]]
        return await self._send(session, attempt, origin)

    async def _needs(self, session: AsyncSession, customer_id: str, origin: Origin) -> list[str]:
        """What is asked for besides the password: nothing on a device the customer trusts."""
        device = await self._devices.known(session, customer_id, origin)
        if self._devices.is_trusted(device):
            return []
        app = await self._totp.status(session, customer_id)
        return ["totp" if app.active else "otp"]

    async def _next(self, session: AsyncSession, attempt: LoginAttempt, origin: Origin) -> LoginResult:
        if not attempt.needs:
            return await self._finish(session, attempt, origin)
        if attempt.needs[0] == "totp":
            return LoginNeeds(attempt.id, "totp")
        return await self._send(session, attempt, origin)

    async def _send(self, session: AsyncSession, attempt: LoginAttempt, origin: Origin) -> LoginNeeds:
        customer = await self._customers.get(session, attempt.customer_id)
        try:
            sent = await self._otp.send(
                session, customer_id=customer.id, phone=customer.phone, purpose=LOGIN, origin=origin
            )
        except OtpTooMany as error:
            return LoginNeeds(attempt.id, "otp", not_sent=error)
        attempt.challenge_id = sent.challenge_id
        return LoginNeeds(attempt.id, "otp", sent)

    async def _check(
        self, session: AsyncSession, attempt: LoginAttempt, secret: str, origin: Origin
    ) -> LoginRefusal | None:
        """None when the proof is right; it is noted with the attempt."""
        if attempt.needs[0] == "otp":
            if attempt.challenge_id is None:
                return LoginRefusal("otp", "expired")
            code = await self._otp.verify(
                session,
                attempt.challenge_id,
                secret,
                customer_id=attempt.customer_id,
                purpose=LOGIN,
                origin=origin,
            )
            if code.kind != "ok":
                return LoginRefusal("otp", code.kind, code.tries_left)
            attempt.proofs = [*attempt.proofs, "otp"]
            return None
        by_app = secret.isdigit()
        check = self._totp.verify if by_app else self._totp.recover
        outcome = await check(session, attempt.customer_id, secret, origin=origin)
        if outcome.kind != "ok":
            return LoginRefusal("totp", outcome.kind, outcome.tries_left, outcome.locked_until)
        attempt.proofs = [*attempt.proofs, "totp" if by_app else "recovery"]
        return None

    async def _finish(self, session: AsyncSession, attempt: LoginAttempt, origin: Origin) -> LoginDone:
        attempt.status = "done"
        device = await self._devices.bind(session, attempt.customer_id, origin)
        if device is not None and attempt.trust_device:
            await self._devices.trust(session, attempt.customer_id, device.id, origin=origin)
        await self._note(session, attempt, "login_ok", "ok", origin)
        how = "+".join(["密码", *(PROOF_NAMES[proof] for proof in attempt.proofs)])
        return LoginDone(attempt.customer_id, device.id if device else None, how)

    async def _open_attempt(self, session: AsyncSession, attempt_id: str, origin: Origin) -> LoginAttempt:
        statement = (
            select(LoginAttempt)
            .where(LoginAttempt.id == attempt_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        attempt = await session.scalar(statement)
        if attempt is None or attempt.status != "open" or self._clock.now() >= attempt.expires_at:
            raise LoginStale("no such log-in under way")
        if attempt.session_id != origin.session_id:
            raise LoginStale("the log-in was begun elsewhere")
        return attempt

    async def _note(
        self, session: AsyncSession, attempt: LoginAttempt, kind: str, outcome: str, origin: Origin
    ) -> None:
        detail = {"proofs": ["password", *attempt.proofs]}
        await self._log.record(
            session, kind, customer_id=attempt.customer_id, outcome=outcome, origin=origin, detail=detail
        )
