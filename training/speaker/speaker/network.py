"""SpeechBrain's ECAPA-TDNN, small, with its features and its mean normalisation, and the loss that trains it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, Classifier
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper
from torch import Tensor, nn

from speaker.prepare import FEATURES


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


class Encoder(nn.Module):
    """Speech of full scale 1 at 8 kHz, (1, samples) -> a unit vector, (1, embedding), by SpeechBrain's own parts."""

    def __init__(self, network: ECAPA_TDNN) -> None:
        super().__init__()
        self.fbank = Fbank(**FEATURES)
        self.network = network

    def forward(self, wave: Tensor) -> Tensor:
        """What the exported graph must equal."""
        vector = self.network(normalised(self.fbank(wave)))[:, 0]
        return nn.functional.normalize(vector, dim=1)


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
