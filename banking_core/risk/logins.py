"""The risk engine as a judge of log-ins, beside the bank's own points: the higher tier of the two holds."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core import identity
from banking_core.checked import checked
from banking_core.identity.login_risk import REASONS_MAX, TIERS, LoginRisk, Tier
from banking_core.orders.risk import VerdictKind
from banking_core.risk.gathering import LoginSubject
from banking_core.risk.service import Risk

# A log-in cannot wait for an hour like a payment: what would be delayed is looked into, and moves no money meanwhile.
TIER_OF: Mapping[VerdictKind, Tier] = {
    "allow": "none",
    "step_up": "medium",
    "delay": "high",
    "human": "high",
    "block": "high",
}


@checked
class JudgedLogins:
    """See `identity.LoginRisk`. The engine's reasons are for the operator, the points' are told to the customer too."""

    def __init__(self, risk: Risk, points: LoginRisk) -> None:
        self._risk = risk
        self._points = points

    async def assess(self, session: AsyncSession, subject: identity.LoginSubject) -> identity.LoginVerdict:
        """See `identity.LoginRisk`; the engine's verdict is written down like any other."""
        by_points = await self._points.assess(session, subject)
        origin = subject.origin
        context = {
            "device": origin.device,
            "device_bound": subject.device_known,
            "address": origin.address,
        }
        by_engine = await self._risk.assess_login(
            session, LoginSubject(subject.customer_id, origin.channel, subject.at, context=context)
        )
        tier = max(by_points.tier, TIER_OF[by_engine.kind], key=TIERS.index)
        return identity.LoginVerdict(tier, (*by_points.reasons, *by_engine.reasons)[:REASONS_MAX])
