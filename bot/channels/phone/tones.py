"""Tones that need no voice. The busy tone is the one of Chinese exchanges: 450 Hz, 0.35 s on, 0.35 s off."""

from __future__ import annotations

from typing import Final

import numpy as np

from bot.channels.phone.audio import SAMPLE_RATE_HZ

_HZ, _PART_S, _TIMES, _LOUDNESS = 450, 0.35, 5, 6000

BUSY_TONE_S: Final = 2 * _PART_S * _TIMES


def _busy_tone() -> bytes:
    seconds = np.arange(int(SAMPLE_RATE_HZ * _PART_S)) / SAMPLE_RATE_HZ
    sound = np.sin(2 * np.pi * _HZ * seconds) * _LOUDNESS
    once = np.concatenate([sound, np.zeros_like(sound)]).astype("<i2")
    return np.tile(once, _TIMES).tobytes()


BUSY_TONE: Final = _busy_tone()
