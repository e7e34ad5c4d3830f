"""What costs processor time, done once: every recording in changed voices, speech alone, one voice after the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from acoustic import telephone

from bot.channels.phone.voiceprint.speech import spoken
from speaker import corpus
from speaker.corpus import Recording

SPEEDS_PERCENT: Final = (100, 86, 93, 108, 117)
FEATURES: Final = {
    "sample_rate": 8000,
    "n_fft": 512,
    "win_length": 32,
    "hop_length": 16,
    "n_mels": 60,
    "f_min": 100,
    "f_max": 3800,
}
LENGTH_MIN: Final = 2400  # samples
FULL_SCALE: Final = 32768
_BABBLERS: Final = 200
_NOISES: Final = 3  # sets of backgrounds


@dataclass(slots=True)
class Voices:
    """Piece i is `samples[edges[i]:edges[i + 1]]`, of class `labels[i]`; all pieces of a class follow one another."""

    samples: np.ndarray  # int16, 8 kHz, speech alone at one level
    edges: np.ndarray
    labels: np.ndarray
    classes: list[str]  # "set speaker speed"
    noise: np.ndarray  # (kinds, samples) float16, of unit power

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        beside = path.with_suffix(".part.npz")
        np.savez(
            beside,
            samples=self.samples,
            edges=self.edges,
            labels=self.labels,
            classes=np.array(self.classes),
            noise=self.noise,
        )
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> Voices:
        """What `save` wrote."""
        with np.load(path) as kept:
            of = kept["samples"], kept["edges"], kept["labels"], list(kept["classes"]), kept["noise"]
            return cls(*of)

    def starts(self) -> np.ndarray:
        """(classes + 1,): where each class begins among the samples."""
        return self.edges[np.searchsorted(self.labels, np.arange(len(self.classes) + 1))]

    def piece(self, at: int) -> np.ndarray:
        """float32, full scale 1."""
        start, end = self.edges[at : at + 2]
        return self.samples[start:end].astype(np.float32) / FULL_SCALE


def _changed(folder: Path, speeds: tuple[int, ...], one: Recording) -> list[np.ndarray]:
    """The speech of a recording at each speed, int16."""
    samples, rate = corpus.read(folder / one.path)
    found = [spoken(corpus.telephone_rate(samples, rate, speed)) for speed in speeds]
    return [
        np.clip(np.rint(wave * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16) for wave in found
    ]


def _noise(folder: Path, chosen: list[Recording], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    some = chosen[:: max(1, len(chosen) // _BABBLERS)]
    waves = [corpus.telephone_rate(*corpus.read(folder / one.path)) for one in some]
    return np.stack([wave for _ in range(_NOISES) for wave in telephone.noises(rng, waves)]).astype(
        np.float16
    )


def prepare(
    folder: Path,
    chosen: list[Recording],
    seed: int,
    workers: int = 1,
    speeds: tuple[int, ...] = SPEEDS_PERCENT,
) -> Voices:
    """Each recording at each speed: a changed voice is another speaker. The order within a voice is by chance."""
    order = [chosen[at] for at in np.random.default_rng(seed).permutation(len(chosen))]
    change = partial(_changed, folder, speeds)
    with ProcessPoolExecutor(workers) as pool:
        heard: Iterator[list[np.ndarray]] = pool.map(change, order, chunksize=16)
        pieces = [
            (f"{one.set} {one.speaker} {speed}", wave)
            for one, waves in zip(order, heard, strict=True)
            for speed, wave in zip(speeds, waves, strict=True)
            if len(wave) >= LENGTH_MIN
        ]
    pieces.sort(key=lambda piece: piece[0])
    classes = sorted({name for name, _ in pieces})
    number = {name: at for at, name in enumerate(classes)}
    lengths = chain([0], (len(wave) for _, wave in pieces))
    edges = np.cumsum(np.fromiter(lengths, np.int64))
    labels = np.array([number[name] for name, _ in pieces])
    samples = np.concatenate([wave for _, wave in pieces])
    return Voices(samples, edges, labels, classes, _noise(folder, chosen, seed))
