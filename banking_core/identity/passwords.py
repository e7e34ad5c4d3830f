"""Passwords: argon2id, with pauses after repeated wrong tries that grow and outlive a restart.

Wrong tries are counted per phone number whether or not it belongs to a customer, and per address; a hash is
computed either way: neither the answer nor its time tells a stranger who banks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import AnyText, checked
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.models import Customer
from banking_core.customers.service import PHONE, Customers
from banking_core.identity.attempts import refuse_attempts
from banking_core.identity.devices import Devices
from banking_core.identity.errors import PasswordSame
from banking_core.identity.guards import guard_of, locked_guard
from banking_core.identity.hashing import PasswordHashes
from banking_core.identity.keys import Fingerprints
from banking_core.identity.lockout import Lockout
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import AttemptGuard, PasswordCredential
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin, line_of
from banking_core.identity.sessions import Sessions
from banking_core.identity.strength import LENGTH_MAX, check_strength

TRIES_TERM = "identity.password_tries"
PAUSE_TERM = "identity.login_pause_minutes"
ADDRESS_TRIES_TERM = "identity.address_tries"
ADDRESS_PAUSE_TERM = "identity.address_pause_minutes"
ADDRESS_FORGET_TERM = "identity.address_forget_minutes"


@dataclass(frozen=True)
class PasswordOutcome:
    """`tries_left` before the next pause; `locked_until` only when locked; `customer_id` only when ok.

    `locked_what` says whose pause it is: the phone number's, or the address's for everybody behind it.
    """

    kind: Literal["ok", "wrong", "locked"]
    customer_id: str | None
    tries_left: int
    locked_until: datetime | None
    locked_what: Literal["phone", "address"] = "phone"


@checked
class Passwords:
    """Setting, changing and checking passwords. Never commits: commit after `verify` whatever its outcome."""

    def __init__(
        self,
        *,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        security_log: SecurityLog,
        fingerprints: Fingerprints,
        notices: SecurityNotices,
        hashes: PasswordHashes,
        sessions: Sessions,
        devices: Devices,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._log = security_log
        self._fingerprints = fingerprints
        self._notices = notices
        self._hashes = hashes
        self._sessions = sessions
        self._devices = devices
        self._lockout = Lockout.of_terms(terms, TRIES_TERM, PAUSE_TERM)
        self._address_lockout = Lockout.of_terms(
            terms,
            ADDRESS_TRIES_TERM,
            ADDRESS_PAUSE_TERM,
            forget_after=timedelta(minutes=terms.integer(ADDRESS_FORGET_TERM)),
        )

    async def set(
        self, session: AsyncSession, customer_id: str, password: AnyText, *, origin: Origin = NOWHERE
    ) -> None:
        """Sets or replaces the password and ends every other log-in; raises PasswordTooWeak, CustomerNotFound."""
        await refuse_attempts(session, customer_id)
        customer = await self._customers.lock(session, customer_id)
        check_strength(password, customer)
        await self._store(session, customer, password, origin)

    async def change(
        self, session: AsyncSession, customer_id: str, old: AnyText, new: AnyText, *, origin: Origin = NOWHERE
    ) -> PasswordOutcome:
        """The customer gives the old password and a new one; a wrong old one counts as a try to log in.

        Every log-in but the asking one ends, and no device is trusted any more.
        Raises PasswordTooWeak, PasswordSame, CustomerNotFound; then nothing has changed.
        """
        customer = await self._customers.get(session, customer_id)
        outcome = await self.verify(session, customer.phone, old, origin=origin)
        if outcome.kind != "ok":
            return outcome
        check_strength(new, customer)
        credential = await session.get(PasswordCredential, customer_id)
        if credential is not None and await self._hashes.fits(credential.password_hash, new):
            raise PasswordSame("the new password is the old one", field="password")
        await refuse_attempts(session, customer_id)
        await self._store(session, customer, new, origin)
        await self._notices.tell(session, customer_id, "您的登录密码已修改", self._clock.now())
        return outcome

    async def verify(
        self, session: AsyncSession, phone: str, password: AnyText, *, origin: Origin = NOWHERE
    ) -> PasswordOutcome:
        """Checks a password. The number of wrong tries is part of the session's work."""
        if PHONE.fullmatch(phone) is None:
            return PasswordOutcome("wrong", None, self._lockout.tries_max, None)
        guard = await locked_guard(session, self._phone_key(phone))
        customer = await self._customers.by_phone(session, phone)
        customer_id = customer.id if customer is not None and customer.status == "active" else None
        now = self._clock.now()
        paused = await self._paused(session, guard, origin, now)
        if paused is not None:
            await self._note(session, "login_while_locked", "locked", customer_id, phone, origin)
            return paused
        credential = await session.get(PasswordCredential, customer_id) if customer_id else None
        known = credential.password_hash if credential is not None else None
        if not await self._hashes.fits(known, password[: LENGTH_MAX + 1]):
            return await self._wrong(session, guard, phone, customer_id, origin, now)
        assert credential is not None
        if self._hashes.is_outgrown(credential.password_hash):
            credential.password_hash = await self._hashes.make(password)
        self._lockout.forget(guard)
        await self._note(session, "login_password_ok", "ok", customer_id, phone, origin)
        return PasswordOutcome("ok", customer_id, self._lockout.tries_max, None)

    async def forgive(self, session: AsyncSession, phone: str) -> None:
        """The customer has proved who they are in another way: wrong tries and the pause are forgotten."""
        self._lockout.forget(await locked_guard(session, self._phone_key(phone)))

    async def _paused(
        self, session: AsyncSession, guard: AttemptGuard, origin: Origin, now: datetime
    ) -> PasswordOutcome | None:
        """The pause under way, of the phone number or of the address.

        The address's row is only read: locked, it would make everybody behind it wait for each other's hash. So
        guesses made at the same moment may exceed its limit by as many as run at once.
        """
        if until := self._lockout.locked_until(guard, now):
            return PasswordOutcome("locked", None, 0, until)
        line = line_of(origin.address)
        address = await guard_of(session, self._address_key(line)) if line else None
        if address is not None and (until := self._address_lockout.locked_until(address, now)):
            return PasswordOutcome("locked", None, 0, until, "address")
        return None

    async def _wrong(
        self,
        session: AsyncSession,
        guard: AttemptGuard,
        phone: str,
        customer_id: str | None,
        origin: Origin,
        now: datetime,
    ) -> PasswordOutcome:
        tries_left = self._lockout.count_wrong(guard, now)
        if line := line_of(origin.address):
            self._address_lockout.count_wrong(await locked_guard(session, self._address_key(line)), now)
        if tries_left:
            await self._note(session, "login_password_wrong", "wrong", customer_id, phone, origin)
            return PasswordOutcome("wrong", None, tries_left, None)
        until = guard.locked_until
        assert until is not None, "no tries left begins a pause"
        pause_s = int((until - now).total_seconds())
        await self._note(session, "login_locked", "locked", customer_id, phone, origin, {"pause_s": pause_s})
        if customer_id is not None:
            what = "您的登录密码连续输错，登录已暂停一段时间"
            await self._notices.tell(session, customer_id, what, now)
        return PasswordOutcome("locked", None, 0, until)

    async def _store(self, session: AsyncSession, customer: Customer, password: str, origin: Origin) -> None:
        password_hash = await self._hashes.make(password)
        credential = await session.get(PasswordCredential, customer.id)
        if credential is None:
            credential = PasswordCredential(customer_id=customer.id)
            session.add(credential)
        credential.password_hash = password_hash
        credential.changed_at = self._clock.now()
        await self._sessions.end_all(
            session, customer.id, "security", but=origin.session_id or None, origin=origin
        )
        await self._devices.distrust_all(session, customer.id, origin=origin)
        await self._note(session, "password_set", "ok", customer.id, customer.phone, origin)

    async def _note(
        self,
        session: AsyncSession,
        kind: str,
        outcome: str,
        customer_id: str | None,
        phone: str,
        origin: Origin,
        detail: dict[str, int] | None = None,
    ) -> None:
        await self._log.record(
            session,
            kind,
            customer_id=customer_id,
            phone=phone,
            outcome=outcome,
            origin=origin,
            detail=detail,
        )

    def _phone_key(self, phone: str) -> str:
        return self._fingerprints.of("login_phone", phone)

    def _address_key(self, line: str) -> str:
        return self._fingerprints.of("login_address", line)
