"""Whether one voice speaks throughout: the voice before a place against the voice after it, at two places.

Each side is as long as can be had, because a voice is known the better the longer it speaks; for the same reason the
least that one voice is alike itself rises with the length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.channels.phone.voiceprint.embedding import SpeakerEncoder
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
    found = 1.0
    for cut in CUTS:
        at = round(len(speech) * cut)
        if min(at, len(speech) - at) >= SIDE_MIN_S * RATE_HZ:
            found = min(found, float(encoder.vector(speech[:at]) @ encoder.vector(speech[at:])))
    return found
