"""One voice made into another: an affine map of cepstra for every pair of speakers.

Stochastic feature mapping (Cui, Goel, Kingsbury 2015). A mixture of Gaussians stands for nobody in particular; each
speaker has the affine map (constrained MLLR) that brings his cepstra nearest to it. The map of one speaker and then
the inverse map of another make the first sound like the second, whatever language the second was recorded in.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from acoustic import features
from acoustic.corpus import RATE_HZ, Clip

COMPONENTS: Final = 64
FRAMES_OF_ONE: Final = 4000
FRAMES_LEAST: Final = 1000
PRIOR_FRAMES: Final = 1500.0  # of nobody in particular, beside each speaker's own
_ROUNDS_OF_MIXTURE: Final = 12
_ROUNDS_OF_MAP: Final = 6
_QUIET: Final = 40.0  # below the loudest part, in units of C0: about 32 dB
_LEVEL: Final = 95  # percentile of C0 that is an utterance's level


def level(frames: np.ndarray) -> float:
    """Of an utterance, in units of C0. Maps are made and used without it."""
    return float(np.percentile(frames[:, 0], _LEVEL))


@dataclass(frozen=True, slots=True)
class Mixture:
    """Diagonal Gaussians: `weights` (m), `means` and `variances` (m, BINS)."""

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def shares(self, frames: np.ndarray) -> np.ndarray:
        """(frames, m): to which Gaussian a frame belongs."""
        inverse = 1.0 / self.variances
        constant = np.log(self.weights) - 0.5 * (
            np.log(self.variances).sum(axis=1) + (self.means**2 * inverse).sum(axis=1)
        )
        scores = constant + frames @ (self.means * inverse).T - 0.5 * (frames**2) @ inverse.T
        scores -= scores.max(axis=1, keepdims=True)
        likely = np.exp(scores)
        return likely / likely.sum(axis=1, keepdims=True)


def fit(frames: np.ndarray, rng: np.random.Generator, components: int = COMPONENTS) -> Mixture:
    """By expectation maximisation, from random frames."""
    floor = 0.02 * frames.var(axis=0)
    means = frames[rng.choice(len(frames), components, replace=False)]
    mixture = Mixture(
        np.full(components, 1.0 / components), means, np.tile(frames.var(axis=0), (components, 1)) * 0.5
    )
    for _ in range(_ROUNDS_OF_MIXTURE):
        shares = mixture.shares(frames)
        count = shares.sum(axis=0) + 1e-3
        means = shares.T @ frames / count[:, None]
        variances = np.maximum(shares.T @ frames**2 / count[:, None] - means**2, floor)
        mixture = Mixture(count / count.sum(), means, variances)
    return mixture


def affine(frames: np.ndarray, mixture: Mixture) -> np.ndarray:
    """(BINS, BINS + 1): the map, offset last, that makes the speaker's frames likeliest (Gales 1998, row by row)."""
    size = frames.shape[1]
    shares = mixture.shares(frames)
    long = np.concatenate([frames, np.ones((len(frames), 1))], axis=1)
    precisions = 1.0 / mixture.variances
    count = len(frames) + PRIOR_FRAMES
    # Of the speaker, then of the mixture itself, which holds the map near to none where there is little to go by.
    products = (long[:, :, None] * long[:, None, :]).reshape(len(long), -1)
    seconds = (shares.T @ products).reshape(-1, size + 1, size + 1)
    firsts = shares.T @ long
    own = np.concatenate([mixture.means, np.ones((len(mixture.means), 1))], axis=1)
    weights = PRIOR_FRAMES * mixture.weights
    spread = own[:, :, None] * own[:, None, :]
    spread[:, np.arange(size), np.arange(size)] += mixture.variances
    seconds += weights[:, None, None] * spread
    firsts += weights[:, None] * own
    squares = (precisions.T @ seconds.reshape(len(seconds), -1)).reshape(size, size + 1, size + 1)
    inverses = np.linalg.inv(squares)
    linear = (precisions * mixture.means).T @ firsts
    made = np.eye(size, size + 1)
    for _ in range(_ROUNDS_OF_MAP):
        for row in range(size):
            cofactors = np.zeros(size + 1)
            cofactors[:size] = np.linalg.inv(made[:, :size])[:, row]
            a = cofactors @ inverses[row] @ cofactors
            b = cofactors @ inverses[row] @ linear[row]
            roots = (-b + np.array([1, -1]) * np.sqrt(b * b + 4 * a * count)) / (2 * a)
            best = roots[np.argmax(count * np.log(np.abs(roots * a + b)) - 0.5 * roots**2 * a)]
            made[row] = inverses[row] @ (best * cofactors + linear[row])
    return made


class Voices:
    """The maps of all speakers of `clips`; `targets` are those a voice may be made into."""

    def __init__(self, clips: list[Clip], seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        by_speaker: dict[str, list[Clip]] = defaultdict(list)
        for clip in clips:
            by_speaker[clip.speaker].append(clip)
        frames = {speaker: _frames(own, rng) for speaker, own in sorted(by_speaker.items())}
        frames = {speaker: own for speaker, own in frames.items() if len(own) >= FRAMES_LEAST}
        self.targets = [speaker for speaker in frames if not speaker.startswith("espeak")]
        mixture = fit(np.concatenate([frames[speaker][::4] for speaker in self.targets]), rng)
        self._maps = {speaker: affine(own, mixture) for speaker, own in frames.items()}
        self._back = {speaker: np.linalg.inv(self._maps[speaker][:, :-1]) for speaker in self.targets}

    def change(self, frames: np.ndarray, speaker: str, rng: np.random.Generator) -> np.ndarray:
        """`frames` of a speaker, made more or less into a mixture of two others, at the level they had."""
        if speaker not in self._maps:
            return frames
        own = self._maps[speaker]
        strength, share = float(rng.uniform(0.0, 1.0)), float(rng.beta(0.5, 0.5))
        matrix, offset = np.eye(len(own)) * (1.0 - strength), np.zeros(len(own))
        for weight in (strength * share, strength * (1.0 - share)):
            other = self.targets[int(rng.integers(len(self.targets)))]
            back = self._back[other]
            matrix += weight * (back @ own[:, :-1])
            offset += weight * (back @ (own[:, -1] - self._maps[other][:, -1]))
        loud = level(frames)
        shifted = frames.copy()
        shifted[:, 0] -= loud
        made = (shifted @ matrix.T + offset).astype(np.float32)
        made[:, 0] += loud
        return made


def load(clips: list[Clip], cache: Path, seed: int) -> Voices:
    """Made once and kept in `cache`."""
    if not cache.exists():
        cache.write_bytes(pickle.dumps(Voices(clips, seed)))
    found: Voices = pickle.loads(cache.read_bytes())
    return found


def _frames(clips: list[Clip], rng: np.random.Generator) -> np.ndarray:
    """What is loud enough to be speech, at level 0."""
    found: list[np.ndarray] = []
    count = 0
    for at in rng.permutation(len(clips)):
        wave = features.downsampled(clips[at].samples, RATE_HZ)
        if len(wave) < 4 * features.WINDOW:
            continue
        one = features.mfcc(wave)
        one[:, 0] -= level(one)
        found.append(one[one[:, 0] > -_QUIET].astype(np.float64))
        count += len(found[-1])
        if count >= FRAMES_OF_ONE:
            break
    return np.concatenate(found)[:FRAMES_OF_ONE] if found else np.zeros((0, features.BINS))
