"""Where the time of a caller's turn goes, as Prometheus histograms in seconds, and how many calls go on."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Histogram

from bot.channels.phone.loop import Action, Ask, Event, Final, Replied, Say, TakeFinal, VoiceStopped

BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0)
PARTS = ("endpointing", "recognition", "understanding", "bank", "synthesis")


class CallMetrics:
    """Of all calls of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.parts = Histogram(
            "zhanggui_call_part_seconds",
            "Part of a caller's turn",
            ["part"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.calls = Gauge("zhanggui_calls", "Calls that go on", registry=registry)


class Stopwatch:
    """Of one call: looks on and notes how long each part of a turn took."""

    def __init__(self, metrics: CallMetrics) -> None:
        self._metrics = metrics
        self._since_s: dict[str, float] = {}

    def event(self, event: Event, now_s: float) -> None:
        """Something has happened."""
        match event:
            case VoiceStopped(silence_s):
                self._since_s["endpointing"] = now_s - silence_s
            case Final():
                self._done("recognition", now_s)
            case Replied(parse_s=parse_s):
                self._answered(parse_s, now_s)

    def action(self, action: Action, now_s: float) -> None:
        """Something is begun."""
        match action:
            case TakeFinal():
                self._done("endpointing", now_s)
                self._since_s["recognition"] = now_s
            case Ask():
                self._since_s["bank"] = now_s
            case Say():
                self._since_s["synthesis"] = now_s

    def sound(self, now_s: float) -> None:
        """The first sound of what is said is there."""
        self._done("synthesis", now_s)

    def _answered(self, parse_s: float, now_s: float) -> None:
        """What was not understanding was the bank: dialogue, transaction, and what is looked up for the voice."""
        if "bank" not in self._since_s:
            return
        if parse_s > 0:  # nothing has to be understood of a secret
            self._metrics.parts.labels("understanding").observe(parse_s)
        self._since_s["bank"] += parse_s
        self._done("bank", now_s)

    def _done(self, part: str, now_s: float) -> None:
        since_s = self._since_s.pop(part, None)
        if since_s is not None:
            self._metrics.parts.labels(part).observe(max(0.0, now_s - since_s))
