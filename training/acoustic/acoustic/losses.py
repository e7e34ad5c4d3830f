"""Lattice-free MMI, end to end: the words of the utterance against a bigram of phones, over Kaldi's chain topology.

A phone lasts one output or more; its first is scored by column 2 p, the others by 2 p + 1. Silence may stand before,
after and between words.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

FLOOR: Final = -1e30


class Denominator:
    """All sequences of phones, weighted by how often one follows the other."""

    def __init__(self, sequences: list[list[int]], phones: int, smoothing: float = 3.0) -> None:
        counts = np.full((phones, phones), smoothing / phones)
        for sequence in sequences:
            for left, right in zip([0, *sequence], [*sequence, 0], strict=True):
                counts[left, right] += 1.0
        self.follow = torch.tensor(counts / counts.sum(axis=1, keepdims=True), dtype=torch.float32)
        self.start = self.follow[0].clone()
        self.start[0] += 1.0
        self.start /= self.start.sum()

    def score(self, out: Tensor, lengths: Tensor) -> Tensor:
        """Log-sum over all paths of each utterance. `out` (batch, time, 2 * phones)."""
        top = out.detach().amax(dim=2, keepdim=True)
        likely = torch.exp(out - top)
        first, more = likely[:, :, 0::2].unbind(1), likely[:, :, 1::2].unbind(1)
        head = self.start * first[0]
        tail = torch.zeros_like(head)
        total = torch.zeros(len(out))
        alive = (torch.arange(out.shape[1])[None, :] < lengths[:, None]).float()
        for at in range(out.shape[1]):
            if at:
                both = head + tail
                head, tail = (both @ self.follow) * first[at], both * more[at]
            norm = (head.sum(1) + tail.sum(1)).clamp_min(1e-30)
            head, tail = head / norm[:, None], tail / norm[:, None]
            total = total + torch.log(norm) * alive[:, at]
        return total + (top.squeeze(2) * alive).sum(1)


def _states(words: list[list[int]]) -> tuple[list[int], list[bool]]:
    """Phones with a silence that may be left out around every word."""
    sequence, optional = [0], [True]
    for word in words:
        sequence += [*word, 0]
        optional += [False] * len(word) + [True]
    return sequence, optional


def numerator(out: Tensor, words: list[list[list[int]]], lengths: Tensor) -> Tensor:
    """Log-sum over the ways to place the words in each utterance."""
    batch, time, _ = out.shape
    made = [_states(one) for one in words]
    size = max(len(sequence) for sequence, _ in made)
    label = torch.zeros(batch, size, dtype=torch.long)
    skip = torch.full((batch, size), FLOOR)  # from two before, past an optional silence
    begin, end = torch.full((batch, size), FLOOR), torch.full((batch, size), FLOOR)
    for row, (sequence, optional) in enumerate(made):
        count = len(sequence)
        label[row, :count] = torch.tensor(sequence)
        for at in range(2, count):
            if optional[at - 1]:
                skip[row, at] = 0.0
        begin[row, :2] = 0.0
        end[row, max(0, count - 2) : count] = 0.0
    first = torch.gather(out, 2, (2 * label)[:, None, :].expand(-1, time, -1)).unbind(1)
    more = torch.gather(out, 2, (2 * label + 1)[:, None, :].expand(-1, time, -1)).unbind(1)
    wall = torch.full((batch, 2), FLOOR)
    head = begin + first[0]
    tail = torch.full_like(head, FLOOR)
    for at in range(1, time):
        both = torch.logaddexp(head, tail)
        padded = torch.cat([wall, both], dim=1)
        entered = torch.logaddexp(padded[:, 1:-1], padded[:, :-2] + skip)
        alive = (at < lengths)[:, None]
        head = torch.where(alive, entered + first[at], head)
        tail = torch.where(alive, both + more[at], tail)
    return torch.logsumexp(torch.logaddexp(head, tail) + end, dim=1)
