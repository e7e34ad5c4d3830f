"""Telephone audio at the rate a model wants, and a wideband line's at the telephone's."""

from __future__ import annotations

from math import gcd
from typing import Any, Final

import numpy as np
from scipy.signal import firwin, lfilter

TAPS_PER_STEP: Final = 24


class Resampler:
    """From one whole rate to another, piece by piece without seams."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        steps = max(self._up, self._down)
        self._taps = (
            firwin(2 * TAPS_PER_STEP * steps + 1, 0.95 / steps) * self._up if steps > 1 else np.ones(1)
        )
        self.reset()

    def reset(self) -> None:
        """Forgets what went before."""
        self._state: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(len(self._taps) - 1)
        self._phase = 0

    def feed(self, pcm: bytes) -> bytes:
        """16-bit samples in, 16-bit samples out."""
        if self._up == self._down == 1:
            return pcm
        samples = np.frombuffer(pcm, "<i2")
        spread = np.zeros(len(samples) * self._up)
        spread[:: self._up] = samples
        smooth, self._state = lfilter(self._taps, 1.0, spread, zi=self._state)
        kept = smooth[self._phase :: self._down]
        self._phase = (self._phase - len(smooth)) % self._down
        return bytes(np.clip(np.rint(kept), -32768, 32767).astype("<i2").tobytes())
