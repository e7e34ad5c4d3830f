"""An account in a stranger's hands: everything is locked at once, and only a person who has made sure opens it.

Methods never commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.customers.service import Customers
from banking_core.identity.attempts import refuse_attempts
from banking_core.identity.devices import Devices
from banking_core.identity.log import SecurityLog
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.identity.otp import OneTimeCodes
from banking_core.identity.sessions import Sessions
from banking_core.restrictions import Restrictions


@checked
class Takeovers:
    """Freezing and releasing customers."""

    def __init__(
        self,
        *,
        clock: Clock,
        customers: Customers,
        security_log: SecurityLog,
        sessions: Sessions,
        devices: Devices,
        otp: OneTimeCodes,
        restrictions: Restrictions,
        notices: SecurityNotices,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._log = security_log
        self._sessions = sessions
        self._devices = devices
        self._otp = otp
        self._restrictions = restrictions
        self._notices = notices

    async def freeze(
        self, session: AsyncSession, customer_id: str, *, reason: str, origin: Origin = NOWHERE
    ) -> None:
        """No log-in, no order, no open code; every log-in ends and no device is trusted. Freezing twice is fine.

        Raises CustomerNotFound.
        """
        await self._customers.get(session, customer_id)
        frozen = "frozen" in await self._restrictions.kinds(session, customer_id)
        await refuse_attempts(session, customer_id)
        await self._restrictions.lay(session, customer_id, "frozen", reason=reason)
        await self._sessions.end_all(session, customer_id, "security", origin=origin)
        await self._devices.distrust_all(session, customer_id, origin=origin)
        await self._otp.void_all(session, customer_id)
        if frozen:
            return
        await self._log.record(
            session, "account_frozen", customer_id=customer_id, outcome="ok", origin=origin
        )
        what = "您的账户已保护性锁定，登录和资金操作都已停止，请带身份证到网点或致电客服解锁"
        await self._notices.tell(session, customer_id, what, self._clock.now())

    async def release(
        self, session: AsyncSession, customer_id: str, *, by: str, grounds: str
    ) -> Sequence[str]:
        """A person has made sure who the customer is: every restriction is lifted. Returns the kinds that were on.

        `by` answers for it, `grounds` says what was checked.
        """
        lifted = await self._restrictions.lift(session, customer_id, by=by, grounds=grounds)
        if lifted:
            await self._log.record(session, "account_released", customer_id=customer_id, outcome="ok")
            what = "您的账户限制已经解除，可以正常使用"
            await self._notices.tell(session, customer_id, what, self._clock.now())
        return lifted
