"""What a judge of log-ins is told, gathered from the security log, the devices and the places seen before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.identity.devices import Devices
from banking_core.identity.keys import Fingerprints
from banking_core.identity.login_risk import LoginSubject
from banking_core.identity.models import KnownPlace, SecurityEvent
from banking_core.identity.origin import Origin, place_of
from banking_core.inserts import insert_if_absent

FAILURES = ("login_password_wrong", "login_locked", "login_while_locked", "login_proof_refused")
FAILURES_SINCE = timedelta(days=1)
LOGINS_SINCE = timedelta(days=180)
LOGINS_MAX = 100
PLACE_KEPT = timedelta(days=180)


class LoginFacts:
    """Reads for the judge, and remembers places. Never commits."""

    def __init__(self, clock: Clock, devices: Devices, fingerprints: Fingerprints) -> None:
        self._clock = clock
        self._devices = devices
        self._fingerprints = fingerprints

    async def gather(self, session: AsyncSession, customer_id: str, origin: Origin) -> LoginSubject:
        """What is known at this moment of a log-in with the right password."""
        now = self._clock.now()
        device = await self._devices.known(session, customer_id, origin)
        return LoginSubject(
            customer_id=customer_id,
            at=now,
            origin=origin,
            device_known=device is not None or not origin.device,
            device_trusted=self._devices.is_trusted(device),
            place_known=await self._place_known(session, customer_id, origin, now),
            logins=tuple(await self._logins(session, customer_id, now)),
            failures=await self._failures(session, customer_id, now),
        )

    async def remember_place(self, session: AsyncSession, customer_id: str, origin: Origin) -> None:
        """A log-in from here was finished."""
        key = self._place_key(customer_id, origin)
        if key is None:
            return
        now = self._clock.now()
        values = {"key": key, "customer_id": customer_id, "last_seen_at": now}
        if not await insert_if_absent(session, KnownPlace, values, unique="key"):
            place = await session.get(KnownPlace, key)
            assert place is not None, "inserted, or present before"
            place.last_seen_at = now

    async def _place_known(
        self, session: AsyncSession, customer_id: str, origin: Origin, now: datetime
    ) -> bool:
        key = self._place_key(customer_id, origin)
        if key is None:
            return True
        place = await session.get(KnownPlace, key)
        return place is not None and now - place.last_seen_at < PLACE_KEPT

    async def _logins(self, session: AsyncSession, customer_id: str, now: datetime) -> Sequence[datetime]:
        statement = (
            select(SecurityEvent.at)
            .where(
                SecurityEvent.customer_id == customer_id,
                SecurityEvent.at > now - LOGINS_SINCE,
                SecurityEvent.kind == "login_ok",
            )
            .order_by(SecurityEvent.at.desc())
            .limit(LOGINS_MAX)
        )
        return (await session.scalars(statement)).all()

    async def _failures(self, session: AsyncSession, customer_id: str, now: datetime) -> int:
        statement = (
            select(func.count())
            .select_from(SecurityEvent)
            .where(
                SecurityEvent.customer_id == customer_id,
                SecurityEvent.at > now - FAILURES_SINCE,
                SecurityEvent.kind.in_(FAILURES),
            )
        )
        return int(await session.scalar(statement) or 0)

    def _place_key(self, customer_id: str, origin: Origin) -> str | None:
        place = place_of(origin.address)
        return self._fingerprints.of("place", customer_id, place) if place else None
