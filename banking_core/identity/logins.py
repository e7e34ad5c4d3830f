"""Logging in: the password, then whatever else is needed, one proof at a time; on the telephone code and ID number.

    start(phone, password) ──> LoginNeeds(otp | totp | id_tail) ──> give(secret) ──> ... ──> LoginDone
                           └─> LoginRefusal                                      └─> LoginRefusal
    start_by_code(phone)   ──> LoginNeeds(otp)
    start_by_voice(id)     ──> attempt ──> voice_proved(attempt) ──> LoginDone

What else is needed depends on the device and on how odd the log-in is (`login_risk`). An attempt lives for ten
minutes, belongs to the session it was begun in, and never says whether a phone number is known. After `LoginDone`
the channel opens a session. Methods never commit: commit whatever they return.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import AnyText, checked, checked_function
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.identity.callbacks import Callbacks
from banking_core.identity.devices import Devices
from banking_core.identity.errors import LoginStale, OtpTooMany
from banking_core.identity.guards import locked_guard
from banking_core.identity.keys import Fingerprints
from banking_core.identity.lockout import Lockout
from banking_core.identity.log import SecurityLog
from banking_core.identity.login_aftermath import LoginAftermath
from banking_core.identity.login_facts import LoginFacts
from banking_core.identity.login_risk import LoginRisk, LoginRules, LoginVerdict, needs_of
from banking_core.identity.models import LoginAttempt
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.otp import OneTimeCodes, OtpSent
from banking_core.identity.passwords import Passwords
from banking_core.identity.purposes import LOGIN
from banking_core.identity.sessions import LoginDone
from banking_core.identity.totp import TotpCodes
from banking_core.restrictions import Restrictions
from banking_core.storage import new_id

Need = Literal["otp", "totp", "id_tail"]
ATTEMPT_LIFE = timedelta(minutes=10)
ID_TAIL_CHARS = 4
ID_TRIES_TERM = "identity.id_tail_tries"
ID_PAUSE_TERM = "identity.id_tail_pause_minutes"
BY_CODE = ("otp", "id_tail")
PROOF_NAMES: dict[str, str] = {
    "password": "密码",
    "otp": "短信验证码",
    "totp": "动态口令",
    "recovery": "恢复码",
    "id_tail": "证件后四位",
    "voice": "声纹",
}
POSSESSION = ("otp", "totp")  # proofs that whoever has the customer's telephone can give, and nobody else
VOICE_TIERS = ("none", "low")  # log-ins that are any odder want what `start_by_code` asks for


@dataclass(frozen=True)
class LoginNeeds:
    """The next proof. With `otp` either `sent` says where the code went, or `not_sent` why none was sent."""

    attempt_id: str
    need: Need
    sent: OtpSent | None = None
    not_sent: OtpTooMany | None = None


@dataclass(frozen=True)
class LoginRefusal:
    """A proof was not right. `proof` says which, `tries_left` how often it may still be tried.

    frozen: every proof would be in vain, a person must see to it first.
    """

    proof: Literal["password", "otp", "totp", "id_tail"]
    kind: Literal["wrong", "locked", "expired", "exhausted", "used", "frozen"]
    tries_left: int = 0
    locked_until: datetime | None = None
    locked_what: Literal["phone", "address"] = "phone"


LoginResult = LoginNeeds | LoginDone | LoginRefusal


@checked_function
def proved_possession(how: str) -> bool:
    """Whether a log-in proved that the customer's telephone is at hand; `how` is `LoginDone.how`."""
    return any(PROOF_NAMES[proof] in how.split("+") for proof in POSSESSION)


@checked_function
def proved_password(how: str) -> bool:
    """Whether the customer's password was among what a log-in proved."""
    return PROOF_NAMES["password"] in how.split("+")


@checked_function
def voice_only(how: str) -> bool:
    """Whether a voice was all that a log-in proved."""
    return how == PROOF_NAMES["voice"]


@checked
class Logins:
    """The log-in of customers."""

    def __init__(
        self,
        *,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        security_log: SecurityLog,
        fingerprints: Fingerprints,
        passwords: Passwords,
        otp: OneTimeCodes,
        totp: TotpCodes,
        devices: Devices,
        restrictions: Restrictions,
        notices: SecurityNotices,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._log = security_log
        self._fingerprints = fingerprints
        self._passwords = passwords
        self._otp = otp
        self._totp = totp
        self._devices = devices
        self._restrictions = restrictions
        self._id_lockout = Lockout.of_terms(terms, ID_TRIES_TERM, ID_PAUSE_TERM)
        self._facts = LoginFacts(clock, devices, fingerprints)
        self._risk: LoginRisk = LoginRules(terms)
        self._aftermath = LoginAftermath(clock, customers, restrictions, notices)

    def use_risk(self, risk: LoginRisk) -> None:
        """Plugs in another judge of log-ins."""
        self._risk = risk

    def use_callbacks(self, callbacks: Callbacks) -> None:
        """Says where call-back tasks are filed."""
        self._aftermath.callbacks = callbacks

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
        customer_id = outcome.customer_id
        assert customer_id is not None
        if await self._is_frozen(session, customer_id, origin):
            return LoginRefusal("password", "frozen")
        subject = await self._facts.gather(session, customer_id, origin)
        verdict = await self._risk.assess(session, subject)
        app = await self._totp.status(session, customer_id)
        code = "totp" if app.active else "otp"
        needs = needs_of(verdict.tier, device_trusted=subject.device_trusted, code=code)
        attempt = self._attempt(customer_id, origin, verdict, needs, ["password"], trust_device=trust_device)
        session.add(attempt)
        await session.flush()
        return await self._next(session, attempt, origin)

    async def start_by_code(
        self, session: AsyncSession, phone: str, *, origin: Origin = NOWHERE
    ) -> LoginNeeds:
        """Where no password can be given, on the telephone: a code to the number on record, then the end of the ID
        number, whatever the device. An unknown number gets the same answers, and no message.
        """
        customer = await self._customers.by_phone(session, phone)
        if customer is None or customer.status != "active":
            attempt = self._attempt(None, origin, LoginVerdict(), list(BY_CODE), [])
            try:
                sent = await self._otp.send_nowhere(session, phone=phone, purpose=LOGIN, origin=origin)
                attempt.challenge_id, needs = sent.challenge_id, LoginNeeds(attempt.id, "otp", sent)
            except OtpTooMany as error:
                needs = LoginNeeds(attempt.id, "otp", not_sent=error)
            session.add(attempt)
            await session.flush()
            return needs
        subject = await self._facts.gather(session, customer.id, origin)
        verdict = await self._risk.assess(session, subject)
        attempt = self._attempt(customer.id, origin, verdict, list(BY_CODE), [])
        session.add(attempt)
        await session.flush()
        return await self._send(session, attempt, origin)

    async def start_by_voice(
        self, session: AsyncSession, customer_id: str | None, *, origin: Origin = NOWHERE
    ) -> str | None:
        """A log-in that waits for the customer's voice (`banking_core.voiceprints` compares it); its id.

        None when this log-in is too odd for a voice alone. Without a customer it leads nowhere.
        """
        verdict = LoginVerdict()
        if customer_id is not None:
            subject = await self._facts.gather(session, customer_id, origin)
            verdict = await self._risk.assess(session, subject)
            if verdict.tier not in VOICE_TIERS:
                return None
        attempt = self._attempt(customer_id, origin, verdict, ["voice"], [])
        session.add(attempt)
        await session.flush()
        return attempt.id

    async def voice_proved(
        self, session: AsyncSession, attempt_id: str, *, origin: Origin = NOWHERE
    ) -> LoginResult:
        """The voice said the right digits. Raises LoginStale."""
        attempt = await self._open_attempt(session, attempt_id, origin)
        if attempt.customer_id is None or attempt.needs[0] != "voice":
            raise LoginStale("no voice is waited for")
        attempt.proofs, attempt.needs = [*attempt.proofs, "voice"], attempt.needs[1:]
        return await self._next(session, attempt, origin)

    def _attempt(
        self,
        customer_id: str | None,
        origin: Origin,
        verdict: LoginVerdict,
        needs: list[str],
        proofs: list[str],
        *,
        trust_device: bool = False,
    ) -> LoginAttempt:
        now = self._clock.now()
        return LoginAttempt(
            id=new_id(),
            customer_id=customer_id,
            session_id=origin.session_id,
            tier=verdict.tier,
            reasons=list(verdict.reasons),
            needs=needs,
            proofs=proofs,
            trust_device=trust_device,
            status="open",
            created_at=now,
            expires_at=now + ATTEMPT_LIFE,
        )

    async def give(
        self, session: AsyncSession, attempt_id: str, secret: AnyText, *, origin: Origin = NOWHERE
    ) -> LoginResult:
        """One try at the proof that is needed now; raises LoginStale."""
        attempt = await self._open_attempt(session, attempt_id, origin)
        if attempt.needs[0] == "voice":
            raise LoginStale("a voice is waited for")
        refusal = await self._check(session, attempt, secret.strip(), origin)
        if refusal is not None:
            await self._note(session, attempt, "login_proof_refused", refusal.kind, origin)
            return refusal
        attempt.needs = attempt.needs[1:]
        return await self._next(session, attempt, origin)

    async def resend(self, session: AsyncSession, attempt_id: str, *, origin: Origin = NOWHERE) -> LoginNeeds:
        """Another code, also in place of the app's; raises LoginStale, also when no code is needed now.

        A log-in by code is begun again instead: of an unknown number nothing is kept that could be asked again.
        """
        attempt = await self._open_attempt(session, attempt_id, origin)
        if attempt.customer_id is None or attempt.needs[0] not in ("otp", "totp"):
            raise LoginStale("no code is needed now")
        attempt.needs = ["otp", *attempt.needs[1:]]
        return await self._send(session, attempt, origin)

    async def _next(self, session: AsyncSession, attempt: LoginAttempt, origin: Origin) -> LoginResult:
        if not attempt.needs:
            assert attempt.customer_id is not None, "nobody can give the proofs of an unknown number"
            if await self._is_frozen(session, attempt.customer_id, origin):  # also while it was under way
                attempt.status = "refused"
                return LoginRefusal("password", "frozen")
            return await self._finish(session, attempt, origin)
        if attempt.needs[0] != "otp":
            return LoginNeeds(attempt.id, attempt.needs[0])
        return await self._send(session, attempt, origin)

    async def _send(self, session: AsyncSession, attempt: LoginAttempt, origin: Origin) -> LoginNeeds:
        assert attempt.customer_id is not None, "nothing is sent to an unknown number"
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
            refusal, proof = await self._check_otp(session, attempt, secret, origin), "otp"
        elif attempt.needs[0] == "id_tail":
            refusal, proof = await self._check_id_tail(session, attempt, secret), "id_tail"
        else:
            refusal, proof = await self._check_app(session, attempt, secret, origin)
        if refusal is None:
            attempt.proofs = [*attempt.proofs, proof]
        return refusal

    async def _check_otp(
        self, session: AsyncSession, attempt: LoginAttempt, secret: str, origin: Origin
    ) -> LoginRefusal | None:
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
        if code.kind == "ok":  # a lucky guess at a code that nobody was sent opens nothing
            return None if attempt.customer_id is not None else LoginRefusal("otp", "expired")
        return LoginRefusal("otp", code.kind, code.tries_left)

    async def _check_app(
        self, session: AsyncSession, attempt: LoginAttempt, secret: str, origin: Origin
    ) -> tuple[LoginRefusal | None, str]:
        assert attempt.customer_id is not None, "an unknown number has no app"
        by_app = secret.isdigit()
        check = self._totp.verify if by_app else self._totp.recover
        outcome = await check(session, attempt.customer_id, secret, origin=origin)
        if outcome.kind == "ok":
            return None, "totp" if by_app else "recovery"
        return LoginRefusal("totp", outcome.kind, outcome.tries_left, outcome.locked_until), "totp"

    async def _check_id_tail(
        self, session: AsyncSession, attempt: LoginAttempt, secret: str
    ) -> LoginRefusal | None:
        """The end of the identity number: known to the customer, not to whoever reads their messages."""
        assert attempt.customer_id is not None, (
            "the code comes first, and is taken for right with an unknown number"
        )
        guard = await locked_guard(session, self._fingerprints.of("id_tail", attempt.customer_id))
        now = self._clock.now()
        if until := self._id_lockout.locked_until(guard, now):
            return LoginRefusal("id_tail", "locked", 0, until)
        customer = await self._customers.get(session, attempt.customer_id)
        given = secret.upper().encode("utf-8", "surrogatepass")
        if hmac.compare_digest(customer.id_number[-ID_TAIL_CHARS:].encode(), given):
            self._id_lockout.forget(guard)
            return None
        left = self._id_lockout.count_wrong(guard, now)
        return LoginRefusal("id_tail", "wrong" if left else "locked", left, guard.locked_until)

    async def _is_frozen(self, session: AsyncSession, customer_id: str, origin: Origin) -> bool:
        """Noted when so."""
        frozen = "frozen" in await self._restrictions.kinds(session, customer_id)
        if frozen:
            await self._log.record(
                session, "login_refused", customer_id=customer_id, outcome="frozen", origin=origin
            )
        return frozen

    async def _finish(self, session: AsyncSession, attempt: LoginAttempt, origin: Origin) -> LoginDone:
        assert attempt.customer_id is not None, "looked at by the caller"
        attempt.status = "done"
        device = await self._devices.bind(session, attempt.customer_id, origin)
        if device is not None and attempt.trust_device and attempt.tier != "high":
            await self._devices.trust(session, attempt.customer_id, device.id, origin=origin)
        await self._facts.remember_place(session, attempt.customer_id, origin)
        await self._note(session, attempt, "login_ok", "ok", origin)
        await self._aftermath.follow(session, attempt, origin)
        how = "+".join(PROOF_NAMES[proof] for proof in attempt.proofs)
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
        detail = {
            "proofs": attempt.proofs,
            "tier": attempt.tier,
            "reasons": attempt.reasons,
        }
        await self._log.record(
            session, kind, customer_id=attempt.customer_id, outcome=outcome, origin=origin, detail=detail
        )
