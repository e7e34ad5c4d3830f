"""Puts a model's folder together as stock Vosk wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch

from acoustic import features, kaldi
from acoustic.network import Network

# The call loop ends a sentence, never the model: after an end of its own Vosk may find a word in the silence left over.
_NEVER_S: Final = 60
DECODING: Final = (
    "--min-active=200\n--max-active=3000\n--beam=16.0\n--lattice-beam=5.0\n--acoustic-scale=1.0\n"
    "--frame-subsampling-factor=3\n--endpoint.silence-phones=1\n"
    + "".join(f"--endpoint.rule{rule}.min-trailing-silence={_NEVER_S}\n" for rule in range(1, 5))
    + f"--endpoint.rule5.min-utterance-length={_NEVER_S}\n"
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
