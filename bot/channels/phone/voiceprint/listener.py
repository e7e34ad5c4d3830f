"""All a caller of this package needs, by one setting: quality, voice, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.channels.phone.voiceprint import encoders
from bot.channels.phone.voiceprint.embedding import Embedding, SpeakerEncoder
from bot.channels.phone.voiceprint.quality import Quality, measure
from bot.channels.phone.voiceprint.scoring import Scorer, Verdict
from bot.channels.phone.voiceprint.template import Template


@dataclass(frozen=True, slots=True)
class Voiceprint:
    """An encoder and the scorer that fits it. Every method takes tens of milliseconds: call off the event loop."""

    encoder: SpeakerEncoder
    scorer: Scorer

    @classmethod
    def load(cls, which: str = encoders.BUNDLED) -> Voiceprint:
        """By ZHANGGUI_VOICEPRINT_MODEL. Raises VoiceprintFailed."""
        encoder = encoders.load(which)
        file = encoders.BUNDLED_FILE if which == encoders.BUNDLED else Path(which).expanduser()
        return cls(encoder, Scorer.beside(file.parent))

    @property
    def model(self) -> str:
        """Which weights; a template of others needs a new enrolment."""
        return self.encoder.model

    def quality(self, pcm: NDArray[np.int16], rate_hz: int) -> Quality:
        """Whether a recording is good enough to be judged, and what is wrong with it."""
        return measure(pcm, rate_hz, self.encoder, self.scorer.rules.alike)

    def embed(self, pcm: NDArray[Any], rate_hz: int) -> Embedding:
        """The voice. Raises NoSpeech or VoiceprintFailed."""
        return self.encoder.embed(pcm, rate_hz)

    def enrol(self, embeddings: Sequence[Embedding], now: datetime) -> Template:
        """Raises VoicesDiffer."""
        return self.scorer.enrol(embeddings, now)

    def score(self, enrolment: Template, embedding: Embedding, now: datetime) -> Verdict:
        """Raises OtherModel."""
        return self.scorer.score(enrolment, embedding, now)

    def adapt(self, enrolment: Template, embedding: Embedding, now: datetime) -> Template:
        """Only after proofs that do not rest on the voice."""
        return self.scorer.adapt(enrolment, embedding, now)
