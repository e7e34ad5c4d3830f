"""Token buckets: so many at once, then so many a second, per key."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from banking_core.clock import Clock

KEYS_MAX = 50_000  # the least recently seen bucket is forgotten first, so memory is bounded


@dataclass(frozen=True)
class Rate:
    """`burst` at once, then `per_s` every second."""

    burst: int
    per_s: float


class TokenBuckets:
    """One bucket per key, all with the same rate; time comes from the clock."""

    def __init__(self, clock: Clock, rate: Rate, *, keys_max: int = KEYS_MAX) -> None:
        assert rate.burst >= 1 and rate.per_s > 0, "a bucket that never fills lets nobody in"
        self._clock, self._rate, self._keys_max = clock, rate, keys_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, at (s)

    def wait_s(self, key: str) -> float:
        """Seconds until `key` may take one; 0 when it may now. Takes nothing."""
        return max(0.0, (1.0 - self._tokens(key)) / self._rate.per_s)

    def take(self, key: str) -> None:
        """Takes one token; only after `wait_s` gave 0."""
        self._buckets[key] = (self._tokens(key) - 1.0, self._clock.now().timestamp())
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)

    def attempt(self, key: str) -> float:
        """Takes one and gives 0, or takes nothing and gives the seconds to wait."""
        wait_s = self.wait_s(key)
        if wait_s == 0.0:
            self.take(key)
        return wait_s

    def _tokens(self, key: str) -> float:
        tokens, at = self._buckets.get(key, (float(self._rate.burst), 0.0))
        elapsed_s = max(0.0, self._clock.now().timestamp() - at)
        return min(float(self._rate.burst), tokens + elapsed_s * self._rate.per_s)
