"""Everything one decision looks at, gathered before the first feature is computed. No SQL below this line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from banking_core.risk.profile import Profile

Subject = Literal["order", "login"]
SIGNAL_MAX = 10_000.0
PHRASE_CATEGORIES = (
    "safe_account",
    "officials",
    "brushing",
    "screen_share",
    "code_sharing",
    "refund",
    "boss",
    "loan_fee",
    "investment",
    "relative",
    "romance",
    "secrecy",
    "coaching",
)


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """Who it is, without name or number."""

    created_at: datetime
    birth_date: date
    level: str = "standard"
    accounts: int = 1


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The paying account."""

    kind: str = "current"
    available_fen: int = 0
    opened_on: date = date(2020, 1, 1)
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class PayeeFacts:
    """Whom the money goes to; `key` and `name_key` are fingerprints."""

    key: str = ""
    name_key: str = ""
    other_bank: bool = False
    own_account: bool = False
    book_created_at: datetime | None = None
    has_nickname: bool = False
    book_size: int = 0
    senders_1d: int = 0  # other customers who paid the same account, counted up to a bound
    senders_7d: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Device and place; empty means unknown. `network` is a fingerprint of the /24 or /48, `place` a coarse one."""

    device: str = ""
    device_bound: bool = False
    device_customers_30d: int = 0  # other customers seen with it
    network: str = ""
    network_customers_1d: int = 0
    place: str = ""
    abroad: bool = False
    proxy: bool = False
    session_started_at: datetime | None = None
    mobile: bool = False


@dataclass(frozen=True, slots=True)
class Signals:
    """How the conversation went: counts only, never words. Seconds are between a question and its answer."""

    turns: float = 0.0
    corrections: float = 0.0
    amount_corrections: float = 0.0
    payee_corrections: float = 0.0
    digressions: float = 0.0
    clarifications: float = 0.0
    silences: float = 0.0  # answers that took longer than a minute
    answer_s_mean: float = 0.0
    answer_s_max: float = 0.0
    answer_s_last: float = 0.0
    typing_cps: float = 0.0  # characters per second, 0 when unknown
    chars_mean: float = 0.0
    elapsed_s: float = 0.0
    cancelled: float = 0.0
    human_asked: float = 0.0
    code_failures: float = 0.0
    code_resends: float = 0.0
    enquiries: float = 0.0  # questions about scams, not stories of one
    phrases: Mapping[str, float] = field(default_factory=dict)  # by category

    @classmethod
    def read(cls, data: Any) -> Signals:
        """Whatever a caller sent: numbers are bounded, everything else is ignored."""
        if not isinstance(data, Mapping):
            return cls()
        values = {name: _number(data.get(name)) for name in SIGNAL_NAMES}
        said = data.get("phrases")
        phrases = {}
        if isinstance(said, Mapping):
            phrases = {name: _number(said.get(name)) for name in PHRASE_CATEGORIES if name in said}
        return cls(**values, phrases=phrases)


SIGNAL_NAMES = tuple(name for name in Signals.__dataclass_fields__ if name != "phrases")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        return SIGNAL_MAX
    return min(max(number, 0.0), SIGNAL_MAX) if math.isfinite(number) else 0.0


@dataclass(frozen=True, slots=True)
class RiskContext:
    """One order or log-in at one moment."""

    at: datetime
    customer: CustomerFacts
    profile: Profile
    subject: Subject = "order"
    kind: str = "transfer"
    phase: Literal["draft", "execute"] = "draft"
    amount_fen: int = 0
    fee_fen: int = 0
    channel: str = "web"
    account: AccountFacts | None = None
    payee: PayeeFacts | None = None
    surroundings: Surroundings = Surroundings()
    signals: Signals = Signals()
    proofs: int = 0
    standing: bool = False
    waited: bool = False
