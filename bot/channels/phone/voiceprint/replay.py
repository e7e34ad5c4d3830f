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
COARSE: Final = 2  # frames a step where a block may be; a frame beside its place is still much alike
COARSE_MIN: Final = 0.25  # correlation of the coarse signs from which on each frame is looked at
HOP_FRAMES: Final = BLOCK_HOP // COARSE
HOP_SIGNS: Final = HOP_FRAMES * (BANDS - 1)
SIGNS: Final = np.uint32(2 ** (BANDS - 1) - 1)
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
    """All former recordings, one behind the other: their frames, where a block of one of them may begin, and `coarse`:
    for each `COARSE`th frame the signs of the coarse frames of a hop that begins there, (frames, hop's signs).

    A block is looked for in the coarse signs first, which costs a fifteenth, and where it may be, frame by frame.
    """

    words: NDArray[np.uint32]
    begins: NDArray[np.bool_]
    coarse: NDArray[np.float32]

    @classmethod
    def of(cls, fingerprints: Sequence[bytes]) -> _Heard:
        kept = [words for words in map(_bits, fingerprints) if len(words) >= BLOCK]
        if not kept:
            return cls(np.zeros(0, np.uint32), np.zeros(0, np.bool_), np.zeros((0, HOP_SIGNS), np.float32))
        words = np.concatenate(kept)
        begins = np.concatenate([np.arange(len(each)) <= len(each) - BLOCK for each in kept])
        signs = _plus_minus(words[::COARSE])
        hops = [signs[frame : len(signs) - HOP_FRAMES + 1 + frame] for frame in range(HOP_FRAMES)]
        return cls(words, begins[: len(words) - BLOCK + 1], np.concatenate(hops, axis=1))

    @property
    def any(self) -> bool:
        return len(self.words) > 0

    def holds(self, block: NDArray[np.uint32], at: NDArray[np.int64]) -> bool:
        """Whether a block is found at one of these frames."""
        at = at[(at >= 0) & (at < len(self.begins))]
        at = at[self.begins[at]]
        wrong = np.bitwise_count((self.words[at[:, None] + np.arange(BLOCK)] ^ block) & SIGNS)
        bits = BLOCK * (BANDS - 1)
        return bool((bits - 2 * wrong.sum(axis=1, dtype=np.int64) >= ALIKE_MIN * bits).any())


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
    signs = _plus_minus(new[::COARSE])
    hops = signs[: len(signs) // HOP_FRAMES * HOP_FRAMES].reshape(-1, HOP_SIGNS) @ heard.coarse.T
    least = COARSE_MIN * (BLOCK // COARSE) * (BANDS - 1)
    found = np.zeros(len(starts), np.bool_)
    for at, start in enumerate(starts):
        likely = np.flatnonzero(_alike(hops, int(start) // BLOCK_HOP) >= least) * COARSE
        around = (likely[:, None] + np.arange(1 - COARSE, COARSE)).ravel()
        found[at] = heard.holds(new[start : start + BLOCK], around)
    return float(found.mean())


def _alike(hops: NDArray[np.float32], first: int) -> NDArray[np.float32]:
    """How alike the block that begins with the hop `first` is to what begins at each coarse frame: a diagonal."""
    count = BLOCK // BLOCK_HOP
    width = hops.shape[1] - (count - 1) * HOP_FRAMES
    total = hops[first, :width].copy()
    for hop in range(1, count):
        total += hops[first + hop, hop * HOP_FRAMES : hop * HOP_FRAMES + width]
    return total


def _spoken_starts(words: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where the blocks begin that hold enough speech."""
    if len(words) < BLOCK:
        return np.zeros(0, np.int64)
    starts = np.arange(0, len(words) - BLOCK + 1, BLOCK_HOP)
    total = np.concatenate([[0.0], np.cumsum((words >> np.uint32(SPEECH_BIT)).astype(np.float32))])
    return np.asarray(starts[(total[starts + BLOCK] - total[starts]) / BLOCK >= ACTIVE_MIN], np.int64)
