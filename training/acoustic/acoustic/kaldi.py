"""Writes Kaldi's binary formats: the transition model and an nnet3 network of fixed affine layers."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Final

import numpy as np
import torch

from acoustic import phones
from acoustic.features import BINS
from acoustic.network import SUBSAMPLING, Block, Network

POSITIONS: Final = ("B", "E", "I", "S")
GAP: Final = f"{phones.SIL}_I"


def phone_table() -> list[str]:
    """Kaldi's phones from number 1: silence, every phone by its place in the word, silence inside a word."""
    return [phones.SIL, *(f"{phone}_{place}" for phone in phones.PHONES[1:] for place in POSITIONS), GAP]


def base(kaldi_phone: int) -> int:
    """The network's phone of one of Kaldi's."""
    if kaldi_phone in (1, len(phone_table())):
        return 0
    return (kaldi_phone - 2) // len(POSITIONS) + 1


class _Writer:
    def __init__(self) -> None:
        self.out = BytesIO()

    def token(self, text: str) -> None:
        self.out.write(text.encode() + b" ")

    def integer(self, value: int) -> None:
        self.out.write(b"\x04" + struct.pack("<i", value))

    def real(self, value: float) -> None:
        self.out.write(b"\x04" + struct.pack("<f", value))

    def double(self, value: float) -> None:
        self.out.write(b"\x08" + struct.pack("<d", value))

    def integers(self, values: list[int]) -> None:
        self.out.write(b"\x04" + struct.pack("<i", len(values)) + np.asarray(values, "<i4").tobytes())

    def vector(self, values: np.ndarray) -> None:
        self.token("FV")
        self.integer(len(values))
        self.out.write(np.asarray(values, "<f4").tobytes())

    def matrix(self, values: np.ndarray) -> None:
        self.token("FM")
        self.integer(values.shape[0])
        self.integer(values.shape[1])
        self.out.write(np.ascontiguousarray(values, "<f4").tobytes())


def _transition_model(w: _Writer) -> None:
    """Chain topology: transition-ids 2 i - 1 stay in phone i, 2 i enter it. Places in the word share their scores."""
    count = len(phone_table())
    w.token("<TransitionModel>")
    w.token("<Topology>")
    w.integers(list(range(1, count + 1)))
    w.integers([-1, *([0] * count)])
    w.integer(-1)  # forward and self-loop have scores of their own
    w.integer(1)
    w.integer(2)
    for entry in ([(0, 1), [(0, 0.5), (1, 0.5)]], [(-1, -1), []]):
        w.integer(entry[0][0])
        w.integer(entry[0][1])
        w.integer(len(entry[1]))
        for state, chance in entry[1]:
            w.integer(state)
            w.real(chance)
    w.token("</Topology>")
    w.token("<Tuples>")
    w.integer(count)
    for phone in range(1, count + 1):
        for value in (phone, 0, 2 * base(phone), 2 * base(phone) + 1):
            w.integer(value)
    w.token("</Tuples>")
    w.token("<LogProbs>")
    w.vector(np.concatenate([[0.0], np.full(2 * count, np.log(0.5))]))
    w.token("</LogProbs>")
    w.token("</TransitionModel>")


def _folded(linear: torch.nn.Linear, norm: torch.nn.BatchNorm1d) -> tuple[np.ndarray, np.ndarray]:
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (linear.weight * gain[:, None]).detach().numpy(), (
        norm.bias - norm.running_mean * gain
    ).detach().numpy()


class _Net:
    """Collects the components and the lines that connect them."""

    def __init__(self) -> None:
        self.lines = [f"input-node name=input dim={BINS}"]
        self.parts: list[tuple[str, np.ndarray | int, np.ndarray | None]] = []

    def affine(self, name: str, source: str, weight: np.ndarray, bias: np.ndarray) -> str:
        self.parts.append((name, weight, bias))
        self.lines.append(f"component-node name={name} component={name} input={source}")
        return name

    def relu(self, name: str, source: str, dim: int) -> str:
        self.parts.append((name, dim, None))
        self.lines.append(f"component-node name={name} component={name} input={source}")
        return name

    def join(self, name: str, left: str, right: str, dim: int) -> str:
        self.parts.append((name, -dim, None))
        self.lines.append(f"component-node name={name} component={name} input=Sum({left}, {right})")
        return name


def _spread(source: str, offsets: tuple[int, ...]) -> str:
    return "Append(" + ", ".join(source if not at else f"Offset({source}, {at})" for at in offsets) + ")"


def _block(net: _Net, name: str, source: str, block: Block, width: int) -> str:
    reach = SUBSAMPLING * block.stride
    down = block.down.weight.detach().numpy()
    narrow = net.affine(f"{name}.down", _spread(source, (-reach, 0)), down, np.zeros(len(down)))
    wide = net.affine(f"{name}.up", _spread(narrow, (0, reach)), *_folded(block.up, block.norm))
    return net.join(f"{name}.sum", net.relu(f"{name}.relu", wide, width), source, width)


def _layers(network: Network) -> _Net:
    net = _Net()
    weight, bias = _folded(network.first, network.first_norm)
    scale, mean = network.scale.repeat(5).numpy(), network.mean.repeat(5).numpy()
    weight = weight * scale
    at = net.affine("first", _spread("input", (-2, -1, 0, 1, 2)), weight, bias - weight @ mean)
    at = net.relu("first.relu", at, len(bias))
    at = net.affine("second", _spread(at, (-1, 0, 1)), *_folded(network.second, network.second_norm))
    at = net.relu("second.relu", at, network.width)
    for number, block in enumerate(network.blocks):
        at = _block(net, f"block{number}", at, block, network.width)
    at = net.affine("last", at, *_folded(network.last, network.last_norm))
    at = net.relu("last.relu", at, network.last.out_features)
    head = network.heads["zh"]
    at = net.affine("head", at, head.weight.detach().numpy(), head.bias.detach().numpy())
    net.lines.append(f"output-node name=output input={at} objective=linear")
    return net


def _network(w: _Writer, network: Network) -> None:
    net = _layers(network)
    w.token("<Nnet3>")
    w.out.write(("\n" + "\n".join(net.lines) + "\n\n").encode())
    w.token("<NumComponents>")
    w.integer(len(net.parts))
    for name, value, bias in net.parts:
        w.token("<ComponentName>")
        w.token(name)
        if bias is not None:
            assert isinstance(value, np.ndarray)
            w.token("<FixedAffineComponent>")
            w.token("<LinearParams>")
            w.matrix(value)
            w.token("<BiasParams>")
            w.vector(bias)
            w.token("</FixedAffineComponent>")
        elif value < 0:
            w.token("<NoOpComponent>")
            w.token("<Dim>")
            w.integer(-value)
            w.token("<BackpropScale>")
            w.real(1.0)
            w.token("</NoOpComponent>")
        else:
            w.token("<RectifiedLinearComponent>")
            _nonlinear(w, value)
            w.token("</RectifiedLinearComponent>")
    w.token("</Nnet3>")


def _nonlinear(w: _Writer, dim: int) -> None:
    w.token("<Dim>")
    w.integer(dim)
    w.token("<ValueAvg>")
    w.vector(np.zeros(0))
    w.token("<DerivAvg>")
    w.vector(np.zeros(0))
    w.token("<Count>")
    w.double(0.0)
    w.token("<OderivRms>")
    w.vector(np.zeros(0))
    w.token("<OderivCount>")
    w.double(0.0)


def final_mdl(network: Network) -> bytes:
    """The bytes of final.mdl."""
    network = network.eval()
    w = _Writer()
    w.out.write(b"\0B")
    _transition_model(w)
    _network(w, network)
    w.token("<LeftContext>")
    w.integer(network.context)
    w.token("<RightContext>")
    w.integer(network.context)
    w.token("<Priors>")
    w.vector(np.zeros(0))
    return w.out.getvalue()
