"""The port through which log-ins are judged, and the rules that judge them until another judge is plugged in.

`Identity.logins.use_risk` plugs in a judge, as `Orders.use_risk` does for orders. It is asked once per log-in, after
the right password and before anything else is asked for. What each tier does:

    tier     device the customer trusts    any other device                      besides
    none     password                      password, code                        -
    low      password                      password, code                        the customer is told
    medium   password, code                password, code, end of the ID number  the customer is told
    high     password, code, end of ID     password, code, end of the ID number  the customer is told, no money
                                                                                 moves until an agent has called

A tier never lowers what the device itself asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.clock import BANK_ZONE
from banking_core.configuration import Terms
from banking_core.identity.origin import Origin

Tier = Literal["none", "low", "medium", "high"]
TIERS: tuple[Tier, ...] = get_args(Tier)
REASONS_MAX = 20

# What a reason of the rules below is called when the customer is told.
REASON_NAMES = {
    "new_device": "新设备",
    "new_place": "新的网络环境",
    "unusual_hour": "不常用的时间",
    "failures": "多次输错密码之后",
}


@dataclass(frozen=True)
class LoginSubject:
    """What is judged. `logins` are the times of earlier finished log-ins, the newest first, at most 100.

    `failures` counts what was wrong within 24 hours: passwords, codes, ends of ID numbers. A device or a place
    that is unknown because the channel knows of none counts as known.
    """

    customer_id: str
    at: datetime
    origin: Origin
    device_known: bool
    device_trusted: bool
    place_known: bool
    logins: tuple[datetime, ...]
    failures: int


@dataclass(frozen=True)
class LoginVerdict:
    """`reasons` are for the operator; those of REASON_NAMES are told to the customer too."""

    tier: Tier = "none"
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise ValueError("unknown tier")
        if len(self.reasons) > REASONS_MAX:
            raise ValueError("too many reasons")


class LoginRisk(Protocol):
    """Judges log-ins. Runs inside the caller's transaction, must be quick and must not commit."""

    async def assess(self, session: AsyncSession, subject: LoginSubject) -> LoginVerdict:
        """The verdict on one log-in. Raises nothing the customer caused."""
        ...


@checked
class LoginRules:
    """Points for what is new or odd; the tier by their sum. Every figure is a term of the bank (`login_risk`)."""

    def __init__(self, terms: Terms) -> None:
        def number(name: str) -> int:
            return terms.integer(f"login_risk.{name}")

        self._points = {reason: number(f"{reason}_points") for reason in REASON_NAMES}
        self._thresholds = {tier: number(f"{tier}_points") for tier in TIERS[1:]}
        self._failures_times = number("failures_times")
        self._night = range(number("night_from_hour"), number("night_until_hour"))
        self._habit_times = number("habit_times")

    async def assess(self, session: AsyncSession, subject: LoginSubject) -> LoginVerdict:
        """See `LoginRisk`."""
        odd = {
            "new_device": not subject.device_known,
            "new_place": bool(subject.logins) and not subject.place_known,
            "unusual_hour": self._is_unusual_hour(subject),
            "failures": subject.failures >= self._failures_times,
        }
        reasons = tuple(reason for reason, holds in odd.items() if holds)
        points = sum(self._points[reason] for reason in reasons)
        reached = [tier for tier, threshold in self._thresholds.items() if points >= threshold]
        return LoginVerdict(reached[-1] if reached else "none", reasons)

    def _is_unusual_hour(self, subject: LoginSubject) -> bool:
        """At night, unless the customer has the habit."""
        if subject.at.astimezone(BANK_ZONE).hour not in self._night:
            return False
        nights = sum(at.astimezone(BANK_ZONE).hour in self._night for at in subject.logins)
        return nights < self._habit_times


def needs_of(tier: Tier, *, device_trusted: bool, code: str) -> list[str]:
    """What is asked for after the password, in order; `code` is otp, or totp with a bound app."""
    steps_of: dict[Tier, int] = {"none": 0, "low": 0, "medium": 1, "high": 2}
    steps = steps_of[tier] if device_trusted else max(1, steps_of[tier] + 1)
    return [code, "id_tail"][:steps]
