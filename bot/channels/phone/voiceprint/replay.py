"""Was this very recording heard before? Fingerprints of former attempts find it again, whole or in pieces.

A fingerprint holds four bytes for each 16 ms: 23 signs (does a band, against its neighbour, gain or lose energy over
time?) and whether there is speech. Level, tone colour and codecs change few of the signs; the same words said anew
change nearly half of them. No speech and no voice can be made from it again, but it says when somebody spoke: keep it
as personal data.

A short block of a new recording is like many places of the former ones. What gives a recording away is that the likest
places of block after block follow each other, as they do nowhere when the words are said anew. A sign of the new
recording counts the more, the clearer it is and the louder its bands are: a loudspeaker and a room spoil little then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft
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
ACTIVE_MIN: Final = 0.6  # of a block's frames
CLEAR: Final = 1.5  # a change, as a natural logarithm of energy, whose sign counts in full
ABOVE_NOISE: Final = 3.0  # a band so far over the recording's quiet tenth counts in full; a logarithm, too
SHARE_MIN: Final = 0.28  # of the blocks
SPEEDS_PERCENT: Final = (100, 97, 103, 94, 106, 91, 109, 88, 112, 85, 115)
SPEEDS_LOOKED_INTO: Final = 2


@dataclass(frozen=True, slots=True)
class Replay:
    """`share` of the speech that was found in former recordings, when played at `speed_percent` of this one."""

    share: float
    speed_percent: int

    @property
    def found(self) -> bool:
        """Whether so much was heard before that this is no new speech."""
        return self.share >= SHARE_MIN


@dataclass(frozen=True, slots=True)
class _Look:
    """How closely to look: blocks of `size` frames that are `step` frames apart, one beginning at each `step`th frame.

    A block is heard before if it is one of `run` that follow each other in the new recording and in a former one, each
    `alike_min` (1 if all signs are as they were, about 0 by chance) and at most `slack` less so than at its likest
    place. From `sure` on it need not be the likest: what was played twice already is in two former recordings.
    """

    step: int
    size: int
    run: int
    alike_min: float
    slack: float
    sure: float


COARSE: Final = _Look(step=3, size=3, run=4, alike_min=0.56, slack=0.0, sure=0.8)
FINE: Final = _Look(step=2, size=4, run=6, alike_min=0.66, slack=0.03, sure=0.78)


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """A recording as it is looked for: `signs` (frames, bands - 1) from -1 to 1, and which frames hold speech."""

    signs: NDArray[np.float32]
    speech: NDArray[np.bool_]


def fingerprint(pcm: NDArray[Any], rate_hz: int) -> bytes:
    """Of mono audio, 250 bytes a second; the same audio gives the same bytes."""
    samples = at_rate(pcm, rate_hz)
    changes = _changes(_energies(samples))
    signs = ((changes > 0).astype(np.uint64) << np.arange(BANDS - 1, dtype=np.uint64)).sum(axis=1)
    speech = _speech(samples, len(changes)).astype(np.uint64)
    words = np.asarray(signs | (speech << np.uint64(SPEECH_BIT)), "<u4")
    return MAGIC + bytes(words.tobytes())


def find(pcm: NDArray[Any], rate_hz: int, formers: Sequence[bytes]) -> Replay:
    """Looks in all former recordings at once, so that pieces of several are found too, and at other speeds.

    A coarse look says at which speeds it may be one of them, a fine one at those whether it is. Raises ValueError for
    what is no fingerprint.
    """
    words = [_words(one) for one in formers]
    samples = at_rate(pcm, rate_hz)
    if not any(len(one) for one in words):
        return Replay(0.0, 100)
    coarse, fine = (_places(words, look) for look in (COARSE, FINE))
    heard, likely = dict[int, _Heard](), dict[int, tuple[float, float]]()
    for speed in SPEEDS_PERCENT:
        heard[speed] = _weighted(samples if speed == 100 else resample_poly(samples, 100, speed))
        likely[speed] = _shares(heard[speed], coarse, COARSE)
    nearest = sorted(likely, key=lambda speed: likely[speed], reverse=True)[:SPEEDS_LOOKED_INTO]
    found = [Replay(_shares(heard[speed], fine, FINE)[0], speed) for speed in nearest]
    return max(found, key=lambda one: one.share)


def _bands() -> NDArray[np.float32]:
    """(bins, bands): equal steps of a Bark-like scale, each bin in one band."""
    low, high = (hz / (hz + 1960.0) for hz in BAND_HZ)
    edges = np.linspace(low, high, BANDS + 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    place = np.digitize(bins / (bins + 1960.0), edges) - 1
    return np.asarray((place[:, None] == np.arange(BANDS)[None]).astype(np.float32))


_BANDS: Final = _bands()
_SHAPE: Final = np.hanning(WINDOW).astype(np.float32)


def _energies(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames, bands), natural logarithms."""
    count = max((len(samples) - WINDOW) // HOP + 1, 0)
    if not count:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][:count]
    spectrum = fft.rfft(frames * _SHAPE, axis=1)
    return np.asarray(np.log((spectrum.real**2 + spectrum.imag**2) @ _BANDS + 1.0), np.float32)


def _changes(energies: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames - STEP, bands - 1): what a band gains on its neighbour in STEP frames."""
    slope = energies[:, 1:] - energies[:, :-1]
    return slope[STEP:] - slope[:-STEP]


def _speech(samples: NDArray[np.float32], count: int) -> NDArray[np.bool_]:
    """Whether there is speech in the middle of what each of the `count` changes is made of."""
    if not count:
        return np.zeros(0, np.bool_)
    mask = active(samples)
    middle = (np.arange(STEP, STEP + count) * HOP + (WINDOW - STEP * HOP) // 2) // FRAME
    return mask[np.minimum(middle, len(mask) - 1)]


def _weighted(samples: NDArray[np.float32]) -> _Heard:
    """The signs, each weighing what it is worth."""
    energies = _energies(np.asarray(samples, np.float32))
    changes = _changes(energies)
    if not len(changes):
        return _Heard(changes, np.zeros(0, np.bool_))
    above = np.clip((energies - np.percentile(energies, 10, axis=0)) / ABOVE_NOISE, 0, 1)
    both = np.minimum(above[:, 1:], above[:, :-1])
    worth = np.maximum(both[STEP:], both[:-STEP])
    signs = np.asarray(np.clip(changes / CLEAR, -1, 1) * worth, np.float32)
    return _Heard(signs, _speech(samples, len(changes)))


def _words(fingerprint: bytes) -> NDArray[np.uint32]:
    if fingerprint[:4] != MAGIC or len(fingerprint) % 4:
        raise ValueError("not a fingerprint")
    return np.frombuffer(fingerprint[4:], "<u4").astype(np.uint32)


def _places(formers: Sequence[NDArray[np.uint32]], look: _Look) -> NDArray[np.float32]:
    """(bands - 1, frames) of -1 and 1: the former recordings one behind the other, with nothing (0) between them."""
    signs = []
    for words in formers:
        bits = (words[:: look.step, None] >> np.arange(BANDS - 1, dtype=np.uint32)) & 1
        signs += [bits.astype(np.float32) * 2 - 1, np.zeros((look.size, BANDS - 1), np.float32)]
    return np.ascontiguousarray(np.concatenate(signs).T)


def _shares(new: _Heard, places: NDArray[np.float32], look: _Look) -> tuple[float, float]:
    """Of the blocks that hold speech, those that were heard before; and how alike their likest places are."""
    signs = new.signs[:: look.step]
    starts = _spoken_starts(new.speech, len(signs), look)
    if not len(starts):
        return 0.0, 0.0
    alike = signs @ places
    weight = np.concatenate([[0.0], np.cumsum(np.abs(signs).sum(axis=1))])
    runs = _Runs(alike, look)
    for start in starts:
        runs.follow(int(start), max(float(weight[start + look.size] - weight[start]), 1e-6))
    return runs.share, runs.likest / len(starts)


def _spoken_starts(speech: NDArray[np.bool_], count: int, look: _Look) -> NDArray[np.int64]:
    """Which of `count` frames, `step` apart, begin a block that holds enough speech."""
    starts = np.arange(0, count - look.size + 1)
    total = np.concatenate([[0], np.cumsum(speech)])
    ends = np.minimum((starts + look.size) * look.step, len(speech))
    frames = total[ends] - total[starts * look.step]
    return np.asarray(starts[frames >= ACTIVE_MIN * look.size * look.step], np.int64)


class _Runs:
    """Follows the likest places from block to block. `alike` is (frames of the new recording, frames of the former)."""

    def __init__(self, alike: NDArray[np.float32], look: _Look) -> None:
        self._alike, self._look = alike, look
        self._width = alike.shape[1] - look.size + 1
        self._sums = np.empty(self._width, np.float32)
        self._last = self._place = -2
        self._length = self._in_runs = self._blocks = 0
        self.likest = 0.0

    def follow(self, start: int, weight: float) -> None:
        """The next block, whose signs weigh `weight` in all."""
        np.copyto(self._sums, self._alike[start, : self._width])
        for at in range(1, self._look.size):
            self._sums += self._alike[start + at, at : at + self._width]
        place = int(self._sums.argmax())
        best = float(self._sums[place]) / weight
        least = max(self._look.alike_min, min(best - self._look.slack, self._look.sure))
        onward = self._onward(least * weight) if start == self._last + 1 and self._place >= 0 else -1
        self._end(onward < 0)
        self._place = onward if onward >= 0 else place if best >= self._look.alike_min else -1
        self._length += self._place >= 0
        self._last, self._blocks, self.likest = start, self._blocks + 1, self.likest + best

    def _onward(self, least: float) -> int:
        """The place behind the last one (or beside it: another speed), -1 if this block is less alike there."""
        near = self._sums[self._place : self._place + 3]
        at = int(near.argmax())
        return self._place + at if near[at] >= least else -1

    def _end(self, ends: bool) -> None:
        if ends:
            self._in_runs += self._length if self._length >= self._look.run else 0
            self._length = 0

    @property
    def share(self) -> float:
        """Of the blocks so far, those in runs that are long enough."""
        self._end(True)
        return self._in_runs / max(self._blocks, 1)
