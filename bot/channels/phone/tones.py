"""Tones that need no voice. Who waits hears a short soft one now and then.

The busy tone is the one of Chinese exchanges: 450 Hz, 0.35 s on, 0.35 s off.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bot.channels.phone.audio import SAMPLE_RATE_HZ

_HZ, _PART_S, _TIMES, _LOUDNESS = 450, 0.35, 5, 6000
_HOLD_S, _HOLD_LOUDNESS = 0.4, 1000

BUSY_TONE_S: Final = 2 * _PART_S * _TIMES


def _busy_tone() -> bytes:
    seconds = np.arange(int(SAMPLE_RATE_HZ * _PART_S)) / SAMPLE_RATE_HZ
    sound = np.sin(2 * np.pi * _HZ * seconds) * _LOUDNESS
    once = np.concatenate([sound, np.zeros_like(sound)]).astype("<i2")
    return np.tile(once, _TIMES).tobytes()


def _hold_tone() -> bytes:
    """A soft tone that swells and fades: no click, nothing that sounds like the end of the call."""
    seconds = np.arange(int(SAMPLE_RATE_HZ * _HOLD_S)) / SAMPLE_RATE_HZ
    swell = np.sin(np.pi * seconds / _HOLD_S)
    return (np.sin(2 * np.pi * _HZ * seconds) * swell * _HOLD_LOUDNESS).astype("<i2").tobytes()


BUSY_TONE: Final = _busy_tone()
HOLD_TONE: Final = _hold_tone()
