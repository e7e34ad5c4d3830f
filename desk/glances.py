"""What each agent was shown lately. A list refreshes itself: its lines are noted when they are new to its reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from banking_core.clock import Clock

KEPT = timedelta(hours=12)
KEPT_MAX = 20_000


class Glances:
    """Kept by each process for itself: after a restart, lines are noted once more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown: dict[tuple[str, str], datetime] = {}

    def new(self, agent_id: str, lines: Iterable[str]) -> list[str]:
        """Those of the lines that this agent was not shown within the last twelve hours, in order."""
        since = self._clock.now() - KEPT
        return [line for line in lines if self._shown.get((agent_id, line), since) <= since]

    def noted(self, agent_id: str, lines: Iterable[str]) -> None:
        """They are in the audit trail now; what is too old, or too much, is forgotten."""
        now = self._clock.now()
        for line in lines:
            self._shown.pop((agent_id, line), None)
            self._shown[agent_id, line] = now
        while self._shown:
            oldest = next(iter(self._shown))
            if len(self._shown) <= KEPT_MAX and self._shown[oldest] > now - KEPT:
                return
            del self._shown[oldest]
