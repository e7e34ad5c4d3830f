"""The sound of the sentence under way, for those whose sound matters: kept in memory, given away once, then gone."""

from __future__ import annotations

from collections import deque
from typing import Final

BEFORE_FRAMES: Final = 20  # 0.4 s: a sentence begins before the detector is sure of it
FRAMES_MAX: Final = 1000  # 20 s, the longest sentence there is


class Recording:
    """Of one call. Outside of a sentence it holds no more than what may be the beginning of one."""

    def __init__(self) -> None:
        self._before: deque[bytes] = deque(maxlen=BEFORE_FRAMES)
        self._sentence: list[bytes] | None = None
        self._over = False

    def feed(self, frame: bytes) -> None:
        """20 ms of what the caller says."""
        if self._sentence is None:
            self._before.append(frame)
        elif len(self._sentence) < FRAMES_MAX:
            self._sentence.append(frame)

    def voice(self) -> None:
        """A voice begins: of a new sentence, unless one is under way."""
        if self._sentence is None or self._over:
            begun = [] if self._sentence is None else self._sentence[-BEFORE_FRAMES:]
            self._sentence, self._over = begun or list(self._before), False
            self._before.clear()

    def ended(self) -> None:
        """The sentence is over; what comes next is another one."""
        self._over = True

    def take(self) -> bytes:
        """The sentence, and forgets it."""
        taken = b"".join(self._sentence or ())
        self.drop()
        return taken

    def drop(self) -> None:
        """Forgets it."""
        self._before.clear()
        self._sentence, self._over = None, False
