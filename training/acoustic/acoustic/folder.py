"""Puts a model's folder together as stock Vosk wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch

from acoustic import features, kaldi
from acoustic.network import Network

DECODING: Final = (
    "--min-active=200\n--max-active=3000\n--beam=11.0\n--lattice-beam=5.0\n--acoustic-scale=1.0\n"
    "--frame-subsampling-factor=3\n--endpoint.silence-phones=1\n--endpoint.rule2.min-trailing-silence=0.5\n"
    "--endpoint.rule3.min-trailing-silence=0.75\n--endpoint.rule4.min-trailing-silence=1.0\n"
)


def load(checkpoint: Path) -> Network:
    """The running mean of the weights in a checkpoint of `train`."""
    network = Network()
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["mean"])
    return network


def write(network: Network, folder: Path) -> None:
    """Writes am/ and conf/; graph/ is written by `graphs`."""
    (folder / "am").mkdir(parents=True, exist_ok=True)
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "am" / "final.mdl").write_bytes(kaldi.final_mdl(network))
    (folder / "conf" / "mfcc.conf").write_text(features.CONFIG)
    (folder / "conf" / "model.conf").write_text(DECODING)
