"""One ONNX file with features, normalisation and network; equal to SpeechBrain's parts, which is checked on the way."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from bot.channels.phone.unreported import unreported
from speaker.network import Encoder

OPSET: Final = 17
UNLIKE_MAX: Final = 2e-3  # of any component of a unit vector
HALVE_FROM: Final = 32_768  # weights of a tensor; smaller ones are worth little room
_AMIN, _TOP_DB = 1e-10, 80.0


class Graph(nn.Module):
    """`Encoder` with a Fourier transform that every ONNX runtime knows: two convolutions."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        stft, bank = encoder.fbank.compute_STFT, encoder.fbank.compute_fbanks
        size, window = stft.n_fft, stft.window
        self.hop, self.pad = stft.hop_length, size // 2
        before = (size - len(window)) // 2
        padded = torch.zeros(size)
        padded[before : before + len(window)] = window
        turn = (
            2
            * math.pi
            * torch.outer(torch.arange(size // 2 + 1.0), torch.arange(float(size))).double()
            / size
        )
        waves = torch.cat([torch.cos(turn), -torch.sin(turn)]) * padded
        self.register_buffer("waves", waves.float()[:, None])
        self.register_buffer("mels", mel_matrix(bank))

    def forward(self, wave: Tensor) -> Tensor:
        """(1, samples) -> (1, size), a unit vector."""
        padded = nn.functional.pad(wave[:, None], (self.pad, self.pad))
        parts = nn.functional.conv1d(padded, self.waves, stride=self.hop).transpose(1, 2)
        real, imaginary = parts.chunk(2, dim=2)
        energies = (real**2 + imaginary**2) @ self.mels
        decibels = 10.0 * torch.log10(torch.clamp(energies, min=_AMIN))
        decibels = torch.maximum(decibels, decibels.amax(dim=(1, 2), keepdim=True) - _TOP_DB)
        return self.encoder.vector(decibels)


def mel_matrix(bank: nn.Module) -> Tensor:
    """SpeechBrain's filters, (bins, mels), read off their answer to one bin at a time."""
    log, bank.log_mel = bank.log_mel, False
    matrix = bank(torch.eye(bank.n_stft)[None])[0]
    bank.log_mel = log
    return matrix.detach().clone()


def waves_for_parity(seed: int = 5) -> list[np.ndarray]:
    """Speech-like noise of several lengths, float32."""
    rng = np.random.default_rng(seed)
    made = []
    for seconds in (0.5, 1.3, 4.0):
        time = np.arange(int(seconds * 8000)) / 8000
        voice = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20))
        made.append(
            0.02 * voice * (1 + np.sin(2 * np.pi * 4 * time)) + 0.005 * rng.standard_normal(len(time))
        )
    return [one.astype(np.float32) for one in made]


def write(encoder: Encoder, file: Path, steps: int) -> float:
    """The file, and the largest difference between it and SpeechBrain. Raises ValueError if that is too large."""
    encoder = encoder.eval()
    graph = Graph(encoder).eval()
    file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            (torch.from_numpy(waves_for_parity()[1][None]),),
            str(file),
            input_names=["wave"],
            output_names=["embedding"],
            dynamic_axes={"wave": {1: "samples"}},
            opset_version=OPSET,
            do_constant_folding=False,  # what follows from the weights is made when the file is loaded
            dynamo=False,
        )
    model = onnx.load(str(file))
    for key, value in {"rate_hz": "8000", "steps": str(steps), "made_by": "training/speaker"}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    _halve(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))
    unlike = difference(encoder, file)
    if unlike > UNLIKE_MAX:
        raise ValueError(f"the graph differs from SpeechBrain by {unlike}")
    return unlike


def _halve(graph: onnx.GraphProto) -> None:
    """Keeps large weights in 16 bits; the graph widens them when it is loaded and counts in 32."""
    kept, casts = [], []
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < HALVE_FROM:
            kept.append(weight)
            continue
        half = onnx.numpy_helper.to_array(weight).astype(np.float16)
        kept.append(onnx.numpy_helper.from_array(half, weight.name + "_half"))
        casts.append(
            onnx.helper.make_node("Cast", [weight.name + "_half"], [weight.name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def difference(encoder: Encoder, file: Path) -> float:
    """The largest of any component, over pieces of several lengths."""
    unreported()
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    worst = 0.0
    for wave in waves_for_parity():
        with torch.no_grad():
            wanted = encoder(torch.from_numpy(wave[None])).numpy()
        (found,) = session.run(["embedding"], {"wave": wave[None]})
        worst = max(worst, float(np.abs(wanted - found).max()))
    return worst
