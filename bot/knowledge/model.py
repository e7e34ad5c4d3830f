"""The fitted model: how like a text is to every known sentence, and which entries that speaks for.

1. The kernel of a text with every sentence of the index: weighted mean of cosines over five views, sharpened.
2. Kernel ridge regression over the entries, with one for "none of them", for those with the nearest sentences.
3. A conditional logit over the best entries and the option "none": its probabilities are the scores.

What runs per message uses einsum, which stays on one core and gives the same figures whatever the number of
threads; matrix libraries would fan out for products this small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.knowledge.corpus import NOT_AN_ENTRY
from bot.knowledge.space import Axes, Floats, Ints, Postings, Sparse

SHARPNESS = 1.5  # exponent on the kernel: near sentences count for more than many far ones
CANDIDATES = 8
SHORTLIST = 64  # entries whose votes are counted for a message
OPTION_FEATURES = 4
NONE_FEATURES = 6
_VOTE_MIN = -1.0


@dataclass(frozen=True, slots=True)
class Model:
    """Everything `find` computes with. N sentences in the index, E entries, T terms, D latent dimensions."""

    postings: Postings
    first: Ints  # (E + 1,) where each entry's sentences begin; those of no entry follow
    axes: Axes  # T terms to D axes
    folded: Floats  # (N, D) the index's sentences on the axes
    dual: Floats  # (E + 1, N) ridge weights; the last row is "none"
    weights: NDArray[np.float64]  # (OPTION_FEATURES + NONE_FEATURES,) of the logit

    @property
    def entries(self) -> int:
        """Number of entries."""
        return int(self.first.size - 1)

    def likeness(self, query: Sparse) -> Floats:
        """The kernel of a text with every sentence of the index, 0..1, shape (N,)."""
        inner = self.postings.inner(query)
        inner += np.einsum("ij,j->i", self.folded, self.axes.fold(query))
        return np.clip(inner, 0.0, 1.0)

    def votes(self, likeness: Floats) -> Floats:
        """What the ridge regression says for each entry and for none, shape (E + 1,); -inf when not near."""
        near = nearest(likeness, self.first)
        shortlist = np.argsort(-near, kind="stable")[:SHORTLIST]
        counted = np.append(shortlist, self.entries)
        said = np.full(self.entries + 1, -np.inf, dtype=np.float32)
        said[counted] = np.einsum("ij,j->i", self.dual[counted], sharpened(likeness))
        return said

    def probabilities(self, votes: Floats, likeness: Floats, known_share: float) -> tuple[Ints, Floats]:
        """The best entries' numbers and the probability of each; what is left to 1 is that of none."""
        numbers, features = option_features(votes, likeness, self.first, known_share)
        return numbers, softmax(features @ self.weights)[:-1].astype(np.float32)


def sharpened(likeness: Floats) -> Floats:
    """The likeness as the ridge regression sees it."""
    raised: Floats = np.power(likeness, np.float32(SHARPNESS))
    return raised


def nearest(likeness: Floats, first: Ints) -> Floats:
    """The likeness of each entry's nearest sentence, shape (E,). Every entry has one."""
    best: Floats = np.maximum.reduceat(likeness[: first[-1]], first[:-1])
    return best


def option_features(
    votes: Floats, likeness: Floats, first: Ints, known_share: float
) -> tuple[Ints, NDArray[np.float64]]:
    """The best entries and the features of each with those of "none" as the last row.

    votes (E + 1,), likeness (N,), first (E + 1,). An entry whose votes are -inf is no option.
    """
    count = first.size - 1
    best = np.argsort(-votes[:count], kind="stable")[:CANDIDATES].astype(np.int32)
    vote = np.maximum(votes[best].astype(np.float64), _VOTE_MIN)
    near = nearest(likeness, first)
    nearest_any = float(near.max(initial=0.0))
    nearest_other = float(likeness[first[-1] :].max(initial=0.0))
    top = max(float(vote[0]), 0.0)
    features = np.zeros((best.size + 1, OPTION_FEATURES + NONE_FEATURES))
    features[:-1, 0] = vote
    features[:-1, 1] = vote * vote
    features[:-1, 2] = near[best]
    features[:-1, 3] = near[best] ** 2
    none = (1.0, float(votes[count]), nearest_other, nearest_other - nearest_any, known_share, top)
    features[-1, OPTION_FEATURES:] = none
    return best, features


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities over the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def entry_starts(owners: Ints, entries: int) -> Ints:
    """Where each entry's sentences begin; one more for where the sentences of no entry begin."""
    kept = owners[owners != NOT_AN_ENTRY]
    return np.searchsorted(kept, np.arange(entries + 1)).astype(np.int32)
