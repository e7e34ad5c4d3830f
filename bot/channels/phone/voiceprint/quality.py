"""What a recording is worth before anybody's voice is looked for in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from bot.channels.phone.voiceprint.embedding import SpeakerEncoder
from bot.channels.phone.voiceprint.encoders import at_rate
from bot.channels.phone.voiceprint.speech import FRAME, RATE_HZ, active, levels_db

Code = Literal["ok", "too_short", "too_quiet", "clipped", "noisy", "not_speech", "two_voices"]
SPEECH_MIN_S: Final = 1.2
LEVEL_MIN_DB: Final = -50.0  # of full scale
CLIPPED_MAX: Final = 0.01  # of the samples of speech
CLIPPED_FROM: Final = 32000
SNR_MIN_DB: Final = 8.0
VOICED_MIN: Final = 0.4  # of the frames that are loud enough
WINDOW_S: Final = 1.6
SAME_MIN: Final = 0.0  # cosine of two windows of one recording
_AGGRESSIVENESS: Final = 1


@dataclass(frozen=True, slots=True)
class Quality:
    """`code` names the first thing that is wrong; figures are of the speech found. `alike` is None if not measured."""

    code: Code
    speech_s: float
    level_db: float
    snr_db: float
    clipped: float
    voiced: float
    alike: float | None = None

    @property
    def good(self) -> bool:
        """Whether the voice in it may be judged."""
        return self.code == "ok"


def measure(pcm: NDArray[np.int16], rate_hz: int, encoder: SpeakerEncoder | None = None) -> Quality:
    """Of mono audio; with an `encoder` it is also asked whether one voice speaks throughout."""
    samples = at_rate(pcm, rate_hz)
    mask, level = active(samples), levels_db(samples)
    if not mask.any():
        return Quality("too_short", 0.0, -100.0, 0.0, 0.0, 0.0)
    frames = samples[: len(mask) * FRAME].reshape(-1, FRAME)
    loud = float(10 * np.log10((10 ** (level[mask] / 10)).mean()))
    quiet = float(np.percentile(level, 5))
    clipped = float((np.abs(frames[mask]) >= CLIPPED_FROM).mean())
    speech_s = float(mask.sum()) * FRAME / RATE_HZ
    voiced = _voiced(frames[mask])
    figures = (speech_s, loud, loud - quiet, clipped, voiced)
    code = _first(*figures)
    return Quality(code, *figures)


def _first(speech_s: float, level_db: float, snr_db: float, clipped: float, voiced: float) -> Code:
    faults: tuple[tuple[bool, Code], ...] = (
        (level_db < LEVEL_MIN_DB, "too_quiet"),
        (voiced < VOICED_MIN, "not_speech"),
        (speech_s < SPEECH_MIN_S, "too_short"),
        (clipped > CLIPPED_MAX, "clipped"),
        (snr_db < SNR_MIN_DB, "noisy"),
    )
    return next((code for wrong, code in faults if wrong), "ok")


def _voiced(frames: NDArray[np.float32]) -> float:
    """The share that WebRTC's detector takes for a voice."""
    detector = webrtcvad.Vad(_AGGRESSIVENESS)
    pcm = np.clip(frames, -32768, 32767).astype("<i2")
    return float(np.mean([detector.is_speech(one.tobytes(), RATE_HZ) for one in pcm]))
