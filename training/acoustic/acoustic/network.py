"""The network: a factorised TDNN that gives an output every third frame. Everything in it folds into Kaldi's
FixedAffine and RectifiedLinear components."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from acoustic import english, phones
from acoustic.features import BINS

SUBSAMPLING: Final = 3
REACH: Final = 2 + 1  # frames of the two layers before subsampling


class Block(nn.Module):
    """Two time-delay layers around a bottleneck, at a third of the frame rate, beside a way past them."""

    def __init__(self, width: int, bottleneck: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.down = nn.Linear(2 * width, bottleneck, bias=False)
        self.up = nn.Linear(2 * bottleneck, width, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to (batch, time - 2 * stride, width)."""
        s = self.stride
        narrow = self.down(torch.cat([x[:, :-s], x[:, s:]], dim=2))  # at t: frames t and t + s
        wide = self.up(torch.cat([narrow[:, :-s], narrow[:, s:]], dim=2))
        wide = self.norm(wide.flatten(0, 1)).view_as(wide)
        return torch.relu(wide) + x[:, s:-s]


class Network(nn.Module):
    """Two tasks over one trunk: Mandarin, which is exported, and English, which lends its speakers."""

    def __init__(
        self, width: int = 384, bottleneck: int = 128, strides: tuple[int, ...] = (1, 1, 1, 1, 2, 2, 1)
    ) -> None:
        super().__init__()
        self.width, self.bottleneck, self.strides = width, bottleneck, strides
        self.register_buffer("mean", torch.zeros(BINS))
        self.register_buffer("scale", torch.ones(BINS))
        self.first = nn.Linear(5 * BINS, 128, bias=False)
        self.first_norm = nn.BatchNorm1d(128)
        self.second = nn.Linear(3 * 128, width, bias=False)
        self.second_norm = nn.BatchNorm1d(width)
        self.blocks = nn.ModuleList([Block(width, bottleneck, stride) for stride in strides])
        self.last = nn.Linear(width, 192, bias=False)
        self.last_norm = nn.BatchNorm1d(192)
        self.heads = nn.ModuleDict(
            {"zh": nn.Linear(192, 2 * len(phones.PHONES)), "en": nn.Linear(192, 2 * len(english.PHONES))}
        )
        for head in self.heads.values():
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    @property
    def context(self) -> int:
        """Frames needed before and after the first and last output."""
        return REACH + SUBSAMPLING * sum(self.strides)

    def forward(self, frames: Tensor, task: str) -> Tensor:
        """(batch, time, BINS), already with `context` frames on both sides, to (batch, outputs, 2 * phones).

        Output i belongs to frame 3 i. Of a phone's pair the first scores its first frame, the second the others.
        """
        x = (frames - self.mean) * self.scale
        count = x.shape[1]
        x = torch.cat([x[:, at : count - 4 + at] for at in range(5)], dim=2)
        x = _normed(self.first(x), self.first_norm)
        outputs = (x.shape[1] - 3) // SUBSAMPLING + 1
        x = torch.cat(
            [x[:, at : at + SUBSAMPLING * (outputs - 1) + 1 : SUBSAMPLING] for at in range(3)], dim=2
        )
        x = _normed(self.second(x), self.second_norm)
        for block in self.blocks:
            x = block(x)
        x = _normed(self.last(x), self.last_norm)
        return self.heads[task](x)


def _normed(x: Tensor, norm: nn.BatchNorm1d) -> Tensor:
    return torch.relu(norm(x.flatten(0, 1)).view_as(x))
