"""A second opinion that errs elsewhere than the network: total variability over a mixture of cepstra ("i-vectors").

A mixture of Gaussians says which sounds a voice makes; how it makes each of them, against the mean of all voices, is a
long vector of which few directions matter. They are found by expectation and maximisation, and turned so that
recordings of one speaker lie close (linear discriminant analysis).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from acoustic import telephone
from scipy.fft import dct
from scipy.linalg import eigh
from speechbrain.lobes.features import Fbank
from torch import Tensor, nn

from bot.channels.phone.voiceprint.speech import LEVEL, at_level
from speaker.corpus import READERS, STUDENTS
from speaker.prepare import FEATURES, Voices

CEPSTRA: Final = 20
DELTA_REACH: Final = 2  # frames
LINEAR_STEPS: Final = 40  # of conjugate gradients
_AT_ONCE: Final = 256  # pieces
_FRAMES_AT_ONCE: Final = 20_000
_LONE_SHARE: Final = 0.1
_JOINED_MAX: Final = {READERS: 3, STUDENTS: 5}  # pieces of one voice that are taken for one


@dataclass(frozen=True, slots=True)
class FactorPlan:
    """How many Gaussians and directions, and how long they are looked for."""

    gaussians: int = 256
    directions: int = 150
    mixture_rounds: int = 12
    variability_rounds: int = 5
    mixture_pieces: int = 4000
    mixture_every: int = 3  # frames
    long_frames: int = 94  # pieces as long as this say what one speaker's recordings have in common
    seed: int = 1


TRIAL: Final = FactorPlan(gaussians=16, directions=8, mixture_rounds=2, variability_rounds=1)


class Cepstra(nn.Module):
    """(frames, mels) in dB -> (frames, 3 * CEPSTRA): cepstra without their mean, and how they change, twice."""

    def __init__(self) -> None:
        super().__init__()
        turn = dct(np.eye(FEATURES["n_mels"]), type=2, norm="ortho", axis=1)[:, :CEPSTRA]
        reach = np.arange(-DELTA_REACH, DELTA_REACH + 1.0)
        self.register_buffer("turn", torch.from_numpy(turn / 10).float())
        slope = torch.from_numpy(reach / (reach**2).sum()).float()
        self.register_buffer("slope", slope.repeat(CEPSTRA, 1, 1))

    def forward(self, decibels: Tensor) -> Tensor:
        """See the class."""
        still = (decibels @ self.turn).T[None]
        once = self._change(still)
        found = torch.cat([still, once, self._change(once)], dim=1)[0].T
        return found - found.mean(dim=0, keepdim=True)

    def _change(self, rows: Tensor) -> Tensor:
        padded = nn.functional.pad(rows, (DELTA_REACH, DELTA_REACH), mode="replicate")
        return nn.functional.conv1d(padded, self.slope, groups=CEPSTRA)


class Mixture(nn.Module):
    """Gaussians with diagonal covariances, (gaussians, features)."""

    def __init__(self, share: Tensor, mean: Tensor, variance: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", variance.sqrt())
        self.register_buffer("linear", (mean / variance).T.contiguous())
        self.register_buffer("square", (-0.5 / variance).T.contiguous())
        fixed = torch.log(share) - 0.5 * (torch.log(variance) + mean**2 / variance).sum(1)
        self.register_buffer("fixed", fixed)

    def posteriors(self, features: Tensor) -> Tensor:
        """(frames, gaussians)."""
        logs = self.fixed + features @ self.linear + features**2 @ self.square
        return torch.softmax(logs, dim=1)

    def statistics(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """How often each Gaussian is heard, (gaussians,), and how far from its mean, (gaussians, features)."""
        weights = self.posteriors(features)
        heard = weights.sum(dim=0)
        return heard, (weights.T @ features - heard[:, None] * self.mean) / self.deviation


def mixture(features: Tensor, plan: FactorPlan) -> Mixture:
    """By expectation and maximisation from frames drawn at random."""
    chance = torch.Generator().manual_seed(plan.seed)
    mean = features[torch.randperm(len(features), generator=chance)[: plan.gaussians]].clone()
    least = features.var(0) * 0.02
    found = Mixture(
        torch.full((plan.gaussians,), 1 / plan.gaussians),
        mean,
        features.var(0).repeat(plan.gaussians, 1),
    )
    for _ in range(plan.mixture_rounds):
        heard, first, second = torch.zeros(plan.gaussians), torch.zeros_like(mean), torch.zeros_like(mean)
        for some in features.split(_FRAMES_AT_ONCE):
            weights = found.posteriors(some)
            heard += weights.sum(0)
            first += weights.T @ some
            second += weights.T @ some**2
        heard = heard.clamp(min=1e-3)
        mean = first / heard[:, None]
        variance = torch.maximum(second / heard[:, None] - mean**2, least)
        found = Mixture(heard / heard.sum(), mean, variance)
    return found


class Factors(nn.Module):
    """(frames, mels) in dB -> a unit vector, (1, directions)."""

    def __init__(self, of: Mixture, variability: Tensor, middle: Tensor, turn: Tensor) -> None:
        super().__init__()
        self.cepstra, self.mixture = Cepstra(), of
        self.register_buffer("variability", variability)  # (gaussians * features, directions)
        self.register_buffer("middle", middle)
        self.register_buffer("turn", turn)

    def forward(self, decibels: Tensor) -> Tensor:
        """See the class."""
        heard, off = self.mixture.statistics(self.cepstra(decibels))
        precision = _precision(heard[None], squares(self.variability, len(heard)))[0]
        factors = _solve(precision, off.reshape(1, -1) @ self.variability)
        return projected(factors, self.middle, self.turn)


def squares(variability: Tensor, gaussians: int) -> Tensor:
    """(gaussians, directions * directions): what hearing each Gaussian once adds to the precision."""
    each = variability.reshape(gaussians, -1, variability.shape[1])
    return (each.transpose(1, 2) @ each).reshape(gaussians, -1)


def _precision(heard: Tensor, each: Tensor) -> Tensor:
    """(pieces, directions, directions)."""
    size = int(each.shape[1] ** 0.5)
    return torch.eye(size) + (heard @ each).reshape(-1, size, size)


def _solve(matrix: Tensor, right: Tensor) -> Tensor:
    """(1, size) by conjugate gradients: ONNX has no solver. `matrix` is symmetric, its eigenvalues are 1 or more."""
    scale = 1 / torch.diagonal(matrix)
    found, rest = torch.zeros_like(right), right
    step = rest * scale
    size = (rest * step).sum()
    for _ in range(LINEAR_STEPS):
        along = step @ matrix
        far = size / ((step * along).sum() + 1e-12)
        found, rest = found + far * step, rest - far * along
        better = rest * scale
        former, size = size, (rest * better).sum()
        step = better + size / (former + 1e-12) * step
    return found


def projected(factors: Tensor, middle: Tensor, turn: Tensor) -> Tensor:
    """Unit vectors; `turn` brings recordings of one speaker together."""
    return nn.functional.normalize(nn.functional.normalize(factors - middle, dim=1) @ turn, dim=1)


def variability(heard: Tensor, off: Tensor, plan: FactorPlan) -> Tensor:
    """The directions, (gaussians * features, directions), from the statistics of all pieces."""
    pieces, gaussians, features = off.shape
    size = plan.directions
    chance = torch.Generator().manual_seed(plan.seed)
    found = torch.randn(gaussians * features, size, generator=chance) * 0.05
    flat = off.reshape(pieces, -1)
    for turn in range(plan.variability_rounds):
        each = squares(found, gaussians)
        spread, joint = torch.zeros(gaussians, size * size), torch.zeros_like(found)
        total, outer = torch.zeros(size), torch.zeros(size * size)
        for at in range(0, pieces, _AT_ONCE):
            some, far = heard[at : at + _AT_ONCE], flat[at : at + _AT_ONCE]
            unsure = torch.linalg.inv(_precision(some, each))
            mean = (unsure @ (far @ found)[:, :, None])[:, :, 0]
            second = (unsure + mean[:, :, None] * mean[:, None]).reshape(len(some), -1)
            spread += some.T @ second
            joint += far.T @ mean
            total += mean.sum(0)
            outer += second.sum(0)
        spread = spread.reshape(gaussians, size, size) + 1e-3 * torch.eye(size)
        right = joint.reshape(gaussians, features, size).transpose(1, 2)
        found = torch.linalg.solve(spread, right).transpose(1, 2).reshape(-1, size)
        middle = total / pieces  # least divergence: factors of unit covariance
        covariance = (outer / pieces).reshape(size, size) - middle[:, None] * middle
        found = found @ torch.linalg.cholesky(covariance + 1e-6 * torch.eye(size))
        print(f"variability {turn + 1} of {plan.variability_rounds}: {float(found.norm()):.2f}", flush=True)
    return found


def discriminating(factors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(directions, directions), within-speaker covariance made the same in all directions."""
    _, at, count = np.unique(labels, return_inverse=True, return_counts=True)
    means = np.zeros((len(count), factors.shape[1]))
    np.add.at(means, at, factors)
    means /= count[:, None]
    within, between = np.cov((factors - means[at]).T), np.cov(means.T)
    return np.ascontiguousarray(eigh(between, within)[1][:, ::-1], np.float32)


class Pieces:
    """The pieces that are learnt from, each through G.711; few of the voices that stand alone in their set."""

    def __init__(self, voices: Voices, plan: FactorPlan) -> None:
        self._voices, self._chance = voices, np.random.default_rng(plan.seed)
        self._group = np.array([name.split(" ", 1)[0] for name in voices.classes])[voices.labels]
        lone = ~np.isin(self._group, list(_JOINED_MAX))
        few = self._chance.random(len(lone)) < _LONE_SHARE
        self.chosen = np.flatnonzero(~lone | few)
        self.labels = voices.labels[self.chosen]
        self.frames = np.diff(voices.edges)[self.chosen] // (FEATURES["hop_length"] * 8)
        self._fbank, self._cepstra, self._seed = Fbank(**FEATURES), Cepstra(), plan.seed

    def features(self, at: int) -> Tensor:
        """Of piece `at` of the voices."""
        chance = np.random.default_rng([self._seed, at])
        wave = self._voices.piece(at) * (10 ** chance.uniform(2.6, 3.5) / LEVEL)
        heard = telephone.mu_law(wave) if chance.random() < 0.5 else telephone.a_law(wave)
        spoken = at_level(heard.astype(np.float32))
        return self._cepstra(self._fbank(torch.from_numpy(spoken)[None])[0])

    def drawn(self, count: int, every: int) -> Tensor:
        """Some frames of some pieces."""
        return torch.cat([self.features(at)[::every] for at in self._chance.permutation(self.chosen)[:count]])

    def joined(self) -> list[np.ndarray]:
        """Places in `chosen`, of the same voice, that are taken for one piece."""
        order, found, at = np.lexsort((self._chance.random(len(self.chosen)), self.labels)), [], 0
        while at < len(order):
            most = _JOINED_MAX.get(str(self._group[self.chosen[order[at]]]), 1)
            some = order[at : at + int(self._chance.integers(1, most + 1))]
            found.append(some[self.labels[some] == self.labels[some[0]]])
            at += len(found[-1])
        return found


@torch.no_grad()
def learn(voices: Voices, plan: FactorPlan) -> Factors:
    """From the pieces; minutes."""
    pieces = Pieces(voices, plan)
    of = mixture(pieces.drawn(plan.mixture_pieces, plan.mixture_every), plan)
    heard = torch.empty(len(pieces.chosen), plan.gaussians)
    off = torch.empty(len(pieces.chosen), *of.mean.shape)
    for row, at in enumerate(pieces.chosen):
        heard[row], off[row] = of.statistics(pieces.features(at))
    print(f"{len(heard)} pieces, {plan.gaussians} gaussians", flush=True)
    groups = pieces.joined()
    found = variability(
        torch.stack([heard[some].sum(0) for some in groups]),
        torch.stack([off[some].sum(0) for some in groups]),
        plan,
    )
    long = np.flatnonzero(pieces.frames >= plan.long_frames)
    if len(np.unique(pieces.labels[long])) <= plan.directions:
        long = np.arange(len(pieces.frames))
    each, factors = squares(found, plan.gaussians), list[Tensor]()
    for some in np.split(long, range(_AT_ONCE, len(long), _AT_ONCE)):
        right = off[some].reshape(len(some), -1) @ found
        factors.append(torch.linalg.solve(_precision(heard[some], each), right[:, :, None])[:, :, 0])
    known = torch.cat(factors)
    middle = known.mean(0)
    near = nn.functional.normalize(known - middle, dim=1).double().numpy()
    turn = discriminating(near, pieces.labels[long])
    return Factors(of, found, middle, torch.from_numpy(turn))


def save(found: Factors, path: Path) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".part")
    torch.save(found.state_dict(), beside)
    beside.replace(path)


def restore(path: Path) -> Factors:
    """What `save` wrote."""
    kept = torch.load(path, weights_only=True)
    mean = kept["mixture.mean"]
    of = Mixture(torch.ones(len(mean)), mean, torch.ones_like(mean))
    found = Factors(of, kept["variability"], kept["middle"], kept["turn"])
    found.load_state_dict(kept)
    return found
