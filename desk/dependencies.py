"""What the desk's application is built from."""

from __future__ import annotations

from dataclasses import dataclass, field

from banking_core.clock import Clock
from banking_core.complaints import Complaints
from banking_core.storage import Database
from desk.limits import DeskLimits
from desk.ports import (
    AnswersPort,
    CallsPort,
    HubPort,
    NoAnswers,
    NoCalls,
    NoLimits,
    NoPictures,
    PicturesPort,
    ReachPort,
)
from desk.service import Desk


@dataclass(frozen=True)
class DeskDependencies:
    """Everything `build_desk_app` needs; `desk` is the very object the hub knows as its staffing.

    `allowed_origins` are further origins ("https://bank.example") that count as our own, `trusted_proxies`
    the addresses whose X-Forwarded-For is believed, `beat_s` how often an open page is a sign of life and how
    often vanished agents are looked for.
    """

    desk: Desk
    hub: HubPort
    db: Database
    clock: Clock
    secure_cookies: bool = False
    beat_s: float = 15.0
    allowed_origins: frozenset[str] = frozenset()
    trusted_proxies: frozenset[str] = frozenset()
    limits: DeskLimits = field(default_factory=DeskLimits)
    complaints: Complaints | None = None
    calls: CallsPort = field(default_factory=NoCalls)
    answers: AnswersPort = field(default_factory=NoAnswers)
    reach: ReachPort = field(default_factory=NoLimits)
    pictures: PicturesPort = field(default_factory=NoPictures)
