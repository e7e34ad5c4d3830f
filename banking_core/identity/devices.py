"""The phones and browsers a customer logs in with: bound by their first log-in, trusted when the customer says so.

Trust is for a time, and saves the text message at an ordinary log-in; see `logins`. Methods never commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import AnyText, checked
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.identity.errors import DeviceNameInvalid, DeviceUnknown
from banking_core.identity.keys import Fingerprints
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import Device
from banking_core.identity.origin import DEVICE_NAME_CHARS_MAX, NOWHERE, Origin
from banking_core.identity.sessions import Sessions
from banking_core.inserts import insert_if_absent
from banking_core.storage import new_id

NAME_CHARS_MAX = 20
UNNAMED = "未知设备"
MAX_TERM = "identity.devices_max"
TRUST_TERM = "identity.device_trust_days"


@checked
class Devices:
    """Binding, trusting, naming, unbinding."""

    def __init__(
        self,
        *,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        sessions: Sessions,
        security_log: SecurityLog,
        fingerprints: Fingerprints,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._sessions = sessions
        self._log = security_log
        self._fingerprints = fingerprints
        self._devices_max = terms.integer(MAX_TERM)
        self._trust = timedelta(days=terms.integer(TRUST_TERM))

    async def known(self, session: AsyncSession, customer_id: str, origin: Origin) -> Device | None:
        """The bound device a request comes from, or None."""
        if not origin.device:
            return None
        statement = select(Device).where(
            Device.key == self._key(customer_id, origin.device), Device.unbound_at.is_(None)
        )
        return await session.scalar(statement)

    async def bind(self, session: AsyncSession, customer_id: str, origin: Origin) -> Device | None:
        """The device of a finished log-in, bound if it was not; None when the channel knows of no device."""
        if not origin.device:
            return None
        await self._customers.lock(session, customer_id)
        now, key = self._clock.now(), self._key(customer_id, origin.device)
        values = {
            "id": new_id(),
            "key": key,
            "customer_id": customer_id,
            "name": (origin.device_name or UNNAMED)[:DEVICE_NAME_CHARS_MAX],
            "first_seen_at": now,
            "last_seen_at": now,
        }
        fresh = await insert_if_absent(session, Device, values, unique="key")
        device = (await session.scalars(select(Device).where(Device.key == key))).one()
        if device.unbound_at is not None:
            fresh, device.unbound_at, device.first_seen_at = True, None, now
        device.last_seen_at = now
        await session.flush()
        if fresh:
            await self._log.record(session, "device_bound", customer_id=customer_id, origin=origin)
            await self._make_room(session, customer_id)
        return device

    def is_trusted(self, device: Device | None) -> bool:
        """Whether the customer's trust in it still holds."""
        return (
            device is not None
            and device.unbound_at is None
            and device.trusted_until is not None
            and self._clock.now() < device.trusted_until
        )

    async def trust(
        self, session: AsyncSession, customer_id: str, device_id: str, *, origin: Origin = NOWHERE
    ) -> Device:
        """Trusts a device from now on for the time of the terms; raises DeviceUnknown."""
        device = await self._own(session, customer_id, device_id)
        device.trusted_until = self._clock.now() + self._trust
        await self._note(session, "device_trusted", device, origin)
        return device

    async def distrust_all(
        self, session: AsyncSession, customer_id: str, *, origin: Origin = NOWHERE
    ) -> None:
        """Ends the trust in every device of a customer."""
        ended = await session.execute(
            update(Device)
            .where(Device.customer_id == customer_id, Device.trusted_until.is_not(None))
            .values(trusted_until=None)
            .returning(Device.id)
        )
        if ended.first() is not None:
            await self._log.record(session, "devices_distrusted", customer_id=customer_id, origin=origin)

    async def rename(self, session: AsyncSession, customer_id: str, device_id: str, name: AnyText) -> Device:
        """Gives a device the customer's own name; raises DeviceUnknown, DeviceNameInvalid."""
        name = name.strip()
        if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
            raise DeviceNameInvalid("device name", field="name")
        device = await self._own(session, customer_id, device_id)
        device.name = name
        await session.flush()
        return device

    async def unbind(
        self, session: AsyncSession, customer_id: str, device_id: str, *, origin: Origin = NOWHERE
    ) -> None:
        """Forgets a device and ends its log-ins; raises DeviceUnknown."""
        device = await self._own(session, customer_id, device_id)
        await self._forget(session, device, origin)

    async def bound(self, session: AsyncSession, customer_id: str) -> Sequence[Device]:
        """The bound devices, the one seen last first."""
        statement = (
            select(Device)
            .where(Device.customer_id == customer_id, Device.unbound_at.is_(None))
            .order_by(Device.last_seen_at.desc(), Device.id)
        )
        return (await session.scalars(statement)).all()

    async def _make_room(self, session: AsyncSession, customer_id: str) -> None:
        for device in (await self.bound(session, customer_id))[self._devices_max :]:
            await self._forget(session, device, NOWHERE)

    async def _forget(self, session: AsyncSession, device: Device, origin: Origin) -> None:
        device.unbound_at, device.trusted_until = self._clock.now(), None
        await session.flush()
        await self._sessions.end_of_device(session, device.id, "revoked")
        await self._note(session, "device_unbound", device, origin)

    async def _own(self, session: AsyncSession, customer_id: str, device_id: str) -> Device:
        statement = (
            select(Device)
            .where(Device.id == device_id, Device.customer_id == customer_id, Device.unbound_at.is_(None))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        device = await session.scalar(statement)
        if device is None:
            raise DeviceUnknown("no such device of this customer")
        return device

    async def _note(self, session: AsyncSession, kind: str, device: Device, origin: Origin) -> None:
        await self._log.record(
            session, kind, customer_id=device.customer_id, origin=origin, detail={"device": device.name}
        )

    def _key(self, customer_id: str, device: str) -> str:
        return self._fingerprints.of("device", customer_id, device)
