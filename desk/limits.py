"""Token buckets: so many at once, then so many a second."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from banking_core.clock import Clock

KEYS_MAX = 10_000  # the least recently used bucket is forgotten first, so memory is bounded


@dataclass(frozen=True)
class Rate:
    """`burst` at once, then `per_s` every second."""

    burst: int
    per_s: float


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


class Limiter:
    """One bucket per key, all with the same rate; time comes from the clock."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        assert rate.burst >= 1 and rate.per_s > 0, "a bucket that never fills lets nobody in"
        self._clock, self._rate = clock, rate
        self._full_at: OrderedDict[str, float] = OrderedDict()  # when the bucket will be full again, epoch s

    def wait_s(self, key: str) -> float:
        """Takes one and gives 0, or takes nothing and gives the seconds to wait."""
        now_s = self._clock.now().timestamp()
        full_at_s = max(self._full_at.get(key, now_s), now_s) + 1 / self._rate.per_s
        over_s = full_at_s - now_s - self._rate.burst / self._rate.per_s
        if over_s > 1e-6:
            return over_s
        self._full_at[key] = full_at_s
        self._full_at.move_to_end(key)
        while len(self._full_at) > KEYS_MAX:
            self._full_at.popitem(last=False)
        return 0.0


class Limiters:
    """All limiters of one running desk."""

    def __init__(self, clock: Clock, limits: DeskLimits) -> None:
        self.logins = Limiter(clock, limits.logins_address)
        self.reads = Limiter(clock, limits.reads_agent)
        self.writes = Limiter(clock, limits.writes_agent)
        self.reports = Limiter(clock, limits.reports_agent)
        self.sockets = Limiter(clock, limits.sockets_agent)
