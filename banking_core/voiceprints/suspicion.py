"""Somebody spoke in the customer's name: what follows is not over with the call, nor with the order it was about.

It is a restriction (`voice_suspected`) and holds for orders by voice: each goes to a human, whatever else could be
proved. Raised by whoever had logged in it lasts until an agent has made sure; before a log-in, when only the number
that the line reports speaks for the caller, some hours, so that a made-up number cannot shut a customer out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.customers.service import Customers
from banking_core.identity.callbacks import Callbacks, NoCallbacks
from banking_core.identity.log import SecurityLog
from banking_core.identity.notices import SecurityNotices
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.money_text import mask_name
from banking_core.orders.risk import RiskSubject, Verdict
from banking_core.restrictions import RestrictionKind, Restrictions

KIND: RestrictionKind = "voice_suspected"
VOICE_CHANNELS: Collection[str] = frozenset({"phone"})
Why = Literal["foreign", "replayed"]
WHY: dict[Why, str] = {"foreign": "两次都明显不是本人的声音", "replayed": "放的是以前的录音"}
HELD_TEXT = "为了您的资金安全，这笔业务要请同事和您核实一下，钱没有动。"
HELD_REASON = "声纹核实失败：来电的声音不是客户本人或是录音，还没有人工核实过"
TOLD = "有一次来电的声音和您的声纹对不上，为了安全，电话里的业务先由人工核实"
CALL = (
    "声纹核实失败（{why}），电话业务已转人工。手机可能不在本人手里：请用证件和账户情况核实，不要只靠验证码。"
    "核实是本人再解除限制，不是本人请立即锁定账户。"
)


class VoiceSuspicion:
    """Raised, asked for, and taken back by a person. Never commits."""

    def __init__(
        self,
        clock: Clock,
        customers: Customers,
        restrictions: Restrictions,
        log: SecurityLog,
        notices: SecurityNotices,
        *,
        unproved_life: timedelta,
    ) -> None:
        self._clock, self._customers, self._restrictions = clock, customers, restrictions
        self._log, self._notices, self._unproved_life = log, notices, unproved_life
        self.callbacks: Callbacks = NoCallbacks()

    async def stands(self, session: AsyncSession, customer_id: str) -> bool:
        """Whether nobody has made sure yet."""
        return KIND in await self._restrictions.kinds(session, customer_id)

    async def rises(
        self, session: AsyncSession, customer_id: str, why: Why, *, proved: bool, origin: Origin = NOWHERE
    ) -> None:
        """Holds the customer's orders by voice channels; the first time the customer is told and a call asked for.

        `proved`: the caller had logged in before. Raises CustomerNotFound.
        """
        customer = await self._customers.lock(session, customer_id)
        stood, now = await self.stands(session, customer_id), self._clock.now()
        until = None if proved else now + self._unproved_life
        await self._restrictions.lay(session, customer_id, KIND, reason=f"voice {why}", until=until)
        await self._log.record(
            session, "voice_suspected", customer_id=customer_id, outcome=why, origin=origin
        )
        if stood:
            return
        await self._notices.tell(session, customer_id, TOLD, now)
        what = f"客户{mask_name(customer.name)}：" + CALL.format(why=WHY[why])
        await self.callbacks.ask_for(session, customer_id=customer_id, phone=customer.phone, what=what)

    async def ends(self, session: AsyncSession, customer_id: str, *, by: str, grounds: str) -> bool:
        """A person has made sure who the customer is. `by` answers for it, `grounds` says what was checked.

        False when there was nothing to take back. Raises CustomerNotFound.
        """
        lifted = await self._restrictions.lift(session, customer_id, by=by, grounds=grounds, kinds=[KIND])
        if lifted:
            await self._log.record(session, "voice_trusted", customer_id=customer_id, outcome="ok")
        return bool(lifted)

    async def held(self, session: AsyncSession, subject: RiskSubject) -> Verdict | None:
        """A `risk.Hold`: what is asked for by voice meanwhile waits for a human."""
        by_voice = subject.channel in VOICE_CHANNELS or subject.context.get("on_call") is True
        if subject.standing or not by_voice or not await self.stands(session, subject.customer_id):
            return None
        return Verdict("human", customer_text=HELD_TEXT, reasons=(HELD_REASON,))
