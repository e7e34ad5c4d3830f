"""A network with a temper: each packet takes its own time, by a seeded model on a clock of its own."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

SPACING_MS = 20.0


@dataclass(frozen=True)
class Arrival:
    """A packet reaches us."""

    at_ms: float
    number: int


def arrivals(
    count: int, *, jitter_ms: float, lost: float = 0.0, seed: int = 1, fifo: bool = False
) -> list[Arrival]:
    """Packets sent every 20 ms, each delayed by 0 to `jitter_ms`, `lost` of them not at all, as they arrive.

    A `fifo` network queues: who is delayed delays those behind, and nobody overtakes.
    """
    draw = random.Random(f"{seed} {jitter_ms} {lost}")
    came, queue_ms = [], 0.0
    for number in range(count):
        delayed_ms = number * SPACING_MS + draw.uniform(0.0, jitter_ms)
        if draw.random() < lost:
            continue
        queue_ms = max(queue_ms, delayed_ms) if fifo else delayed_ms
        came.append(Arrival(queue_ms, number))
    return sorted(came, key=lambda arrival: arrival.at_ms)


def in_order(numbers: Iterable[int]) -> bool:
    """Whether each is greater than the one before."""
    return all(a < b for a, b in pairwise(numbers))
