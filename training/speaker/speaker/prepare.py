"""Everything that costs time, done once: changed voices through many telephones, as log mel energies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from acoustic import telephone
from speechbrain.lobes.features import Fbank

from bot.channels.phone.voiceprint.speech import LEVEL, spoken
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


@dataclass(slots=True)
class Bank:
    """Frames of all pieces one after the other; piece i is `frames[starts[i]:starts[i + 1]]`, of class `labels[i]`."""

    frames: np.ndarray  # (frames, mels) float16, dB
    starts: np.ndarray
    labels: np.ndarray
    classes: list[str]  # "set speaker speed"
    noise: np.ndarray  # (kinds, frames, mels) float16, dB, at the level of speech
    straight: np.ndarray  # bool, a piece: through G.711 and nothing else

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        beside = path.with_suffix(".part.npz")
        np.savez(
            beside,
            frames=self.frames,
            starts=self.starts,
            labels=self.labels,
            classes=np.array(self.classes),
            noise=self.noise,
            straight=self.straight,
        )
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> Bank:
        """What `save` wrote."""
        with np.load(path) as kept:
            frames, starts, labels = kept["frames"], kept["starts"], kept["labels"]
            return cls(frames, starts, labels, list(kept["classes"]), kept["noise"], kept["straight"])


def features(wave: np.ndarray, maker: Fbank) -> np.ndarray:
    """(frames, mels) in dB. `wave` has full scale 1."""
    with torch.no_grad():
        return maker(torch.from_numpy(wave[None])).numpy()[0]


def _straight(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Through G.711 and nothing else, at a usual level."""
    level = np.sqrt((wave**2).mean()) + 1e-3
    louder = wave / level * 10 ** rng.uniform(2.6, 3.5)
    return telephone.mu_law(louder) if rng.random() < 0.5 else telephone.a_law(louder)


def prepare(
    folder: Path, chosen: list[Recording], seed: int, speeds: tuple[int, ...] = SPEEDS_PERCENT
) -> Bank:
    """Each recording in each voice three times: straight through the codec, and twice through a line of its own."""
    rng = np.random.default_rng(seed)
    maker = Fbank(**FEATURES)
    voices = [
        corpus.telephone_rate(*corpus.read(folder / one.path))
        for one in chosen[:: max(1, len(chosen) // 200)]
    ]
    backgrounds = telephone.noises(rng, voices)
    classes = sorted({f"{one.set} {one.speaker} {speed}" for one in chosen for speed in speeds})
    number = {name: at for at, name in enumerate(classes)}
    frames, labels, straight = list[np.ndarray](), list[int](), list[bool]()
    for one in chosen:
        samples, rate = corpus.read(folder / one.path)
        for speed in speeds:
            wave = corpus.telephone_rate(samples, rate, speed)
            lines = [telephone.through(wave, rng, backgrounds, 10.0) for _ in range(2)]
            for at, heard in enumerate((_straight(wave, rng), *lines)):
                speech = spoken(heard)
                if len(speech) < LENGTH_MIN:
                    continue
                frames.append(features(speech, maker).astype(np.float16))
                labels.append(number[f"{one.set} {one.speaker} {speed}"])
                straight.append(at == 0)
    starts = np.concatenate([[0], np.cumsum([len(one) for one in frames])])
    noise = np.stack([features((one * LEVEL).astype(np.float32), maker) for one in backgrounds])
    arrays = np.concatenate(frames), starts, np.array(labels)
    return Bank(*arrays, classes, noise.astype(np.float16), np.array(straight))
