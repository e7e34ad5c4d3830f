"""Whether one voice speaks throughout: the voice window by window."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.channels.phone.voiceprint.embedding import SpeakerEncoder
from bot.channels.phone.voiceprint.speech import RATE_HZ

WINDOW_S: Final = 1.5
HOP_S: Final = 0.75


def alike(speech: NDArray[np.float32], encoder: SpeakerEncoder) -> float:
    """The least cosine between windows of speech alone at 8 kHz; 1 where there is only one window."""
    size, hop = int(WINDOW_S * RATE_HZ), int(HOP_S * RATE_HZ)
    starts = range(0, len(speech) - size + 1, hop)
    if len(starts) < 2:
        return 1.0
    voices = np.stack([encoder.vector(speech[at : at + size]) for at in starts])
    return float((voices @ voices.T).min())
