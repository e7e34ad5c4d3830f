"""SpeechBrain's ECAPA-TDNN, small, with its features and its mean normalisation, and the loss that trains it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import torch
from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, Classifier
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper
from torch import Tensor, nn

from speaker.factors import Factors
from speaker.prepare import FEATURES

VIEWS: Final = (1.0, 0.93, 1.07)  # one voice as it is, and as longer and shorter throats would make it
FACTORS_SHARE: Final = 0.3  # of the cosine


@dataclass(frozen=True, slots=True)
class Size:
    """Of the network."""

    channels: int = 128
    last_channels: int = 384
    attention_channels: int = 64
    se_channels: int = 64
    scale: int = 4
    embedding: int = 160


def ecapa(size: Size) -> ECAPA_TDNN:
    """(batch, frames, mels), normalised -> (batch, 1, embedding)."""
    return ECAPA_TDNN(
        FEATURES["n_mels"],
        lin_neurons=size.embedding,
        channels=[size.channels] * 4 + [size.last_channels],
        attention_channels=size.attention_channels,
        res2net_scale=size.scale,
        se_channels=size.se_channels,
    )


def normalised(frames: Tensor) -> Tensor:
    """Each mel without its mean over the piece, as SpeechBrain's sentence normalisation; (batch, frames, mels)."""
    return frames - frames.mean(dim=1, keepdim=True)


def warp(stretch: float) -> Tensor:
    """(mels, mels): `frames @ warp` are the frames with every frequency multiplied by 1 / `stretch`."""
    mels = FEATURES["n_mels"]
    low, high = (2595 * np.log10(1 + FEATURES[edge] / 700) for edge in ("f_min", "f_max"))
    centres = np.linspace(low, high, mels + 2)[1:-1]
    hz = 700 * (10 ** (centres / 2595) - 1)
    wanted = np.interp(2595 * np.log10(1 + hz * stretch / 700), centres, np.arange(mels))
    return torch.from_numpy(np.maximum(0, 1 - np.abs(np.arange(mels)[:, None] - wanted))).float()


def views() -> Tensor:
    """(views, mels, mels): see VIEWS."""
    return torch.stack([warp(stretch) for stretch in VIEWS])


def joined(vectors: Tensor) -> Tensor:
    """(views, embedding), one network's answers to the views -> one unit vector, (1, views * embedding)."""
    return nn.functional.normalize(vectors, dim=1).reshape(1, -1) / len(VIEWS) ** 0.5


class Encoder(nn.Module):
    """Speech of full scale 1 at 8 kHz, (1, samples) -> a unit vector, (1, size), by SpeechBrain and `Factors`."""

    def __init__(self, network: ECAPA_TDNN, factors: Factors) -> None:
        super().__init__()
        self.fbank = Fbank(**FEATURES)
        self.network, self.factors = network, factors
        self.register_buffer("views", views())

    def forward(self, wave: Tensor) -> Tensor:
        """What the exported graph must equal."""
        return self.vector(self.fbank(wave))

    def vector(self, decibels: Tensor) -> Tensor:
        """(1, frames, mels) -> (1, size): both opinions side by side, so that the cosine is their weighted mean."""
        seen = joined(self.network(normalised(decibels @ self.views))[:, 0])
        heard = self.factors(decibels[0])
        return torch.cat([seen * (1 - FACTORS_SHARE) ** 0.5, heard * FACTORS_SHARE**0.5], dim=1)


def head(size: Size, classes: int) -> Classifier:
    """Cosines to one weight a class."""
    return Classifier(size.embedding, out_neurons=classes)


def loss(margin: float, scale: float) -> LogSoftmaxWrapper:
    """AAM-softmax over (batch, 1, classes) cosines and (batch, 1) labels."""
    return LogSoftmaxWrapper(AdditiveAngularMargin(margin=margin, scale=scale))


def state(network: ECAPA_TDNN, size: Size) -> dict[str, object]:
    """Weights and the size that fits them."""
    return {"size": asdict(size), "network": network.state_dict()}


def restore(kept: dict[str, object]) -> ECAPA_TDNN:
    """The network `state` described, ready to be used."""
    network = ecapa(Size(**kept["size"]))  # type: ignore[arg-type]
    network.load_state_dict(kept["network"])  # type: ignore[arg-type]
    return network.eval()
