"""What an encoder gives and what it is: the port behind which every speaker model stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A voice as a unit vector (float32), comparable only with those of the same `model`."""

    vector: NDArray[np.float32]
    model: str
    speech_s: float


class SpeakerEncoder(Protocol):
    """Turns speech into a voice. Thread-safe; takes tens of milliseconds, so call it off the event loop."""

    @property
    def model(self) -> str:
        """Which weights: templates of other weights cannot be compared."""
        ...

    def embed(self, pcm: NDArray[np.int16], rate_hz: int) -> Embedding:
        """The voice in mono audio. Raises NoSpeech if there is next to none, VoiceprintFailed if the model breaks."""
        ...

    def vector(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """The unit vector of speech alone at 8 kHz, as `encoders.speech_of` gives it. Raises VoiceprintFailed."""
        ...


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """At length one."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
