"""What a recording is worth before anybody's voice is looked for in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from bot.channels.phone.voiceprint import windows
from bot.channels.phone.voiceprint.embedding import SpeakerEncoder
from bot.channels.phone.voiceprint.encoders import at_rate
from bot.channels.phone.voiceprint.speech import FRAME, JUDGED_FROM_S, RATE_HZ, active, levels_db, spoken

Code = Literal["ok", "too_short", "too_quiet", "clipped", "noisy", "not_speech", "two_voices"]
LEVEL_MIN_DB: Final = -50.0  # of full scale
CLIPPED_MAX: Final = 0.01  # of the samples of speech
CLIPPED_FROM: Final = 32000
SNR_MIN_DB: Final = 8.0
VOICED_MIN: Final = 0.4  # of the frames that are loud enough
SWING_MIN_DB: Final = 2.2  # syllables make the level swing
STEADY_MAX: Final = 0.45  # sounds of speech are over after a sixth of a second, notes are not
VARIETY_MIN: Final = 0.35  # white and pink noise stay below 0.27, dev readers at 10 dB above 0.49
_AGGRESSIVENESS: Final = 1
_LAG_FRAMES: Final = 8
_SMOOTH: Final = (5, 3)  # frames and bands over which chance is averaged out
_BANDS_HZ: Final = np.linspace(200.0, 3600.0, 35)


@dataclass(frozen=True, slots=True)
class Quality:
    """`code` names the first thing that is wrong; figures are of the speech found.

    `swing_db` is how much the level changes, `steady` how much of the sound is still there 0.16 s later (-1 to 1),
    `variety` how much the spectrum changes in shape, a natural logarithm, `alike` the least cosine between parts of the
    recording, None where it was not measured.
    """

    code: Code
    speech_s: float
    level_db: float
    snr_db: float
    clipped: float
    voiced: float
    swing_db: float
    steady: float
    variety: float
    alike: float | None = None

    @property
    def good(self) -> bool:
        """Whether the voice in it may be judged."""
        return self.code == "ok"


def measure(
    pcm: NDArray[Any],
    rate_hz: int,
    encoder: SpeakerEncoder | None = None,
    rule: windows.AlikeRule = windows.NO_RULE,
) -> Quality:
    """Of mono audio. With an `encoder`, parts less alike than the `rule` allows are two voices."""
    samples = at_rate(pcm, rate_hz)
    mask, level = active(samples), levels_db(samples)
    if not mask.any():
        return Quality("too_short", 0.0, -100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    frames = samples[: len(mask) * FRAME].reshape(-1, FRAME)
    shapes = _shapes(frames[mask])
    loud = float(10 * np.log10((10 ** (level[mask] / 10)).mean()))
    figures = (
        float(mask.sum()) * FRAME / RATE_HZ,
        loud,
        loud - float(np.percentile(level, 5)),
        float((np.abs(frames[mask]) >= CLIPPED_FROM).mean()),
        _voiced(frames[mask]),
        float(level[mask].std()),
        _steady(shapes),
        _variety(shapes),
    )
    code = _fault(*figures)
    if code != "ok" or encoder is None:
        return Quality(code, *figures)
    alike = windows.alike(spoken(samples), encoder)
    return Quality("two_voices" if alike < rule.least(figures[0]) else "ok", *figures, alike)


def _fault(
    speech_s: float,
    level_db: float,
    snr_db: float,
    clipped: float,
    voiced: float,
    swing: float,
    steady: float,
    variety: float,
) -> Code:
    monotonous = swing < SWING_MIN_DB or steady > STEADY_MAX or variety < VARIETY_MIN
    faults: tuple[tuple[bool, Code], ...] = (
        (level_db < LEVEL_MIN_DB, "too_quiet"),
        (voiced < VOICED_MIN or monotonous, "not_speech"),
        (speech_s < JUDGED_FROM_S, "too_short"),
        (clipped > CLIPPED_MAX, "clipped"),
        (snr_db < SNR_MIN_DB, "noisy"),
    )
    return next((code for wrong, code in faults if wrong), "ok")


def _voiced(frames: NDArray[np.float32]) -> float:
    """The share that WebRTC's detector takes for a voice."""
    detector = webrtcvad.Vad(_AGGRESSIVENESS)
    pcm = np.clip(frames, -32768, 32767).astype("<i2")
    return float(np.mean([detector.is_speech(one.tobytes(), RATE_HZ) for one in pcm]))


def _shapes(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames, bands): each spectrum, as natural logarithms, less its own mean and the mean of all."""
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    place = np.digitize(np.fft.rfftfreq(FRAME, 1 / RATE_HZ), _BANDS_HZ)
    bands = np.stack([power[:, place == at].sum(axis=1) for at in range(1, len(_BANDS_HZ))], axis=1)
    shape = np.log(bands + 1e3)
    shape = shape - shape.mean(axis=1, keepdims=True)
    return np.asarray(shape - shape.mean(axis=0), np.float32)


def _steady(shapes: NDArray[np.float32]) -> float:
    """How much each spectrum resembles the one _LAG_FRAMES later."""
    if len(shapes) <= 2 * _LAG_FRAMES:
        return 0.0
    now, later = shapes[:-_LAG_FRAMES], shapes[_LAG_FRAMES:]
    return float((now * later).sum() / max(float(np.sqrt((now**2).sum() * (later**2).sum())), 1e-9))


def _variety(shapes: NDArray[np.float32]) -> float:
    """How much the spectra change beyond what chance does: sounds of speech differ, moments of noise do not."""
    if len(shapes) < 2 * _SMOOTH[0]:
        return VARIETY_MIN  # too short to say
    return float(np.lib.stride_tricks.sliding_window_view(shapes, _SMOOTH).mean(axis=(2, 3)).std())
