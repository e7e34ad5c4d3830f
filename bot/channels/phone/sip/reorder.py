"""Puts packets of sound in order. Pure, and without a clock: time is counted in packets.

What comes in order is handed on at once: nobody here plays to a loudspeaker, so nothing is held back in advance.
Behind a gap packets wait until the missing one comes, or is further behind than any that came lately. So a steady
line costs no delay, and a shaky one loses little after its first surprise.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from aiortp.jitterbuffer import JitterFrame
from aiortp.packet import RtpPacket

DEPTH_MIN: Final = 2
DEPTH_FIRST: Final = 3
DEPTH_MAX: Final = 8  # 160 ms: who is later than that is not waited for
REMEMBERED: Final = 500  # packets, ten seconds: how long a surprise is remembered
JUMP: Final = 100  # so far from what is expected a packet begins anew
LOST_TOLD_MAX: Final = 10  # more than a fifth of a second is not made up
_WRAP: Final = 1 << 16


class Reorder:
    """In the place of the library's jitter buffer: `add` and `mark_non_media`, then `pop` until there is nothing."""

    def __init__(self) -> None:
        self.lost = self.late = 0
        self._next: int | None = None  # the packet that is waited for
        self._newest = 0
        self._held: dict[int, RtpPacket | None] = {}  # None is no sound: a key, or comfort noise
        self._overtaken: deque[int] = deque(maxlen=REMEMBERED)
        self._gap = 0  # lost packets before the next frame

    def reset(self) -> None:
        """Another source."""
        self._next, self._gap = None, 0
        self._held.clear()

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """A packet of sound, and the first frame that is ready now."""
        self._place(packet.sequence_number, packet)
        return False, self.pop()

    def mark_non_media(self, sequence_number: int) -> JitterFrame | None:
        """A packet that is no sound but counts among them."""
        self._place(sequence_number, None)
        return self.pop()

    def pop(self) -> JitterFrame | None:
        """The next frame, or None while the next packet is waited for."""
        while self._held and self._next is not None:
            if self._next not in self._held:
                if _ahead(self._newest, self._next) <= self.depth:
                    return None
                self.lost += 1
                self._gap += 1
                self._step()
                continue
            packet = self._held.pop(self._next)
            self._step()
            if packet is not None:
                gap, self._gap = min(self._gap, LOST_TOLD_MAX), 0
                return JitterFrame(packet.payload, packet.timestamp, gap)
        return None

    @property
    def depth(self) -> int:
        """How far behind the newest packet one may be before it is given up."""
        return min(DEPTH_MAX, max(DEPTH_MIN, *self._overtaken)) if self._overtaken else DEPTH_FIRST

    def _place(self, number: int, packet: RtpPacket | None) -> None:
        if self._next is None or abs(_ahead(number, self._next)) >= JUMP:
            self._held.clear()
            self._next, self._newest, self._gap = number, number, 0
        by = max(0, _ahead(self._newest, number))
        if number != self._newest:
            self._overtaken.append(min(by, DEPTH_MAX))
        if by == 0:
            self._newest = number
        if _ahead(number, self._next) < 0:
            self.late += 1  # given up already, or here for the second time
            return
        self._held.setdefault(number, packet)

    def _step(self) -> None:
        assert self._next is not None, "there is something to be waited for"
        self._next = (self._next + 1) % _WRAP


def _ahead(number: int, of: int) -> int:
    """How far a sequence number lies before another, negative when behind; numbers wrap."""
    return (number - of + _WRAP // 2) % _WRAP - _WRAP // 2
