"""The training loop: whole batches of one length, noise mixed in as energies, margin and rate by the step."""

from __future__ import annotations

import math
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from speaker import network as networks
from speaker.corpus import STUDENTS
from speaker.network import Size
from speaker.prepare import Bank

LENGTHS: Final = (50, 75, 100)  # frames of 16 ms
FRAMES: Final = 64 * 75  # of a batch
_STUDENT_WEIGHT: Final = 2.0
_LONE_WEIGHT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` in all; the margin grows over `ease_steps`."""

    steps: int = 4500
    rate: float = 2e-3
    warm_steps: int = 200
    ease_steps: int = 800
    margin: float = 0.2
    scale: float = 30.0
    weight_decay: float = 2e-2
    decay: float = 0.998  # of the running mean of the weights
    seed: int = 1
    save_every: int = 250
    half: bool = True  # the network in bfloat16, its loss and weights in full precision

    def rate_at(self, step: int) -> float:
        """Up in a line, down in a half cosine."""
        if step < self.warm_steps:
            return self.rate * (step + 1) / self.warm_steps
        done = (step - self.warm_steps) / max(1, self.steps - self.warm_steps)
        return self.rate * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


class Supply:
    """Batches without end; which they are depends on the seed and the step only."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self._bank, self._seed = bank, seed
        order = np.argsort(bank.labels, kind="stable")
        edges = np.searchsorted(bank.labels[order], np.arange(len(bank.classes) + 1))
        self._pieces = [order[edges[at] : edges[at + 1]] for at in range(len(bank.classes))]
        weight = np.array([_weight(name) for name in bank.classes]) * [len(one) > 0 for one in self._pieces]
        self._weight = weight / weight.sum()

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """(batch, frames, mels) normalised, and (batch,) classes."""
        rng = np.random.default_rng([self._seed, step])
        length = int(rng.choice(LENGTHS))
        count = FRAMES // length
        labels = rng.choice(len(self._weight), count, p=self._weight)
        frames = np.stack([self._piece(rng, int(label), length) for label in labels])
        frames = self._noisy(rng, frames)
        mixed = networks.normalised(torch.from_numpy(frames))
        for row in range(count):
            _blank(rng, mixed[row])
        return mixed, torch.from_numpy(labels)

    def _piece(self, rng: np.random.Generator, label: int, length: int) -> np.ndarray:
        """Joined from as many recordings of the voice as it takes."""
        bank, parts, missing = self._bank, list[np.ndarray](), length
        while missing > 0:
            at = int(rng.choice(self._pieces[label]))
            start, end = int(bank.starts[at]), int(bank.starts[at + 1])
            begin = start + int(rng.integers(0, max(1, end - start - missing + 1)))
            part = bank.frames[begin : min(end, begin + missing)]
            parts.append(part)
            missing -= len(part)
        return np.concatenate(parts).astype(np.float32)

    def _noisy(self, rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
        kinds, span = self._bank.noise.shape[:2]
        for row in np.flatnonzero(rng.random(len(frames)) < 0.4):
            at = int(rng.integers(0, span - frames.shape[1]))
            noise = self._bank.noise[int(rng.integers(kinds)), at : at + frames.shape[1]].astype(np.float32)
            quieter = noise - rng.uniform(5.0, 30.0)
            frames[row] = np.logaddexp(frames[row] * _NEPER, quieter * _NEPER) / _NEPER
        return frames


_NEPER: Final = np.float32(math.log(10) / 10)


def _weight(name: str) -> float:
    group = name.split(" ", 1)[0]
    return {"speechocean762": 1.0, STUDENTS: _STUDENT_WEIGHT}.get(group, _LONE_WEIGHT)


def _blank(rng: np.random.Generator, frames: Tensor) -> None:
    """Takes a stretch of time and a band away, in place."""
    if rng.random() < 0.6:
        width = int(rng.integers(1, 11))
        at = int(rng.integers(0, frames.shape[0] - width))
        frames[at : at + width] = 0.0
    if rng.random() < 0.6:
        width = int(rng.integers(1, 9))
        at = int(rng.integers(0, frames.shape[1] - width))
        frames[:, at : at + width] = 0.0


class Training:
    """Network, head, running mean and optimiser after `step` steps; goes on from `folder`/checkpoint.pt."""

    def __init__(self, bank: Bank, plan: Plan, size: Size, folder: Path) -> None:
        torch.manual_seed(plan.seed)
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        self.plan, self.size, self.supply = plan, size, Supply(bank, plan.seed)
        self.checkpoint = folder / "checkpoint.pt"
        self.network = networks.ecapa(size)
        self.head = networks.head(size, len(bank.classes))
        self.mean = deepcopy(self.network)
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *self.head.parameters()],
            lr=plan.rate,
            weight_decay=plan.weight_decay,
        )
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self._go_on()
        self.network.train()

    def _parts(self) -> dict[str, object]:
        return {"net": self.network, "head": self.head, "mean": self.mean, "optimizer": self.optimizer}

    def _go_on(self) -> None:
        kept = torch.load(self.checkpoint, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(kept[name])  # type: ignore[attr-defined]
        self.step = kept["step"]

    def save(self) -> None:
        """Whole or not at all; the running mean is what is exported."""
        state = {name: part.state_dict() for name, part in self._parts().items()}  # type: ignore[attr-defined]
        beside = self.checkpoint.with_suffix(".part")
        torch.save({**state, **networks.state(self.mean, self.size), "step": self.step}, beside)
        beside.replace(self.checkpoint)

    def one(self) -> tuple[float, float]:
        """One step; the loss, and the share of right answers without a margin."""
        plan = self.plan
        for group in self.optimizer.param_groups:
            group["lr"] = plan.rate_at(self.step)
        frames, labels = self.supply.batch(self.step)
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.half):
            vectors = self.network(frames)
        cosines = self.head(vectors.float())
        margin = plan.margin * min(1.0, self.step / max(1, plan.ease_steps))
        loss = networks.loss(margin, plan.scale)(cosines, labels[:, None])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        right = float((cosines[:, 0].argmax(1) == labels).float().mean())
        return float(loss.detach()), right

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.plan.decay, self.step / (self.step + 20))
        own = self.network.state_dict()
        for name, kept in self.mean.state_dict().items():
            if kept.is_floating_point():
                kept.lerp_(own[name], 1 - decay)
            else:
                kept.copy_(own[name])


def run(bank: Bank, plan: Plan, size: Size, folder: Path, stop: int | None = None) -> Training:
    """Up to `stop` steps of the plan; says every 50 how it goes."""
    training = Training(bank, plan, size, folder)
    last = min(stop or plan.steps, plan.steps)
    seen, begun = list[tuple[float, float]](), time.monotonic()
    while training.step < last:
        seen.append(training.one())
        if training.step % 50 == 0 or training.step == last:
            loss, right = np.mean(seen, axis=0)
            pace = (time.monotonic() - begun) / len(seen)
            print(f"step {training.step} loss {loss:.3f} right {right:.3f} {pace:.3f} s a step", flush=True)
            seen, begun = [], time.monotonic()
        if training.step % plan.save_every == 0 or training.step == last:
            training.save()
    return training
