"""Was this very recording heard before? Fingerprints of former attempts find it again, whole or in pieces.

A fingerprint holds four bytes for each 16 ms: 23 signs (does a band, against its neighbour, gain or lose energy over
time?) and whether there is speech. Level, tone colour and codecs change few of the signs; the same words said anew
change nearly half of them. No speech and no voice can be made from it again, but it says when somebody spoke: keep it
as personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bot.channels.phone.voiceprint.encoders import at_rate
from bot.channels.phone.voiceprint.speech import FRAME, RATE_HZ, active

MAGIC: Final = b"ZFP1"
SPEECH_BIT: Final = 31
HOP: Final = 128
WINDOW: Final = 1024
STEP: Final = 6  # frames between which energies are compared
BANDS: Final = 24
BAND_HZ: Final = (250.0, 3400.0)
BLOCK: Final = 30  # frames that are looked for at once: half a second, about a digit
BLOCK_HOP: Final = 6
ACTIVE_MIN: Final = 0.6  # of a block's frames
ALIKE_MIN: Final = 0.48  # correlation of a block's signs; 1 - 2 * bit error rate
SHARE_MIN: Final = 0.3  # of the blocks
SPEEDS_PERCENT: Final = (100, 97, 103, 94, 106, 91, 109, 88, 112, 85, 115)


@dataclass(frozen=True, slots=True)
class Replay:
    """`share` of the speech that was found in former recordings, when played at `speed_percent` of this one."""

    share: float
    speed_percent: int

    @property
    def found(self) -> bool:
        """Whether so much was heard before that this is no new speech."""
        return self.share >= SHARE_MIN


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """All former recordings, one behind the other: signs of the frames, and where a block of one of them may begin."""

    signs: NDArray[np.float32]
    begins: NDArray[np.bool_]

    @classmethod
    def of(cls, fingerprints: Sequence[bytes]) -> _Heard:
        kept = [words for words in map(_bits, fingerprints) if len(words) >= BLOCK]
        if not kept:
            return cls(np.zeros((0, BANDS - 1), np.float32), np.zeros(0, np.bool_))
        begins = [np.arange(len(words)) <= len(words) - BLOCK for words in kept]
        signs = _plus_minus(np.concatenate(kept))
        return cls(signs, np.concatenate(begins)[: len(signs) - BLOCK + 1])

    @property
    def any(self) -> bool:
        return len(self.signs) > 0


def fingerprint(pcm: NDArray[Any], rate_hz: int) -> bytes:
    """Of mono audio, 250 bytes a second; the same audio gives the same bytes."""
    return MAGIC + _signs(at_rate(pcm, rate_hz)).astype("<u4").tobytes()


def is_replay(new: bytes, former: bytes) -> Replay:
    """Whether one recording is found in another. Raises ValueError for what is no fingerprint."""
    return Replay(_share(_bits(new), _Heard.of([former])), 100)


def find(pcm: NDArray[Any], rate_hz: int, formers: Sequence[bytes]) -> Replay:
    """Looks in all former recordings at once, so that pieces of several are found too, and at other speeds."""
    samples = at_rate(pcm, rate_hz)
    kept = _Heard.of(formers)
    best = Replay(0.0, 100)
    for speed in SPEEDS_PERCENT if kept.any else ():
        wave = samples if speed == 100 else resample_poly(samples, 100, speed)
        share = _share(_bits(fingerprint(wave, RATE_HZ)), kept)
        if share > best.share:
            best = Replay(share, speed)
        if best.found:
            break
    return best


def _bands() -> NDArray[np.float64]:
    """(bins, bands): equal steps of a Bark-like scale, each bin in one band."""
    low, high = (hz / (hz + 1960.0) for hz in BAND_HZ)
    edges = np.linspace(low, high, BANDS + 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    place = np.digitize(bins / (bins + 1960.0), edges) - 1
    return np.asarray((place[:, None] == np.arange(BANDS)[None]).astype(np.float64))


_BANDS: Final = _bands()
_SHAPE: Final = np.hanning(WINDOW)


def _signs(samples: NDArray[np.float32]) -> NDArray[np.uint32]:
    count = (len(samples) - WINDOW) // HOP + 1
    if count <= STEP:
        return np.zeros(0, np.uint32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][:count]
    energy = np.log((np.abs(np.fft.rfft(frames * _SHAPE, axis=1)) ** 2) @ _BANDS + 1.0)
    slope = energy[:, 1:] - energy[:, :-1]
    rising = slope[STEP:] > slope[:-STEP]
    signs = (rising.astype(np.uint64) << np.arange(BANDS - 1, dtype=np.uint64)).sum(axis=1)
    middle = (np.arange(STEP, count) * HOP + (WINDOW - STEP * HOP) // 2) // FRAME
    mask = active(samples)
    speech = mask[np.minimum(middle, len(mask) - 1)].astype(np.uint64)
    return np.asarray(signs | (speech << np.uint64(SPEECH_BIT)), np.uint32)


def _bits(fingerprint: bytes) -> NDArray[np.uint32]:
    if fingerprint[:4] != MAGIC or len(fingerprint) % 4:
        raise ValueError("not a fingerprint")
    return np.frombuffer(fingerprint[4:], "<u4").astype(np.uint32)


def _plus_minus(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """(frames, bands - 1) of -1 and 1."""
    shifted = words[:, None] >> np.arange(BANDS - 1, dtype=np.uint32)
    return np.asarray((shifted & 1).astype(np.float32) * 2 - 1)


def _share(new: NDArray[np.uint32], heard: _Heard) -> float:
    """Of the blocks of `new` that hold speech, those that were heard before."""
    starts = _spoken_starts(new)
    if not len(starts) or not heard.any:
        return 0.0
    alike = _plus_minus(new) @ heard.signs.T  # frame by frame; a block is a piece of a diagonal
    row, column = alike.strides
    width = alike.shape[1] - BLOCK + 1
    found = np.zeros(len(starts), np.bool_)
    least = ALIKE_MIN * BLOCK * (BANDS - 1)
    for at, start in enumerate(starts):
        diagonals = np.lib.stride_tricks.as_strided(
            alike[start:], (BLOCK, width), (row + column, column), writeable=False
        )
        found[at] = bool((diagonals.sum(axis=0)[heard.begins] >= least).any())
    return float(found.mean())


def _spoken_starts(words: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where the blocks begin that hold enough speech."""
    if len(words) < BLOCK:
        return np.zeros(0, np.int64)
    starts = np.arange(0, len(words) - BLOCK + 1, BLOCK_HOP)
    total = np.concatenate([[0.0], np.cumsum((words >> np.uint32(SPEECH_BIT)).astype(np.float32))])
    return np.asarray(starts[(total[starts + BLOCK] - total[starts]) / BLOCK >= ACTIVE_MIN], np.int64)
