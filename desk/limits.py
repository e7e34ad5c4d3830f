"""How much one agent and one address may ask of the desk."""

from __future__ import annotations

from dataclasses import dataclass

from banking_core.clock import Clock
from bot.surfaces.rates import Rate, TokenBuckets


@dataclass(frozen=True)
class DeskLimits:
    """The desk's limits. Log-ins count per address (one office shares one), everything else per agent."""

    logins_address: Rate = Rate(20, 1 / 3)
    reads_agent: Rate = Rate(60, 10.0)
    writes_agent: Rate = Rate(30, 3.0)
    reports_agent: Rate = Rate(20, 0.5)  # board, its export, the audit trail: each reads much
    sockets_agent: Rate = Rate(15, 0.5)
    open_sockets_agent_max: int = 6
    text_chars_max: int = 500
    note_chars_max: int = 200


class Limiters:
    """All limiters of one running desk."""

    def __init__(self, clock: Clock, limits: DeskLimits) -> None:
        self.logins = TokenBuckets(clock, limits.logins_address)
        self.reads = TokenBuckets(clock, limits.reads_agent)
        self.writes = TokenBuckets(clock, limits.writes_agent)
        self.reports = TokenBuckets(clock, limits.reports_agent)
        self.sockets = TokenBuckets(clock, limits.sockets_agent)
