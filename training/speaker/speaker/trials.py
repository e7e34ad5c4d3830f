"""Speakers kept out of the training, as voices: enrolments of three recordings against tests of several lengths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from acoustic import telephone

from bot.channels.phone.voiceprint.embedding import unit
from bot.channels.phone.voiceprint.encoders import OnnxEncoder
from bot.channels.phone.voiceprint.speech import RATE_HZ, spoken
from speaker import corpus
from speaker.corpus import Recording

ENROLMENTS: Final = 3
LENGTHS_S: Final = (0.6, 1.0, 1.5, 2.5, 4.0, 6.0)
DRAWS: Final = 6  # enrolments of a speaker
TESTS: Final = 12  # of a speaker and length
OTHERS_SHARE: Final = 0.3  # of the trials between different speakers


@dataclass(slots=True)
class Trial:
    """Two unit vectors, whether they are one speaker's, and the seconds of speech in the test."""

    enrolled: np.ndarray
    test: np.ndarray
    same: bool
    speech_s: float


def speech(folder: Path, one: Recording) -> np.ndarray:
    """A recording as the encoder is fed, after G.711."""
    samples, rate = corpus.read(folder / one.path)
    return spoken(telephone.mu_law(np.round(corpus.telephone_rate(samples, rate))))


def make(
    folder: Path,
    chosen: list[Recording],
    encoder: OnnxEncoder,
    seed: int,
    lengths_s: tuple[float, ...] = LENGTHS_S,
) -> list[Trial]:
    """Enrolments from half of each speaker's recordings, tests from the other half, all against one another."""
    rng = np.random.default_rng(seed)
    waves: dict[str, list[np.ndarray]] = {}
    for one in chosen:
        waves.setdefault(one.speaker, []).append(speech(folder, one))
    enrolled: dict[str, list[np.ndarray]] = {}
    tests: dict[str, list[tuple[np.ndarray, float]]] = {}
    for who, of in waves.items():
        half = len(of) // 2
        voices = [encoder.vector(wave) for wave in of[:half]]
        drawn = [rng.permutation(half)[:ENROLMENTS] for _ in range(DRAWS)]
        enrolled[who] = [unit(np.sum([voices[at] for at in some], axis=0)) for some in drawn]
        crops = [crop(rng, of[half:], length) for length in lengths_s for _ in range(TESTS)]
        tests[who] = [(encoder.vector(crop), len(crop) / RATE_HZ) for crop in crops]
    trials = []
    for who, templates in enrolled.items():
        for other, heard in tests.items():
            for template in templates:
                kept = heard if other == who else [one for one in heard if rng.random() < OTHERS_SHARE]
                trials += [Trial(template, vector, other == who, speech_s) for vector, speech_s in kept]
    return trials


def crop(rng: np.random.Generator, waves: list[np.ndarray], length_s: float) -> np.ndarray:
    """From one recording, with others after it if it is too short."""
    joined, missing = list[np.ndarray](), int(length_s * RATE_HZ)
    for at in rng.permutation(len(waves)):
        begin = int(rng.integers(0, max(1, len(waves[at]) - missing + 1)))
        joined.append(waves[at][begin : begin + missing])
        missing -= len(joined[-1])
        if missing <= 0:
            break
    return np.concatenate(joined)
