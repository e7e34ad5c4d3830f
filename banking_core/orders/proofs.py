"""Which proofs an order still needs, and when a voice beside a log-in by code is enough.

Proofs are `otp` (a code for this very order), `voice` (right digits in the right voice, for this very order),
`possession` (the log-in of this visit was proved by a code to the phone or by the app) and `password` (that log-in
was proved by the password too). A voice alone never moves money.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.orders.limits import used_today_fen
from banking_core.orders.models import Order
from banking_core.orders.risk import FACTORS_OF

Proof = Literal["otp", "voice", "possession", "password"]
NO_CODE_NEEDED: frozenset[str] = frozenset({"voice", "possession"})


@dataclass(frozen=True)
class VoiceStandsIn:
    """Up to which amounts a voice beside a log-in by code stands in for a code: at once, and in a day with all else.

    `by_password`: kinds of order for which a log-in by password stands in for the voice.
    """

    once_fen: int = 0
    day_fen: int = 0
    by_password: frozenset[str] = frozenset()


NEVER = VoiceStandsIn()


async def missing_factors(
    session: AsyncSession,
    clock: Clock,
    order: Order,
    proofs: Collection[str],
    bounds: VoiceStandsIn = NEVER,
) -> frozenset[str]:
    """What must still be proved before the order may be carried out."""
    if order.mandate_id:
        return frozenset()
    given = frozenset(proofs)
    missing = FACTORS_OF[order.step_up] - given
    if "password" in given and order.kind in bounds.by_password:
        missing -= {"voice"}
    if "otp" in missing and given >= NO_CODE_NEEDED and await voice_suffices(session, clock, order, bounds):
        return missing - {"otp"}
    if "voice" in given and not given & {"otp", "possession"}:
        return missing | {"otp"}
    return missing


async def voice_suffices(session: AsyncSession, clock: Clock, order: Order, bounds: VoiceStandsIn) -> bool:
    """Whether a voice beside a log-in by code is enough: little money, and the risk engine has asked for nothing."""
    total_fen = order.amount_fen + order.fee_fen
    if not 0 < total_fen <= bounds.once_fen or order.risk_verdict == "step_up" or order.limit_group is None:
        return False
    used_fen = await used_today_fen(session, order.customer_id, order.limit_group, clock.now())
    return used_fen + total_fen <= bounds.day_fen
