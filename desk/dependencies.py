"""What the desk's application is built from."""

from __future__ import annotations

from dataclasses import dataclass, field

from banking_core.clock import Clock
from banking_core.complaints import Complaints
from banking_core.storage import Database
from bot.surfaces.origin import Trust
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

    `beat_s` is how often an open page is a sign of life and how
    often vanished agents are looked for.
    """

    desk: Desk
    hub: HubPort
    db: Database
    clock: Clock
    trust: Trust = field(default_factory=Trust)
    beat_s: float = 15.0
    limits: DeskLimits = field(default_factory=DeskLimits)
    complaints: Complaints | None = None
    calls: CallsPort = field(default_factory=NoCalls)
    answers: AnswersPort = field(default_factory=NoAnswers)
    reach: ReachPort = field(default_factory=NoLimits)
    pictures: PicturesPort = field(default_factory=NoPictures)
