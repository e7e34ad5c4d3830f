"""What follows a log-in that was odd: the customer is told, and after a very odd one no money moves.

A restriction is lifted by an agent who has called the customer; the task for it is filed here.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.customers.service import Customers
from banking_core.identity.callbacks import Callbacks, NoCallbacks
from banking_core.identity.login_risk import REASON_NAMES
from banking_core.identity.models import LoginAttempt
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import Origin
from banking_core.money_text import mask_name
from banking_core.restrictions import Restrictions

CALL = (
    "高风险登录，请回电核实是否客户本人操作（{why}，{where}）。核实是本人再解除限制，不是本人请立即锁定账户。"
)


class LoginAftermath:
    """Never commits."""

    def __init__(
        self, clock: Clock, customers: Customers, restrictions: Restrictions, notices: SecurityNotices
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._restrictions = restrictions
        self._notices = notices
        self.callbacks: Callbacks = NoCallbacks()

    async def follow(self, session: AsyncSession, attempt: LoginAttempt, origin: Origin) -> None:
        """Does what the tier asks for after the last proof."""
        assert attempt.customer_id is not None, "a finished log-in is somebody's"
        if attempt.tier == "none":
            return
        why = "、".join(REASON_NAMES[name] for name in attempt.reasons if name in REASON_NAMES) or "异常情况"
        where = origin.device_name or "未知设备"
        what = f"您的账户有一次登录（{where}，{why}）"
        if attempt.tier == "high":
            customer = await self._customers.get(session, attempt.customer_id)
            called = "view_only" in await self._restrictions.kinds(session, customer.id)
            await self._restrictions.lay(session, customer.id, "view_only", reason="high-risk login")
            what += "，为了安全已暂停转账、缴费等资金操作，同事会给您打电话核实"
            if not called:  # one call is enough
                await self.callbacks.ask_for(
                    session,
                    customer_id=customer.id,
                    phone=customer.phone,
                    what=f"客户{mask_name(customer.name)}：" + CALL.format(why=why, where=where),
                )
        await self._notices.tell(session, attempt.customer_id, what, self._clock.now())
