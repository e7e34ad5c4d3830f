"""The rule that holds orders to the restrictions of their customer."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import BANK_ZONE, Clock
from banking_core.configuration import Terms
from banking_core.money_text import fen_to_yuan_text
from banking_core.orders.models import Order
from banking_core.orders.states import COUNTED
from banking_core.orders.types import GuardSubject
from banking_core.restrictions.errors import CustomerFrozen, CustomerRestricted
from banking_core.restrictions.models import Restriction
from banking_core.restrictions.service import Restrictions

# What makes an account safer may always be done.
PROTECTING = frozenset({"security_lock", "card_report_loss"})
ONCE_TERM = "identity.low_limit_once_yuan"
DAY_TERM = "identity.low_limit_day_yuan"
DAY = timedelta(days=1)


class RestrictionGuard:
    """Asked at drafting and again at execution."""

    def __init__(self, clock: Clock, terms: Terms, restrictions: Restrictions) -> None:
        self._clock = clock
        self._restrictions = restrictions
        self._once_fen = terms.fen(ONCE_TERM)
        self._day_fen = terms.fen(DAY_TERM)

    async def check(self, session: AsyncSession, subject: GuardSubject) -> None:
        """Raises CustomerFrozen, CustomerRestricted."""
        if subject.kind in PROTECTING:
            return
        found = {row.kind: row for row in await self._restrictions.active(session, subject.customer_id)}
        if "frozen" in found:
            raise CustomerFrozen("the customer is frozen")
        if "view_only" in found:
            raise CustomerRestricted("view only")
        if "low_limits" in found and subject.moves_money:
            await self._check_low_limits(session, subject, found["low_limits"])

    async def _check_low_limits(
        self, session: AsyncSession, subject: GuardSubject, restriction: Restriction
    ) -> None:
        left_fen = max(0, self._day_fen - await self._moved_fen(session, subject.customer_id))
        if subject.amount_fen <= min(self._once_fen, left_fen):
            return
        if subject.amount_fen > self._once_fen:
            what = f"单笔最多{fen_to_yuan_text(self._once_fen)}"
        else:
            what = f"24小时内合计最多{fen_to_yuan_text(self._day_fen)}，现在还可以办理{fen_to_yuan_text(left_fen)}"
        raise CustomerRestricted(
            "low limits",
            customer_text=f"您刚找回过登录信息，为了安全，{_until(restriction.until)}{what}。这笔没有办理，钱没有动。"
            "着急请回复“转人工”。",
        )

    async def _moved_fen(self, session: AsyncSession, customer_id: str) -> int:
        """What left the customer's accounts within the last 24 hours, whatever the kind of order."""
        statement = select(func.sum(Order.amount_fen)).where(
            Order.customer_id == customer_id,
            Order.source_account_id.is_not(None),
            Order.authorised_at > self._clock.now() - DAY,
            Order.status.in_(COUNTED),
        )
        return int(await session.scalar(statement) or 0)


def _until(until: datetime | None) -> str:
    if until is None:
        return ""
    at = until.astimezone(BANK_ZONE)
    return f"{at.month}月{at.day}日{at:%H:%M}前"
