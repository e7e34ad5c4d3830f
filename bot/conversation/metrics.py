"""Where the time of a turn goes, as Prometheus histograms in seconds."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
PARTS = ("parse", "dialogue", "bank")


class TurnMetrics:
    """parse: the NLU service; bank: the database within the turn; dialogue: the rest of the turn."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.parts = Histogram(
            "zhanggui_turn_part_seconds", "Part of a turn", ["part"], buckets=BUCKETS_S, registry=registry
        )
        self.turns = Counter("zhanggui_turns_total", "Turns by what was done", ["action"], registry=registry)
        self.failures = Counter(
            "zhanggui_turn_failures_total", "Turns that failed", ["code"], registry=registry
        )

    def observe(self, parts_ms: dict[str, float], action: str) -> None:
        """Counts one turn; `action` is cut to its first word so that the label set stays small."""
        for part in PARTS:
            self.parts.labels(part).observe(parts_ms.get(part, 0.0) / 1000)
        self.turns.labels(action.split(":", maxsplit=1)[0] or "none").inc()
