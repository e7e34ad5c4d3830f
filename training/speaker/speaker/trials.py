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
    folder: Path, chosen: list[Recording], encoder: OnnxEncoder, seed: int, rounds: int = 12
) -> list[Trial]:
    """For each speaker and length `rounds` enrolments with one test of the same and six of other speakers."""
    rng = np.random.default_rng(seed)
    waves: dict[str, list[np.ndarray]] = {}
    for one in chosen:
        waves.setdefault(one.speaker, []).append(speech(folder, one))
    voices = {who: [encoder.vector(wave) for wave in of if len(wave) > 2400] for who, of in waves.items()}
    speakers = sorted(waves)
    trials = []
    for length in LENGTHS_S:
        for who in speakers:
            for _ in range(rounds):
                order = rng.permutation(len(voices[who]))
                enrolled = unit(np.sum([voices[who][at] for at in order[:ENROLMENTS]], axis=0))
                rest = [waves[who][at] for at in order[ENROLMENTS:]]
                trials.append(_trial(rng, enrolled, rest, length, True, encoder))
                others = rng.choice([one for one in speakers if one != who], 6, replace=False)
                trials += [_trial(rng, enrolled, waves[other], length, False, encoder) for other in others]
    return trials


def _trial(
    rng: np.random.Generator,
    enrolled: np.ndarray,
    waves: list[np.ndarray],
    length_s: float,
    same: bool,
    encoder: OnnxEncoder,
) -> Trial:
    """The test is one recording, with others after it if it is too short."""
    order = rng.permutation(len(waves))
    joined, missing = list[np.ndarray](), int(length_s * RATE_HZ)
    for at in order:
        wave = waves[at]
        begin = int(rng.integers(0, max(1, len(wave) - missing + 1)))
        joined.append(wave[begin : begin + missing])
        missing -= len(joined[-1])
        if missing <= 0:
            break
    test = np.concatenate(joined)
    return Trial(enrolled, encoder.vector(test), same, len(test) / RATE_HZ)
