"""The training loop: crops of changed voices through lines of their own, margin and rate by the step."""

from __future__ import annotations

import math
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from speechbrain.lobes.features import Fbank
from torch import Tensor

from bot.channels.phone.voiceprint.speech import LEVEL
from speaker import network as networks
from speaker.corpus import STUDENTS
from speaker.line import Line
from speaker.network import Size
from speaker.prepare import FEATURES, FULL_SCALE, Voices

SEED: Final = 1
WEIGHTS_FILE: Final = "weights.pt"
_STUDENT_WEIGHT: Final = 2.0
_LONE_WEIGHT: Final = 0.5
_BLANKS: Final = ((1, 0.6, 12), (1, 0.4, 12), (2, 0.6, 9))  # dimension, chance, width at most


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` in all; the margin grows over a quarter of them."""

    steps: int
    crop_s: tuple[float, ...] = (1.0, 1.5, 2.0, 2.5, 3.0)
    batch_s: float = 400.0  # of speech
    stretches: tuple[float, ...] = (1.0, 0.93, 1.07)  # of the frequency axis; each makes another voice
    rate: float = 2e-3
    warm_steps: int = 500
    margin: float = 0.25
    scale: float = 30.0
    weight_decay: float = 2e-2
    decay: float = 0.999  # of the running mean of the weights
    seed: int = SEED
    save_every: int = 1000
    half: bool = True  # the network in bfloat16, its loss and weights in full precision

    def rate_at(self, step: int) -> float:
        """Up in a line, down in a half cosine."""
        if step < self.warm_steps:
            return self.rate * (step + 1) / self.warm_steps
        done = (step - self.warm_steps) / max(1, self.steps - self.warm_steps)
        return self.rate * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


class Supply:
    """Batches without end; which they are depends on the seed and the step only."""

    def __init__(self, voices: Voices, plan: Plan, device: torch.device) -> None:
        self._plan, self._device = plan, device
        self._samples = torch.from_numpy(voices.samples).to(device)
        starts = voices.starts()
        self._starts = torch.from_numpy(starts[:-1]).to(device)
        self._lengths = torch.from_numpy(np.diff(starts)).to(device)
        self._weight = torch.tensor([_weight(name) for name in voices.classes], device=device)
        self._line = Line(torch.from_numpy(voices.noise).to(device))
        self._fbank = Fbank(**FEATURES).to(device)
        self._warps = torch.stack([networks.warp(one) for one in plan.stretches]).to(device)
        self.classes = len(voices.classes) * len(plan.stretches)

    @torch.no_grad()
    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """(batch, frames, mels) normalised, and (batch,) classes."""
        seeds = np.random.default_rng([self._plan.seed, step])
        crop_s = float(seeds.choice(self._plan.crop_s))
        count, samples = int(self._plan.batch_s / crop_s), int(crop_s * 100) * FEATURES["sample_rate"] // 100
        chance = torch.Generator(self._device).manual_seed(int(seeds.integers(2**62)))
        voice = torch.multinomial(self._weight, count, replacement=True, generator=chance)
        heard = self._line.through(self._crops(voice, samples, chance), chance)
        heard = heard - heard.mean(1, keepdim=True)
        heard = heard * (LEVEL / heard.square().mean(1, keepdim=True).sqrt().clamp(min=1e-6))
        kinds = len(self._warps)
        stretch = torch.randint(kinds, (count,), generator=chance, device=self._device)
        frames = networks.normalised(self._fbank(heard) @ self._warps[stretch])
        for blank in _BLANKS:
            frames = _blanked(frames, *blank, chance)
        return frames, voice * kinds + stretch

    def _crops(self, voice: Tensor, samples: int, chance: torch.Generator) -> Tensor:
        """(batch, samples) of the voices, from one recording into the next."""
        length = self._lengths[voice]
        begin = (torch.rand(len(voice), generator=chance, device=self._device) * length).long()
        at = (begin[:, None] + torch.arange(samples, device=self._device)) % length[:, None]
        return self._samples[self._starts[voice][:, None] + at].float() / FULL_SCALE


def _weight(name: str) -> float:
    group = name.split(" ", 1)[0]
    return {"speechocean762": 1.0, STUDENTS: _STUDENT_WEIGHT}.get(group, _LONE_WEIGHT)


def _blanked(frames: Tensor, along: int, share: float, width_max: int, chance: torch.Generator) -> Tensor:
    """Without a stretch of time (along 1) or a band (along 2) in `share` of the rows."""
    count, size = frames.shape[0], frames.shape[along]
    width, place, happens = torch.rand(3, count, 1, generator=chance, device=frames.device)
    width = torch.where(happens < share, 1 + width * width_max, 0.0)
    begin = place * (size - width)
    at = torch.arange(size, device=frames.device)[None]
    gone = (at >= begin) & (at < begin + width.floor())
    return frames.masked_fill(gone[:, :, None] if along == 1 else gone[:, None, :], 0.0)


class Training:
    """Network, head, running mean and optimiser after `step` steps; goes on from `folder`/checkpoint.pt."""

    def __init__(self, voices: Voices, plan: Plan, size: Size, folder: Path, device: str = "cpu") -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.size, self.device = plan, size, torch.device(device)
        if self.device.type == "cpu":
            torch.set_num_threads(1)
            torch.set_flush_denormal(True)
        torch.backends.cudnn.benchmark = True  # few lengths
        self.supply = Supply(voices, plan, self.device)
        self.checkpoint, self.weights = folder / "checkpoint.pt", folder / WEIGHTS_FILE
        self.network = size.network().to(self.device)
        self.head = networks.head(size, self.supply.classes).to(self.device)
        self.mean = deepcopy(self.network)
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *self.head.parameters()],
            lr=plan.rate,
            weight_decay=plan.weight_decay,
            fused=True,
        )
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self._go_on()
        self.network.train()

    def _parts(self) -> dict[str, object]:
        return {"net": self.network, "head": self.head, "mean": self.mean, "optimizer": self.optimizer}

    def _go_on(self) -> None:
        kept = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        for name, part in self._parts().items():
            part.load_state_dict(kept[name])  # type: ignore[attr-defined]
        self.step = kept["step"]

    def save(self) -> None:
        """Whole or not at all. The weights are the running mean, which is what is exported."""
        state = {name: part.state_dict() for name, part in self._parts().items()}  # type: ignore[attr-defined]
        mean = networks.state(self.mean, self.size)
        for file, content in ((self.checkpoint, state), (self.weights, mean)):
            beside = file.with_suffix(".part")
            torch.save({**content, "step": self.step}, beside)
            beside.replace(file)

    def one(self) -> tuple[Tensor, Tensor]:
        """One step; the loss, and the share of right answers without a margin."""
        plan = self.plan
        for group in self.optimizer.param_groups:
            group["lr"] = plan.rate_at(self.step)
        frames, labels = self.supply.batch(self.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=plan.half):
            vectors = self.network(frames)
        cosines = self.head(vectors.float())
        margin = plan.margin * min(1.0, self.step / max(1, plan.steps // 4))
        loss = networks.loss(margin, plan.scale)(cosines, labels[:, None])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        return loss.detach(), (cosines.detach()[:, 0].argmax(1) == labels).float().mean()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.plan.decay, self.step / (self.step + 20))
        own, mean = self.network.state_dict().values(), self.mean.state_dict().values()
        pairs = list(zip(mean, own, strict=True))
        moving = [(kept, new) for kept, new in pairs if kept.is_floating_point()]
        torch._foreach_lerp_([kept for kept, _ in moving], [new for _, new in moving], 1 - decay)
        for kept, new in pairs:
            if not kept.is_floating_point():
                kept.copy_(new)


def run(voices: Voices, plan: Plan, size: Size, folder: Path, device: str = "cpu") -> None:
    """All steps of the plan, unless they are done already; says every 100 how it goes."""
    done = folder / WEIGHTS_FILE
    if done.exists() and torch.load(done, map_location="cpu", weights_only=True)["step"] == plan.steps:
        return
    training = Training(voices, plan, size, folder, device)
    seen, begun = list[tuple[Tensor, Tensor]](), time.monotonic()
    while training.step < plan.steps:
        seen.append(training.one())
        if training.step % 100 == 0 or training.step == plan.steps:
            loss, right = (float(torch.stack(of).mean()) for of in zip(*seen, strict=True))
            pace = (time.monotonic() - begun) / len(seen)
            print(f"step {training.step} loss {loss:.3f} right {right:.3f} {pace:.3f} s a step", flush=True)
            seen, begun = [], time.monotonic()
        if training.step % plan.save_every == 0 or training.step == plan.steps:
            training.save()
