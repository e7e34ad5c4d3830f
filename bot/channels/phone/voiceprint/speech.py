"""Where speech is in a piece of audio, and that speech alone at one level: what every encoder is fed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 8000
FRAME: Final = 160  # samples: 20 ms
MARGIN_FRAMES: Final = 3
JUDGED_FROM_S: Final = 1.2  # less speech is too little to judge a voice by
LEVEL: Final = 0.05  # root mean square of speech, where full scale is 1
_RANGE_DB: Final = 35.0
_ABOVE_NOISE_DB: Final = 9.0
_BELOW_PEAK_DB: Final = 15.0
_FLOOR_DB: Final = -66.0  # of full scale; nothing quieter is speech
_FULL_SCALE: Final = 32768.0


def levels_db(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Level of each whole frame of `samples` (int16 scale), in dB of full scale."""
    count = len(samples) // FRAME
    frames = np.asarray(samples[: count * FRAME], np.float64).reshape(count, FRAME) / _FULL_SCALE
    frames = frames - frames.mean(axis=1, keepdims=True)
    return np.asarray(10.0 * np.log10((frames**2).mean(axis=1) + 1e-10))


def active(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Which frames hold speech, judged by level alone, each with a margin around it."""
    level = levels_db(samples)
    if not len(level):
        return np.zeros(0, np.bool_)
    loud, quiet = float(np.percentile(level, 95)), float(np.percentile(level, 10))
    limit = max(loud - _RANGE_DB, min(quiet + _ABOVE_NOISE_DB, loud - _BELOW_PEAK_DB), _FLOOR_DB)
    heard = level > limit
    near = np.convolve(heard, np.ones(2 * MARGIN_FRAMES + 1, np.int64), mode="same")
    return np.asarray(near > 0, np.bool_)


def spoken(samples: NDArray[Any]) -> NDArray[np.float32]:
    """The frames with speech joined, at LEVEL; empty where there are none. `samples` are 8 kHz, int16 scale."""
    mask = active(samples)
    frames = np.asarray(samples[: len(mask) * FRAME], np.float32).reshape(len(mask), FRAME)
    joined = frames[mask].reshape(-1) / np.float32(_FULL_SCALE)
    if not len(joined):
        return joined
    return at_level(joined)


def at_level(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Speech without its mean, at LEVEL. `wave` is not empty."""
    centred = wave - wave.mean()
    power = float(np.sqrt((centred.astype(np.float64) ** 2).mean()))
    return np.asarray(centred * np.float32(LEVEL / max(power, 1e-6)), np.float32)
