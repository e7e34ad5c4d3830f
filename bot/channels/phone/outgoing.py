"""What is still to be said on one call: frames and marks in order, each let out when its time has come.

Sound leaves at the pace it is heard, a little ahead. So what was played is known to 20 ms, and an interruption
finds nothing on its way that it could not stop.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from bot.channels.phone.audio import FRAME_MS, FRAME_S, Framer

QUEUE_FRAMES_MAX: Final = 5 * 60 * 1000 // FRAME_MS  # nobody listens longer than five minutes
TOLERANCE_S: Final = FRAME_S / 4  # who comes a little early does not wait for a whole frame
CATCH_UP_S: Final = 0.1  # after a stall at most this much leaves at once; the rest keeps its pace


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the sound that somebody waits for."""

    name: str


class Outgoing:
    """A queue of sound with a pace. Pure: it is told the time."""

    def __init__(self, *, lead_frames: int = 2) -> None:
        assert lead_frames >= 0, "the lead is a number of frames"
        self._lead_s = lead_frames * FRAME_S
        self._queue: deque[bytes | Mark] = deque()
        self._framer = Framer()
        self._next_s = float("-inf")  # when the frame at the head is heard
        self._ran_dry = True
        self.said_ms = 0

    def __len__(self) -> int:
        """Frames and marks that wait."""
        return len(self._queue)

    def put(self, pcm: bytes) -> None:
        """Sound behind everything else; what goes beyond the limit is not taken."""
        for frame in self._framer.feed(pcm):
            if len(self._queue) < QUEUE_FRAMES_MAX:
                self._queue.append(frame)

    def mark(self, name: str) -> None:
        """A mark behind everything else; a broken last frame is filled up first."""
        self._queue.extend([*self._framer.flush(), Mark(name)])

    def clear(self) -> None:
        """Drops all of it, marks too."""
        self._queue.clear()
        self._framer.drop()

    def due(self, now_s: float) -> list[bytes | Mark]:
        """What leaves now, in order."""
        self._next_s = max(self._next_s, now_s if self._ran_dry else now_s - CATCH_UP_S)
        out: list[bytes | Mark] = []
        while self._queue:
            head = self._queue[0]
            if isinstance(head, bytes):
                if self._next_s - self._lead_s > now_s + TOLERANCE_S:
                    break
                self._next_s += FRAME_S
                self.said_ms += FRAME_MS
            elif (
                self._next_s > now_s + TOLERANCE_S
            ):  # the mark is reached when the sound before it has been heard
                break
            out.append(self._queue.popleft())
        self._ran_dry = not self._queue
        return out
