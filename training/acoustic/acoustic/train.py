"""The training loop. The same seed, corpus and steps give the same weights on the same machine, stopped or not."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from acoustic import english, phones
from acoustic.losses import Denominator, numerator
from acoustic.mixing import Mixer, Utterance
from acoustic.network import SUBSAMPLING, Network


@dataclass(frozen=True, slots=True)
class Plan:
    """`align_steps` of cross-entropy from a uniform alignment, then MMI until `steps`."""

    steps: int = 7200
    open_steps: int = 6000  # until here the voices of HELD_OUT_DIGITS stay out, so that they can measure
    align_steps: int = 900
    utterances: int = 16
    pool: int = 6  # batches drawn together and sorted by length
    rate: float = 2e-3
    rate_end: float = 5e-5
    english_batches: int = 2
    decay: float = 0.998  # of the running mean of the weights
    seed: int = 1
    save_every: int = 250


@dataclass(slots=True)
class Batch:
    """Utterances of similar length, with the network's context around them."""

    frames: Tensor
    lengths: Tensor  # outputs
    words: list[list[list[int]]]
    aligned: Tensor  # (batch, outputs), -1 beyond the end
    task: str


def batches(mixer: Mixer, plan: Plan, pool: int, context: int) -> list[Batch]:
    """The batches of one pool; which they are depends on the seed and the pool's number only."""
    rng = np.random.default_rng([plan.seed, 77, pool])
    made = [mixer.make((plan.seed, pool, at)) for at in range(plan.utterances * plan.pool)]
    made.sort(key=lambda one: len(one.frames))
    cut = [made[at : at + plan.utterances] for at in range(0, len(made), plan.utterances)]
    found = [_batch(part, context, "zh", rng) for part in cut]
    count = plan.english_batches
    others = [mixer.make((plan.seed, pool, 100000 + at), english=True) for at in range(plan.utterances * count)]
    others.sort(key=lambda one: len(one.frames))
    found += [_batch(others[at * plan.utterances : (at + 1) * plan.utterances], context, "en", rng) for at in range(count)]
    return [found[at] for at in rng.permutation(len(found))]


def _batch(part: list[Utterance], context: int, task: str, rng: np.random.Generator) -> Batch:
    outputs = [(len(one.frames) + SUBSAMPLING - 1) // SUBSAMPLING for one in part]
    size = (max(outputs) - 1) * SUBSAMPLING + 1
    frames = np.zeros((len(part), size + 2 * context, part[0].frames.shape[1]), np.float32)
    aligned = np.full((len(part), max(outputs)), -1, np.int64)
    for row, one in enumerate(part):
        offset = rng.normal(0, 1, one.frames.shape[1]) * np.linspace(6.0, 1.5, one.frames.shape[1])
        noisy = one.frames + offset.astype(np.float32)
        start = max(0, size + context - len(noisy))
        frames[row] = np.pad(noisy, ((context, start), (0, 0)), mode="edge")[: len(frames[row])]
        taken = one.aligned[::SUBSAMPLING]
        aligned[row, : len(taken)] = taken
        for _ in range(int(rng.integers(0, 3))):  # stretches of time the network does not hear
            at, width = int(rng.integers(0, size)), int(rng.integers(2, 12))
            frames[row, context + at : context + at + width] = frames[row].mean(axis=0)
    return Batch(
        torch.from_numpy(frames), torch.tensor(outputs), [one.words for one in part], torch.from_numpy(aligned), task
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


def run(mixer: Mixer, plan: Plan, folder: Path, until: int, network: Network | None = None) -> Network:
    """Trains up to step `until`, going on from `folder`/checkpoint.pt when there is one; gives the running mean of the weights."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    folder.mkdir(parents=True, exist_ok=True)
    network = network or Network()
    first = [mixer.make((plan.seed, 999983, at)) for at in range(600)]
    others = [mixer.make((plan.seed, 999983, at), english=True) for at in range(200)]
    everything = torch.from_numpy(np.concatenate([one.frames for one in first]))
    network.mean.copy_(everything.mean(0))
    network.scale.copy_(1.0 / (everything.std(0) + 1e-3))
    denominators = {
        "zh": Denominator(_follow([one.words for one in first]), len(phones.PHONES)),
        "en": Denominator(_follow([one.words for one in others]), len(english.PHONES)),
    }
    mean = deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=1e-3)
    step, pool, seconds = 0, 0, 0.0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=False)
        network.load_state_dict(kept["network"])
        mean.load_state_dict(kept["mean"])
        if "optimizer" in kept:
            optimizer.load_state_dict(kept["optimizer"])
        step, pool, seconds = kept["step"], kept["pool"], kept["seconds"]
    (folder / "plan.json").write_text(json.dumps(asdict(plan), indent=1))
    network.train()
    began, shown, losses = time.monotonic(), step, {"zh": [], "en": []}
    while step < until:
        for batch in batches(mixer, plan, pool, network.context):
            for group in optimizer.param_groups:
                group["lr"] = _rate(plan, step)
            out = network(batch.frames, batch.task)
            if step < plan.align_steps and batch.task == "zh":
                loss = _aligned_loss(out, batch)
            else:
                frames = batch.lengths.sum()
                better = numerator(out, batch.words, batch.lengths)
                all_paths = denominators[batch.task].score(out, batch.lengths)
                gap = all_paths - better
                keep = gap < 1e4  # an utterance with more phones than outputs has no path
                loss = (gap * keep).sum() / frames + 5e-4 * (out**2).mean()
            if batch.task == "en":
                loss = loss * 0.5
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            step += 1
            seconds += float(batch.lengths.sum()) * SUBSAMPLING / 100
            losses[batch.task].append(loss.item())
            _average(mean, network, min(plan.decay, step / (step + 20)))
        pool += 1
        if step - shown >= 50 or step >= until:
            told = {task: round(float(np.mean(values)), 4) for task, values in losses.items() if values}
            print(step, told, f"heard {seconds / 3600:.2f} h", f"{time.monotonic() - began:.0f} s", flush=True)
            shown, losses = step, {"zh": [], "en": []}
        if pool % max(1, plan.save_every // (plan.pool + plan.english_batches)) == 0 or step >= until:
            state = {"network": network.state_dict(), "mean": mean.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "step": step, "pool": pool, "seconds": seconds}, folder / "checkpoint.part")
            (folder / "checkpoint.part").replace(checkpoint)
    return mean


def _rate(plan: Plan, step: int) -> float:
    """Warms up, then falls by equal factors."""
    return float(plan.rate * (plan.rate_end / plan.rate) ** min(1.0, step / plan.steps) * min(1.0, (step + 20) / 200))


def _average(mean: Network, network: Network, decay: float) -> None:
    with torch.no_grad():
        for kept, now in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.lerp_(now, 1.0 - decay)
            else:
                kept.copy_(now)
