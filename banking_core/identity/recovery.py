"""A forgotten password: a code by text message and the real name and identity number lead to a new one.

    start(phone) ──> prove(code, name, ID number) ──> finish(new password)

A number that is unknown to the bank gets the same answers, a wrong code and wrong papers get one answer, and wrong
tries are counted per number. Afterwards every log-in has ended, no device is trusted, the customer has been told, and
for a time only small amounts may leave (`restrictions`). The state's register is asked outside any transaction.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import UNREAD, AnyText, checked
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.models import Customer
from banking_core.customers.service import PHONE, Customers
from banking_core.identity.errors import RecoveryPaused, RecoveryPhoneInvalid, RecoveryStale
from banking_core.identity.guards import locked_guard
from banking_core.identity.keys import Fingerprints
from banking_core.identity.lockout import Lockout
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import Recovery
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.otp import OneTimeCodes
from banking_core.identity.passwords import Passwords
from banking_core.identity.purposes import CodePurpose
from banking_core.providers.protocols import RealNameRegister
from banking_core.restrictions import CustomerFrozen, Restrictions
from banking_core.storage import Database, new_id

LIFE = timedelta(minutes=15)
PURPOSE = CodePurpose("recovery", words="找回登录密码")
TRIES_TERM = "identity.recovery_tries"
PAUSE_TERM = "identity.recovery_pause_minutes"
COOLDOWN_TERM = "identity.cooldown_hours"
NAME_CHARS_MAX = 64
CODE_CHARS_MAX = 32


@dataclass(frozen=True)
class RecoverySent:
    """If the number is a customer's, a code is on its way to it."""

    recovery_id: str
    masked_phone: str
    expires_at: datetime
    resend_after_s: int


@dataclass(frozen=True)
class RecoveryOutcome:
    """ok: a new password may be set now. wrong: the code or the papers; which of them is not told."""

    kind: Literal["ok", "wrong", "locked"]
    tries_left: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True)
class Papers:
    """What the customer says of themselves."""

    name: str
    id_number: str

    def __repr__(self) -> str:
        """Never shows them."""
        return "Papers()"


@checked
class Recoveries:
    """The three steps."""

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
        restrictions: Restrictions,
        notices: SecurityNotices,
        register: RealNameRegister,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._log = security_log
        self._fingerprints = fingerprints
        self._passwords = passwords
        self._otp = otp
        self._restrictions = restrictions
        self._notices = notices
        self._register = register
        self._lockout = Lockout.of_terms(terms, TRIES_TERM, PAUSE_TERM)
        self._cooldown = timedelta(hours=terms.integer(COOLDOWN_TERM))

    async def start(self, session: AsyncSession, phone: AnyText, *, origin: Origin = NOWHERE) -> RecoverySent:
        """Sends a code if the number is a customer's, and says the same if it is not.

        Never commits. Raises RecoveryPhoneInvalid, RecoveryPaused, OtpTooMany.
        """
        if PHONE.fullmatch(phone) is None:
            raise RecoveryPhoneInvalid("not a phone number", field="phone")
        now = self._clock.now()
        guard_key = self._fingerprints.of("recovery_phone", phone)
        if until := self._lockout.locked_until(await locked_guard(session, guard_key), now):
            raise RecoveryPaused("too many wrong tries", until=until, now=now)
        customer = await self._customers.by_phone(session, phone)
        customer_id = customer.id if customer is not None and customer.status == "active" else None
        if customer_id is not None:
            sent = await self._otp.send(
                session, customer_id=customer_id, phone=phone, purpose=PURPOSE, origin=origin
            )
        else:
            sent = await self._otp.send_nowhere(session, phone=phone, purpose=PURPOSE, origin=origin)
        recovery = Recovery(
            id=new_id(),
            customer_id=customer_id,
            guard_key=guard_key,
            session_id=origin.session_id,
            challenge_id=sent.challenge_id,
            status="open",
            created_at=now,
            expires_at=now + LIFE,
        )
        session.add(recovery)
        await session.flush()
        return RecoverySent(recovery.id, sent.masked_phone, sent.expires_at, sent.resend_after_s)

    async def prove(
        self,
        database: Database,
        recovery_id: str,
        code: AnyText,
        papers: Annotated[Papers, UNREAD],
        *,
        origin: Origin = NOWHERE,
    ) -> RecoveryOutcome:
        """One try with the code and the papers, in transactions of its own.

        A right code need not be given again. Raises RecoveryStale, CustomerFrozen, ProviderUnavailable.
        """
        async with database.transaction() as session:
            refusal = await self._check(session, recovery_id, code, papers, origin)
        if refusal is not None:
            return refusal
        answer = await self._register.check(
            key=f"recovery:{recovery_id}",
            name=papers.name.strip(),
            id_number=papers.id_number.strip().upper(),
        )
        async with database.transaction() as session:
            recovery = await self._open_recovery(session, recovery_id, origin)
            assert recovery.customer_id is not None, "checked above"
            if answer != "match":
                await self._note(session, recovery, f"realname_{answer}", origin)
                return await self._wrong(session, recovery)
            recovery.status = "proved"
            await self._note(session, recovery, "ok", origin)
            frozen = "frozen" in await self._restrictions.kinds(session, recovery.customer_id)
        if frozen:
            raise CustomerFrozen("recovery of a frozen customer")
        return RecoveryOutcome("ok")

    async def finish(
        self, session: AsyncSession, recovery_id: str, password: str, *, origin: Origin = NOWHERE
    ) -> datetime:
        """Sets the new password; returns until when only small amounts may leave.

        Never commits. Raises RecoveryStale, PasswordTooWeak, CustomerFrozen; then nothing has changed.
        """
        recovery = await self._open_recovery(session, recovery_id, origin)
        if recovery.status != "proved" or recovery.customer_id is None:
            raise RecoveryStale("nothing was proved yet")
        customer = await self._customers.get(session, recovery.customer_id)
        if "frozen" in await self._restrictions.kinds(session, customer.id):
            raise CustomerFrozen("recovery of a frozen customer")
        await self._passwords.forgive(session, customer.phone)
        await self._passwords.set(session, customer.id, password, origin=origin)
        recovery.status = "done"
        now = self._clock.now()
        until = now + self._cooldown
        await self._restrictions.lay(
            session, customer.id, "low_limits", reason="password recovery", until=until
        )
        await self._note(session, recovery, "done", origin)
        hours = int(self._cooldown.total_seconds() // 3600)
        what = f"您的登录密码已通过身份验证重设，{hours}小时内只能办理小额转账缴费"
        await self._notices.tell(session, customer.id, what, now)
        return until

    async def _check(
        self, session: AsyncSession, recovery_id: str, code: str, papers: Papers, origin: Origin
    ) -> RecoveryOutcome | None:
        """None when code and papers are right."""
        recovery = await self._open_recovery(session, recovery_id, origin)
        if recovery.status == "proved":
            raise RecoveryStale("proved already")
        guard = await locked_guard(session, recovery.guard_key)
        if until := self._lockout.locked_until(guard, self._clock.now()):
            return RecoveryOutcome("locked", 0, until)
        if recovery.status == "open":
            tried = await self._otp.verify(
                session,
                recovery.challenge_id,
                code[:CODE_CHARS_MAX],
                customer_id=recovery.customer_id,
                purpose=PURPOSE,
                origin=origin,
            )
            if tried.kind == "ok":
                recovery.status = "code_ok"
        known = recovery.customer_id
        customer = await self._customers.get(session, known) if known else None
        fits = customer is not None and _same_person(customer, papers)
        if recovery.status == "code_ok" and fits:
            return None
        await self._note(session, recovery, "wrong", origin)
        return await self._wrong(session, recovery)

    async def _wrong(self, session: AsyncSession, recovery: Recovery) -> RecoveryOutcome:
        guard = await locked_guard(session, recovery.guard_key)
        left = self._lockout.count_wrong(guard, self._clock.now())
        return RecoveryOutcome("wrong" if left else "locked", left, guard.locked_until)

    async def _open_recovery(self, session: AsyncSession, recovery_id: str, origin: Origin) -> Recovery:
        statement = (
            select(Recovery)
            .where(Recovery.id == recovery_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        recovery = await session.scalar(statement)
        if recovery is None or recovery.status == "done" or self._clock.now() >= recovery.expires_at:
            raise RecoveryStale("no such recovery under way")
        if recovery.session_id != origin.session_id:
            raise RecoveryStale("the recovery was begun elsewhere")
        return recovery

    async def _note(self, session: AsyncSession, recovery: Recovery, outcome: str, origin: Origin) -> None:
        await self._log.record(
            session, "recovery_tried", customer_id=recovery.customer_id, outcome=outcome, origin=origin
        )


def _same_person(customer: Customer, papers: Papers) -> bool:
    pairs = (
        (customer.name, papers.name.strip()[:NAME_CHARS_MAX]),
        (customer.id_number, papers.id_number.strip().upper()[:NAME_CHARS_MAX]),
    )
    name_fits, number_fits = (hmac.compare_digest(_bytes(known), _bytes(given)) for known, given in pairs)
    return name_fits and number_fits


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
