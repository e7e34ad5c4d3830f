"""The training loop. The same seed, corpus and steps give the same weights on the same machine, stopped or not."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from acoustic import english, phones
from acoustic.features import BINS
from acoustic.losses import Denominator, numerator
from acoustic.mixing import FAR, GENTLE, NEAR, WIDE, Change, Mixer, Recipe, Utterance
from acoustic.network import SUBSAMPLING, Network

TASKS: Final = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Stage:
    """Up to step `until` the rate falls by equal factors from `rate` to `rate_end`.

    `english_batches` of a pool are the second task; `opened` lets in the voices of HELD_OUT_DIGITS, which measure
    what came before.
    """

    until: int
    rate: float
    rate_end: float
    recipe: Recipe = WIDE
    change: Change = FAR
    english_batches: int = 0
    opened: bool = False


STAGES: Final = (
    Stage(2400, 2e-3, 1.2e-3, english_batches=1),
    Stage(12000, 1.2e-3, 5e-4, english_batches=1),
    Stage(19500, 5e-4, 1.5e-4, GENTLE),
    Stage(23700, 1.5e-4, 3e-5, GENTLE, NEAR),
    Stage(24900, 1e-4, 4e-5, GENTLE, NEAR, opened=True),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`align_steps` of cross-entropy from a uniform alignment, then MMI; one stage after the other."""

    stages: tuple[Stage, ...] = STAGES
    align_steps: int = 350
    utterances: int = 16
    pool: int = 6  # batches drawn together and sorted by length
    passes: int = 2  # how often an utterance is heard
    warm_steps: int = 200
    decay: float = 0.998  # of the running mean of the weights
    seed: int = 1
    save_every: int = 31  # pools
    half: bool = True  # the network in bfloat16, its losses and weights in full precision


@dataclass(slots=True)
class Batch:
    """Utterances of similar length, with the network's context around them."""

    frames: Tensor
    lengths: Tensor  # outputs
    words: list[list[list[int]]]
    aligned: Tensor  # (batch, outputs), -1 beyond the end
    task: str


class Supply:
    """The batches of one pool after the other; which they are depends on the seed and the pool's number only.

    Making an utterance costs as much as learning from it, so each is heard in `passes` pools, every time anew.
    """

    def __init__(self, mixer: Mixer, plan: Plan, context: int, english: int) -> None:
        self.mixer, self.plan, self.context, self.english = mixer, plan, context, english
        self._group = -1
        self._made: tuple[list[Utterance], ...] = ()

    def pool(self, number: int) -> list[Batch]:
        """In random order."""
        plan, group = self.plan, number // self.plan.passes
        rng = np.random.default_rng([plan.seed, 77, number])
        if group != self._group:
            made = [self.mixer.make((plan.seed, group, at)) for at in range(plan.utterances * plan.pool)]
            others = [
                self.mixer.make((plan.seed, group, 100000 + at), english=True)
                for at in range(plan.utterances * self.english)
            ]
            self._group, self._made = group, (made, others)
        found = []
        for part, task in zip(self._made, TASKS, strict=True):
            drawn = [part[at] for at in rng.permutation(len(part))]
            drawn.sort(key=lambda one: len(one.powers) + int(rng.integers(0, 30)))
            size = plan.utterances
            for at in range(0, len(drawn), size):
                found.append(_batch(self.mixer, drawn[at : at + size], self.context, task, rng))
        return [found[at] for at in rng.permutation(len(found))]


def _batch(mixer: Mixer, part: list[Utterance], context: int, task: str, rng: np.random.Generator) -> Batch:
    outputs = [(len(one.powers) + SUBSAMPLING - 1) // SUBSAMPLING for one in part]
    size = (max(outputs) - 1) * SUBSAMPLING + 1
    frames = np.zeros((len(part), size + 2 * context, BINS), np.float32)
    aligned = np.full((len(part), max(outputs)), -1, np.int64)
    for row, one in enumerate(part):
        offset = rng.normal(0, 1, BINS) * np.linspace(6.0, 1.5, BINS)
        noisy = mixer.hear(one, rng) + offset.astype(np.float32)
        start = max(0, size + context - len(noisy))
        frames[row] = np.pad(noisy, ((context, start), (0, 0)), mode="edge")[: len(frames[row])]
        taken = one.aligned[::SUBSAMPLING]
        aligned[row, : len(taken)] = taken
        for _ in range(int(rng.integers(0, 3))):  # stretches of time the network does not hear
            at, width = int(rng.integers(0, size)), int(rng.integers(2, 12))
            frames[row, context + at : context + at + width] = frames[row].mean(axis=0)
    return Batch(
        torch.from_numpy(frames),
        torch.tensor(outputs),
        [one.words for one in part],
        torch.from_numpy(aligned),
        task,
    )


def _aligned_loss(out: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy where the first output of a phone and the others have a class each."""
    target = batch.aligned.clone()
    new = torch.ones_like(target, dtype=torch.bool)
    new[:, 1:] = target[:, 1:] != target[:, :-1]
    target = torch.where(target < 0, target, 2 * target + (~new).long())
    return functional.cross_entropy(out.flatten(0, 1), target.flatten(), ignore_index=-1)


def _follow(sequences: list[list[list[int]]]) -> list[list[int]]:
    """Phone sequences as the denominator counts them: now and then with silence between words."""
    rng = np.random.default_rng(3)
    flat = []
    for words in sequences:
        sequence = []
        for word in words:
            sequence += [*word, *([0] if rng.random() < 0.3 else [])]
        flat.append([0, *sequence])
    return flat


class Training:
    """Network, running mean and optimiser, as they stand after `step` steps; goes on from `folder`/checkpoint.pt."""

    def __init__(
        self, mixer: Mixer, plan: Plan, stage: Stage, folder: Path, network: Network | None = None
    ) -> None:
        torch.manual_seed(plan.seed)
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        self.plan, self.stage = plan, stage
        self.checkpoint = folder / "checkpoint.pt"
        self.network = network or Network()
        first = [mixer.make((plan.seed, 999983, at)) for at in range(600)]
        others = [mixer.make((plan.seed, 999983, at), english=True) for at in range(200)]
        rng = np.random.default_rng(plan.seed)
        everything = torch.from_numpy(np.concatenate([mixer.hear(one, rng) for one in first]))
        self.network.mean.copy_(everything.mean(0))
        self.network.scale.copy_(1.0 / (everything.std(0) + 1e-3))
        self.denominators = {
            "zh": Denominator(_follow([one.words for one in first]), len(phones.PHONES)),
            "en": Denominator(_follow([one.words for one in others]), len(english.PHONES)),
        }
        self.supply = Supply(mixer, plan, self.network.context, stage.english_batches)
        self.mean = deepcopy(self.network)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=stage.rate, weight_decay=1e-3)
        self.step, self.pool, self.heard_s = 0, 0, 0.0
        if self.checkpoint.exists():
            self._go_on()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.json").write_text(json.dumps(asdict(plan), indent=1))
        self.network.train()

    def _go_on(self) -> None:
        kept = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.mean.load_state_dict(kept["mean"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.step, self.pool, self.heard_s = kept["step"], kept["pool"], kept["seconds"]

    def save(self) -> None:
        """Whole or not at all."""
        parts = {"network": self.network, "mean": self.mean, "optimizer": self.optimizer}
        state = {name: part.state_dict() for name, part in parts.items()}
        beside = self.checkpoint.with_suffix(".part")
        torch.save({**state, "step": self.step, "pool": self.pool, "seconds": self.heard_s}, beside)
        beside.replace(self.checkpoint)

    def next_pool(self) -> list[tuple[str, float]]:
        """One pool of batches; (task, loss) of each."""
        losses = []
        for batch in self.supply.pool(self.pool):
            for group in self.optimizer.param_groups:
                group["lr"] = _rate(self.plan, self.stage, self.step)
            loss = self._loss(batch)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
            self.optimizer.step()
            self.step += 1
            self.heard_s += float(batch.lengths.sum()) * SUBSAMPLING / 100
            losses.append((batch.task, loss.item()))
            _average(self.mean, self.network, min(self.plan.decay, self.step / (self.step + 20)))
        self.pool += 1
        return losses

    def _loss(self, batch: Batch) -> Tensor:
        with torch.autocast(
            "cpu", torch.bfloat16, enabled=self.plan.half
        ):  # four times as fast where it is in hardware
            out = self.network(batch.frames, batch.task)
        out = out.float()
        if self.step < self.plan.align_steps and batch.task == "zh":
            return _aligned_loss(out, batch)
        better = numerator(out, batch.words, batch.lengths)
        gap = self.denominators[batch.task].score(out, batch.lengths) - better
        keep = gap < 1e4  # an utterance with more phones than outputs has no path
        loss = (gap * keep).sum() / batch.lengths.sum() + 5e-4 * (out**2).mean()
        return loss * 0.5 if batch.task == "en" else loss


def run(
    mixer: Mixer, plan: Plan, stage: Stage, folder: Path, until: int, network: Network | None = None
) -> Network:
    """Trains a stage, or the part of it before step `until`; gives the running mean of the weights."""
    training = Training(mixer, plan, stage, folder, network)
    until = min(until, stage.until)
    began_s, shown, losses = time.monotonic(), training.step, []
    while training.step < until:
        losses += training.next_pool()
        done = training.step >= until
        if training.step - shown >= 50 or done:
            told = {task: _mean([loss for name, loss in losses if name == task]) for task in TASKS}
            spent_s, heard_h = time.monotonic() - began_s, training.heard_s / 3600
            print(training.step, told, f"heard {heard_h:.2f} h", f"{spent_s:.0f} s", flush=True)
            shown, losses = training.step, []
        if training.pool % plan.save_every == 0 or done:
            training.save()
    return training.mean


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _rate(plan: Plan, stage: Stage, step: int) -> float:
    """By equal factors within the stage; at the very beginning it rises."""
    before = [one.until for one in plan.stages if one.until < stage.until]
    begun = max(before, default=0)
    share = min(1.0, (step - begun) / (stage.until - begun))
    return float(
        stage.rate * (stage.rate_end / stage.rate) ** share * min(1.0, (step + 20) / plan.warm_steps)
    )


def _average(mean: Network, network: Network, decay: float) -> None:
    with torch.no_grad():
        for kept, now in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.lerp_(now, 1.0 - decay)
            else:
                kept.copy_(now)
