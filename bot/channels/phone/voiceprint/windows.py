"""Whether one voice speaks throughout: the voice before a place against the voice after it, at two places.

Each side is as long as can be had, because a voice is known the better the longer it speaks; for the same reason the
least that one voice is alike itself rises with the length. The speech is embedded in three parts, and a side of two
parts is their mean: as good as embedding each side anew, at half the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.channels.phone.voiceprint.embedding import SpeakerEncoder, unit
from bot.channels.phone.voiceprint.speech import RATE_HZ

CUTS: Final = (0.35, 0.65)
SIDE_MIN_S: Final = 0.8  # less says too little of a voice
SPEECH_S_RANGE: Final = (2.5, 6.0)  # beyond it the least was not measured


@dataclass(frozen=True, slots=True)
class AlikeRule:
    """The least cosine of one voice, a line of the logarithm of the seconds of speech."""

    at_1_s: float
    per_log_s: float

    def least(self, speech_s: float) -> float:
        """Less is two voices."""
        return self.at_1_s + self.per_log_s * float(np.log(np.clip(speech_s, *SPEECH_S_RANGE)))


NO_RULE: Final = AlikeRule(-1.0, 0.0)


def alike(speech: NDArray[np.float32], encoder: SpeakerEncoder) -> float:
    """The least cosine between both sides of a place in speech alone at 8 kHz; 1 where a side would be too short."""
    first, last = (round(len(speech) * cut) for cut in CUTS)
    if min(first, len(speech) - last) < SIDE_MIN_S * RATE_HZ:
        return 1.0
    parts = [speech[:first], speech[first:last], speech[last:]]
    start, middle, end = (encoder.vector(part) * np.float32(len(part)) for part in parts)
    return min(float(unit(start) @ unit(middle + end)), float(unit(start + middle) @ unit(end)))
