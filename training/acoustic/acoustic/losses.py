"""Lattice-free MMI, end to end: the words of the utterance against a bigram of phones, over Kaldi's chain topology.

A phone lasts one output or more; its first is scored by column 2 p, the others by 2 p + 1. Silence may stand before,
after and between words. Both sums go forward and backward over time in numpy, several times as fast as through
autograd: their gradients are the shares of paths that pass through an output.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

_LEAST: Final = 1e-290


class Denominator:
    """All sequences of phones, weighted by how often one follows the other."""

    def __init__(self, sequences: list[list[int]], phones: int, smoothing: float = 3.0) -> None:
        counts = np.full((phones, phones), smoothing / phones)
        for sequence in sequences:
            for left, right in zip([0, *sequence], [*sequence, 0], strict=True):
                counts[left, right] += 1.0
        self.follow = (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
        self.start = self.follow[0].copy()
        self.start[0] += 1.0
        self.start /= self.start.sum()

    def score(self, out: Tensor, lengths: Tensor) -> Tensor:
        """Log-sum over all paths of each utterance. `out` (batch, time, 2 * phones)."""
        found: Tensor = _AllPaths.apply(out, lengths, self.follow, self.start)
        return found


class _AllPaths(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, out: Tensor, lengths: Tensor, follow: np.ndarray, start: np.ndarray) -> Tensor:
        """Keeps the gradient, which the way back only has to weigh."""
        scores = out.detach().numpy().transpose(1, 0, 2)
        top = scores.max(axis=2, keepdims=True)
        likely = np.exp(scores - top)
        first, more = np.ascontiguousarray(likely[:, :, 0::2]), np.ascontiguousarray(likely[:, :, 1::2])
        count, batch, phones = first.shape
        heads, tails = np.empty_like(first), np.empty_like(more)
        norms = np.empty((count, batch, 1), np.float32)
        head, tail = start * first[0], np.zeros((batch, phones), np.float32)
        for at in range(count):
            if at:
                both = heads[at - 1] + tails[at - 1]
                head, tail = (both @ follow) * first[at], both * more[at]
            norm = np.maximum((head + tail).sum(axis=1, keepdims=True), 1e-30)
            np.divide(head, norm, out=heads[at])
            np.divide(tail, norm, out=tails[at])
            norms[at] = norm
        alive = np.arange(count)[:, None] < lengths.numpy()[None, :]
        total = ((np.log(norms) + top)[:, :, 0] * alive).sum(axis=0)
        share = np.zeros_like(likely)
        after = np.ones((batch, phones), np.float32)  # what follows an output, by the phone it belongs to
        back = follow.T.copy()
        for at in range(count - 1, -1, -1):
            if at + 1 < count:
                after = np.where(alive[at + 1][:, None], after, np.float32(1.0))
            share[at, :, 0::2] = heads[at] * after
            share[at, :, 1::2] = tails[at] * after
            after = ((first[at] * after) @ back + more[at] * after) / norms[at]
        share *= alive[:, :, None]
        ctx.save_for_backward(torch.from_numpy(np.ascontiguousarray(share.transpose(1, 0, 2))))
        return torch.from_numpy(total)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The shares, weighed."""
        (share,) = ctx.saved_tensors
        return share * grad[:, None, None], None, None, None


def _by_batch(shares: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """(time, batch, places) to (batch, time, places), nothing after an utterance's end."""
    return (shares * alive[:, :, None]).astype(np.float32).transpose(1, 0, 2)


def _states(words: list[list[int]]) -> tuple[list[int], list[bool]]:
    """Phones with a silence that may be left out around every word."""
    sequence, optional = [0], [True]
    for word in words:
        sequence += [*word, 0]
        optional += [False] * len(word) + [True]
    return sequence, optional


def numerator(out: Tensor, words: list[list[list[int]]], lengths: Tensor) -> Tensor:
    """Log-sum over the ways to place the words in each utterance; hugely negative where there is none."""
    found: Tensor = _Placings.apply(out, words, lengths)
    return found


class _Placings(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, out: Tensor, words: list[list[list[int]]], lengths: Tensor) -> Tensor:
        """Keeps the gradient, which the way back only has to weigh."""
        batch, count, _ = out.shape
        made = [_states(one) for one in words]
        size = max(len(sequence) for sequence, _ in made)
        label = np.zeros((batch, size), np.int64)
        skip = np.zeros((batch, size))  # may be entered from two before, past an optional silence
        begin, end = np.zeros((batch, size)), np.zeros((batch, size))
        for row, (sequence, optional) in enumerate(made):
            label[row, : len(sequence)] = sequence
            skip[row, 2 : len(sequence)] = optional[1 : len(sequence) - 1]
            begin[row, :2] = 1.0
            end[row, max(0, len(sequence) - 2) : len(sequence)] = 1.0
        scores = out.detach().numpy().transpose(1, 0, 2).astype(np.float64)
        rows = np.arange(batch)[:, None]
        first, more = scores[:, rows, 2 * label], scores[:, rows, 2 * label + 1]
        top = np.maximum(first.max(axis=2), more.max(axis=2))[:, :, None]
        first, more = np.exp(first - top), np.exp(more - top)
        alive = np.arange(count)[:, None] < lengths.numpy()[None, :]
        heads, tails = np.empty_like(first), np.empty_like(more)
        norms = np.ones((count, batch, 1))
        head, tail = begin * first[0], np.zeros((batch, size))
        for at in range(count):
            if at:
                both = heads[at - 1] + tails[at - 1]
                entered = np.zeros((batch, size))
                entered[:, 1:] = both[:, :-1]
                entered[:, 2:] += both[:, :-2] * skip[:, 2:]
                head, tail = entered * first[at], both * more[at]
            norm = np.maximum((head + tail).sum(axis=1, keepdims=True), _LEAST)
            np.divide(head, norm, out=heads[at])
            np.divide(tail, norm, out=tails[at])
            norms[at] = norm
        last = np.asarray(lengths) - 1
        ended = ((heads + tails)[last, np.arange(batch)] * end).sum(axis=1)
        total = ((np.log(norms) + top)[:, :, 0] * alive).sum(axis=0) + np.log(np.maximum(ended, _LEAST))
        total = np.where(ended > _LEAST, total, -1e30)
        after = closing = end / np.maximum(ended, _LEAST)[:, None]
        for at in range(count - 1, -1, -1):
            if at + 1 < count:
                after = np.where(alive[at + 1][:, None], after, closing)
            heads[at] *= after
            tails[at] *= after
            entering = first[at] * after
            before = more[at] * after
            before[:, :-1] += entering[:, 1:]
            before[:, :-2] += entering[:, 2:] * skip[:, 2:]
            after = before / norms[at]
        which = (label[:, :, None] == np.arange(out.shape[2] // 2)).astype(np.float32)  # phone of a place
        share = np.empty(out.shape, np.float32)
        share[:, :, 0::2] = _by_batch(heads, alive) @ which
        share[:, :, 1::2] = _by_batch(tails, alive) @ which
        ctx.save_for_backward(torch.from_numpy(share))
        return torch.from_numpy(total).float()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The shares, weighed."""
        (share,) = ctx.saved_tensors
        return share * grad[:, None, None], None, None
