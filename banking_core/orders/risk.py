"""The port through which orders are judged. The risk area implements `OrderRisk` and is plugged in with
`Orders.use_risk`; without it every order is judged `allow` and only the handler's own step-up holds.

It is asked when an order is drafted, so that the read-back can say what proof will be needed, and again, with
the customer's row locked, right before it is carried out. What each verdict does:

    verdict   at draft                                   at execution
    allow     nothing                                    the order is carried out
    step_up   the order's step-up is raised              carried out if the factors are among the proofs, else
                                                         the order stays confirmed with its step-up raised
    delay     nothing yet (asked again at execution)     the order waits until `until`, then is asked again with
                                                         `waited` set; a second delay counts as allow
    block     the order fails, nothing moves             the order fails, nothing moves
    human     the order stays a draft for an agent       the order stays confirmed for an agent

An order held for an agent goes on once a person has vouched for it (`Orders.vouch`): the customer confirms it, with a
code, and a second `human` counts as allow.

A verdict never lowers the step-up that the handler itself asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.orders.types import StepUp

VerdictKind = Literal["allow", "step_up", "delay", "block", "human"]
Factor = Literal["otp", "voice"]
Phase = Literal["draft", "execute"]
TEXT_LENGTH_MAX = 200
REASONS_MAX = 20

FACTORS_OF: dict[str, frozenset[str]] = {
    "none": frozenset(),
    "otp": frozenset({"otp"}),
    "otp_voice": frozenset({"otp", "voice"}),
}


@dataclass(frozen=True)
class RiskSubject:
    """What is judged. `body` is the normalised order body; `context` is what the caller knows of the moment.

    `context` holds JSON values such as device id, address, signals of the conversation; the pipeline passes
    it on unread. `proofs` are the factors already proved for this order. `standing` is set for a run of a
    mandate, `waited` for an order whose delay is over.
    """

    phase: Phase
    customer_id: str
    kind: str
    amount_fen: int
    fee_fen: int
    source_account_id: str | None
    body: Mapping[str, Any]
    channel: str
    conversation_id: str | None
    order_id: str
    at: datetime
    proofs: frozenset[str] = frozenset()
    standing: bool = False
    waited: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """`customer_text` is one Chinese sentence the customer may hear, `reasons` are for the operator.

    Raises ValueError when it does not say what its kind needs.
    """

    kind: VerdictKind = "allow"
    factors: frozenset[str] = frozenset()
    until: datetime | None = None
    customer_text: str = ""
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(VerdictKind) or not self.factors <= set(get_args(Factor)):
            raise ValueError("unknown verdict or factor")
        if (self.kind == "step_up") != bool(self.factors):
            raise ValueError("exactly a step_up names factors")
        if (self.kind == "delay") != (self.until is not None):
            raise ValueError("exactly a delay says until when")
        if self.until is not None and self.until.tzinfo is None:
            raise ValueError("until is naive")
        if self.kind in ("delay", "block", "human") and not self.customer_text:
            raise ValueError(f"a {self.kind} needs a sentence for the customer")
        if len(self.customer_text) > TEXT_LENGTH_MAX or len(self.reasons) > REASONS_MAX:
            raise ValueError("sentence too long or too many reasons")


class OrderRisk(Protocol):
    """Judges orders. Runs inside the caller's transaction, must be quick and must not commit."""

    async def assess(self, session: AsyncSession, subject: RiskSubject) -> Verdict:
        """The verdict on one order at one moment. Raises nothing the customer caused."""
        ...


class NoRisk:
    """Allows everything; what the bank does without a risk area."""

    async def assess(self, session: AsyncSession, subject: RiskSubject) -> Verdict:
        """Allow."""
        return Verdict()


def raised(step_up: str, factors: frozenset[str]) -> StepUp:
    """The lowest rung of the ladder that covers both a step-up and the factors asked for besides."""
    wanted = FACTORS_OF[step_up] | factors
    if not wanted:
        return "none"
    return "otp_voice" if "voice" in wanted else "otp"
