"""Passwords: argon2id, with a pause after repeated wrong tries that grows and outlives a restart.

Wrong tries are counted per phone number whether or not it belongs to a customer, and a hash is computed
either way: neither the answer nor its time tells a stranger who banks here.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import PHONE, Customers
from banking_core.identity.errors import PasswordTooWeak
from banking_core.identity.guards import locked_guard
from banking_core.identity.keys import Fingerprints
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import AttemptGuard, PasswordCredential

LENGTH_MIN = 8
LENGTH_MAX = 64
TRIES_TERM = "identity.password_tries"
LOCK_HOURS_TERM = "identity.login_lock_hours"
LOCK_FIRST = timedelta(minutes=15)
LOCK_GROWTH = 4  # 15 min, 1 h, 4 h ... up to the term


@dataclass(frozen=True)
class PasswordOutcome:
    """`tries_left` before the next pause; `locked_until` only when locked; `customer_id` only when ok."""

    kind: Literal["ok", "wrong", "locked"]
    customer_id: str | None
    tries_left: int
    locked_until: datetime | None


class Passwords:
    """Setting and checking passwords. Never commits: commit after `verify` whatever its outcome."""

    def __init__(
        self,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        security_log: SecurityLog,
        fingerprints: Fingerprints,
        *,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._log = security_log
        self._fingerprints = fingerprints
        self._hasher = hasher or PasswordHasher()
        self._tries_max = terms.integer(TRIES_TERM)
        self._lock_max = timedelta(hours=terms.integer(LOCK_HOURS_TERM))
        self._decoy_hash: str | None = None

    async def set(self, session: AsyncSession, customer_id: str, password: str) -> None:
        """Sets or replaces the password; raises PasswordTooWeak, CustomerNotFound."""
        customer = await self._customers.get(session, customer_id)
        check_strength(password, customer.phone)
        password_hash = await asyncio.to_thread(self._hasher.hash, password)
        credential = await session.get(PasswordCredential, customer_id)
        if credential is None:
            credential = PasswordCredential(customer_id=customer_id)
            session.add(credential)
        credential.password_hash = password_hash
        credential.changed_at = self._clock.now()
        await self._log.record(session, "password_set", customer_id=customer_id, phone=customer.phone)

    async def verify(self, session: AsyncSession, phone: str, password: str) -> PasswordOutcome:
        """Checks a password. The number of wrong tries is part of the session's work."""
        if PHONE.fullmatch(phone) is None:
            return PasswordOutcome("wrong", None, self._tries_max, None)
        guard = await locked_guard(session, self._fingerprints.of("login_phone", phone))
        customer = await self._customers.by_phone(session, phone)
        customer_id = customer.id if customer is not None and customer.status == "active" else None
        now = self._clock.now()
        if guard.locked_until is not None and now < guard.locked_until:
            await self._log.record(session, "login_while_locked", customer_id=customer_id, phone=phone)
            return PasswordOutcome("locked", None, 0, guard.locked_until)
        credential = await session.get(PasswordCredential, customer_id) if customer_id else None
        if await self._matches(credential, password) and customer_id is not None:
            assert credential is not None
            await self._renew_hash(credential, password)
            guard.wrong_count, guard.lock_count, guard.locked_until = 0, 0, None
            await self._log.record(session, "login_password_ok", customer_id=customer_id, phone=phone)
            return PasswordOutcome("ok", customer_id, self._tries_max, None)
        return await self._wrong(session, guard, phone, customer_id, now)

    async def _wrong(
        self, session: AsyncSession, guard: AttemptGuard, phone: str, customer_id: str | None, now: datetime
    ) -> PasswordOutcome:
        guard.wrong_count += 1
        tries_left = self._tries_max - guard.wrong_count
        if tries_left > 0:
            guard.locked_until = None
            await self._log.record(session, "login_password_wrong", customer_id=customer_id, phone=phone)
            return PasswordOutcome("wrong", None, tries_left, None)
        pause = min(LOCK_FIRST * LOCK_GROWTH ** min(guard.lock_count, 8), self._lock_max)
        guard.wrong_count = 0
        guard.lock_count += 1
        guard.locked_until = now + pause
        detail = {"pause_s": int(pause.total_seconds())}
        await self._log.record(session, "login_locked", customer_id=customer_id, phone=phone, detail=detail)
        return PasswordOutcome("locked", None, 0, guard.locked_until)

    async def _renew_hash(self, credential: PasswordCredential, password: str) -> None:
        """A hash made with other parameters than today's is made anew while the password is at hand."""
        if self._hasher.check_needs_rehash(credential.password_hash):
            credential.password_hash = await asyncio.to_thread(self._hasher.hash, password)

    async def _matches(self, credential: PasswordCredential | None, password: str) -> bool:
        if self._decoy_hash is None:
            self._decoy_hash = await asyncio.to_thread(self._hasher.hash, "decoy")
        known = self._decoy_hash if credential is None else credential.password_hash
        try:
            matches = await asyncio.to_thread(self._hasher.verify, known, password[: LENGTH_MAX + 1])
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
        return matches and credential is not None


def check_strength(password: str, phone: str) -> None:
    """Raises PasswordTooWeak unless there are letters, digits and symbols, and not the phone number."""
    right_length = LENGTH_MIN <= len(password) <= LENGTH_MAX
    has_all = all(re.search(pattern, password) for pattern in (r"[A-Za-z]", r"[0-9]", r"[^A-Za-z0-9]"))
    if not right_length or not has_all or phone in password:
        raise PasswordTooWeak("the password breaks the rules", field="password")
