"""SpeechBrain's ECAPA-TDNN and ResNet, small, with its features, its mean normalisation and its loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, Classifier
from speechbrain.lobes.models.ResNet import ResNet
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper
from torch import Tensor, nn

from speaker.factors import Factors
from speaker.prepare import FEATURES

FACTORS_SHARE: Final = 0.2  # of the cosine; the networks share the rest


@dataclass(frozen=True, slots=True)
class Ecapa:
    """A network over time whose channels are mels. (batch, frames, mels), normalised -> (batch, 1, embedding)."""

    channels: int = 256
    last_channels: int = 768
    attention_channels: int = 64
    se_channels: int = 64
    scale: int = 8
    embedding: int = 192
    views: tuple[float, ...] = (
        1.0,
        0.93,
        1.07,
    )  # a voice as it is, as a longer and as a shorter throat makes it

    def network(self) -> nn.Module:
        """With weights by chance."""
        return ECAPA_TDNN(
            FEATURES["n_mels"],
            lin_neurons=self.embedding,
            channels=[self.channels] * 4 + [self.last_channels],
            attention_channels=self.attention_channels,
            res2net_scale=self.scale,
            se_channels=self.se_channels,
        )


@dataclass(frozen=True, slots=True)
class Resnet:
    """A network over time and frequency alike. Shapes as those of `Ecapa`."""

    channels: tuple[int, ...] = (16, 32, 64, 96)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    embedding: int = 192
    views: tuple[float, ...] = (1.0,)

    def network(self) -> nn.Module:
        """With weights by chance."""
        of = ResNet(
            FEATURES["n_mels"],
            channels=list(self.channels),
            block_sizes=list(self.blocks),
            lin_neurons=self.embedding,
        )
        return nn.Sequential(of.to(memory_format=torch.channels_last), nn.Unflatten(1, (1, self.embedding)))


KINDS: Final = {"ecapa": Ecapa, "resnet": Resnet}
Size = Ecapa | Resnet


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


class Opinion(nn.Module):
    """One network, asked for each view of a voice. (1, frames, mels) -> a unit vector, (1, views * embedding)."""

    def __init__(self, network: nn.Module, size: Size) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("views", torch.stack([warp(stretch) for stretch in size.views]))

    def forward(self, decibels: Tensor) -> Tensor:
        """See the class."""
        vectors = self.network(normalised(decibels @ self.views))[:, 0]
        return nn.functional.normalize(vectors, dim=1).reshape(1, -1) / len(self.views) ** 0.5


class Encoder(nn.Module):
    """Speech of full scale 1 at 8 kHz, (1, samples) -> a unit vector, (1, size), by SpeechBrain and `Factors`."""

    def __init__(self, opinions: Sequence[Opinion], factors: Factors) -> None:
        super().__init__()
        self.fbank = Fbank(**FEATURES)
        self.opinions, self.factors = nn.ModuleList(opinions), factors

    def forward(self, wave: Tensor) -> Tensor:
        """What the exported graph must equal."""
        return self.vector(self.fbank(wave))

    def vector(self, decibels: Tensor) -> Tensor:
        """(1, frames, mels) -> (1, size): all opinions side by side, so that the cosine is their weighted mean."""
        share = (1 - FACTORS_SHARE) / len(self.opinions)
        seen = [opinion(decibels) * share**0.5 for opinion in self.opinions]
        heard = self.factors(decibels[0]) * FACTORS_SHARE**0.5
        return torch.cat([*seen, heard], dim=1)


def head(size: Size, classes: int) -> Classifier:
    """Cosines to one weight a class."""
    return Classifier(size.embedding, out_neurons=classes)


def loss(margin: float, scale: float) -> LogSoftmaxWrapper:
    """AAM-softmax over (batch, 1, classes) cosines and (batch, 1) labels."""
    return LogSoftmaxWrapper(AdditiveAngularMargin(margin=margin, scale=scale))


def state(network: nn.Module, size: Size) -> dict[str, object]:
    """Weights and the size that fits them."""
    kind = next(name for name, of in KINDS.items() if isinstance(size, of))
    return {"kind": kind, "size": asdict(size), "network": network.state_dict()}


def restore(kept: dict[str, Any]) -> Opinion:
    """The network `state` described, ready to be used."""
    size = KINDS[kept["kind"]](**kept["size"])
    network = size.network()
    network.load_state_dict(kept["network"])
    return Opinion(network, size).eval()
