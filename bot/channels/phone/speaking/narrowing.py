"""A voice's own samples as telephone audio."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import resample_poly

from bot.channels.phone.audio import SAMPLE_RATE_HZ


def narrowed(samples: np.ndarray[Any, Any], from_hz: int) -> bytes:
    """16-bit samples of any rate as PCM of `audio`."""
    if not len(samples):
        return b""
    narrow = resample_poly(samples.astype(np.float64), SAMPLE_RATE_HZ, from_hz)
    return bytes(np.clip(np.rint(narrow), -32768, 32767).astype("<i2").tobytes())
