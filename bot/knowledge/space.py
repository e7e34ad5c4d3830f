"""The term space: which terms there are, how much each tells, and how like two texts are.

Each view (n-grams, synonyms in order, pairs of synonyms) is weighted by inverse document frequency with term
frequency saturating as in BM25, brought to length 1, and scaled by the root of its share, so that the inner
product of two texts is the weighted mean of their cosines. Two dense views join them (`Axes`): latent axes of
all that is said to the assistant, and how near a text is to the matters (intents) customers come with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.knowledge.text import Terms

VIEW_SHARES = (0.22, 0.22, 0.14)
LATENT_SHARE, TOPIC_SHARE = 0.21, 0.21  # with the three above 1
SATURATION = 1.2  # k1 of BM25
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sparse:
    """One text: ids of its known terms, their weights, and the known share of its n-grams (0..1)."""

    ids: Ints
    weights: Floats
    known_share: float


class TermSpace:
    """Terms of all views with their ids and inverse document frequencies."""

    def __init__(self, terms: Sequence[str], idf: Floats) -> None:
        self.terms = tuple(terms)
        self.idf = idf
        self._ids = {term: number for number, term in enumerate(self.terms)}
        self._idf_unknown = float(idf.max(initial=1.0))

    @classmethod
    def of(cls, texts: Sequence[Terms]) -> TermSpace:
        """The space of the texts that will be compared with."""
        found: Counter[str] = Counter()
        for text in texts:
            names = {_named(view, term) for view, terms in enumerate(text.views) for term in terms}
            found.update(sorted(names))
        frequency = np.array(list(found.values()), dtype=np.float64)
        idf = np.log(1 + (len(texts) - frequency + 0.5) / (frequency + 0.5))
        return cls(tuple(found), idf.astype(np.float32))

    def known_share_of_held_out(self, text: Terms) -> float:
        """The known share of a text of the space itself, had it not been there: n-grams of its own are unknown."""
        counts = Counter(text.views[0])
        at = np.array([self._ids[_named(0, term)] for term in counts], dtype=np.int32)
        count_of = np.array(list(counts.values()), dtype=np.float32)
        weight = self.idf[at] * count_of * (SATURATION + 1) / (count_of + SATURATION)
        own = self.idf[at] >= self._idf_unknown
        known = float(weight[~own].sum())
        return known / (known + self._idf_unknown * float(own.sum())) if counts else 0.0

    def vector(self, text: Terms) -> Sparse:
        """The vector of one text; empty when it knows no term of it."""
        ids: list[int] = []
        weights: list[Floats] = []
        known_share = 0.0
        for view, (terms, share) in enumerate(zip(text.views, VIEW_SHARES, strict=True)):
            counts = Counter(terms)
            numbered = ((self._ids.get(_named(view, term)), count) for term, count in counts.items())
            known = [(number, count) for number, count in numbered if number is not None]
            if not known:
                continue
            at = np.array([number for number, _ in known], dtype=np.int32)
            count_of = np.array([count for _, count in known], dtype=np.float32)
            weight = self.idf[at] * count_of * (SATURATION + 1) / (count_of + SATURATION)
            if view == 0:
                unknown = self._idf_unknown * (len(counts) - len(known))
                known_share = float(weight.sum() / (weight.sum() + unknown))
            ids.extend(at.tolist())
            weights.append((weight * np.sqrt(share) / np.linalg.norm(weight)).astype(np.float32))
        joined = np.concatenate(weights) if weights else np.zeros(0, dtype=np.float32)
        return Sparse(np.array(ids, dtype=np.int32), joined, known_share)


@dataclass(frozen=True, slots=True)
class Postings:
    """For each term t the texts it occurs in: `documents[starts[t]:starts[t + 1]]`, `weights` beside them."""

    starts: Ints
    documents: Ints
    weights: Floats
    size: int

    @classmethod
    def of(cls, vectors: Sequence[Sparse], terms: int) -> Postings:
        """The postings of texts over a space of so many terms."""
        ids = _joined((vector.ids for vector in vectors), np.dtype(np.int32))
        weights = _joined((vector.weights for vector in vectors), np.dtype(np.float32))
        sizes = [vector.ids.size for vector in vectors]
        documents = np.repeat(np.arange(len(vectors), dtype=np.int32), sizes)
        order = np.argsort(ids, kind="stable")
        starts = np.zeros(terms + 1, dtype=np.int32)
        starts[1:] = np.cumsum(np.bincount(ids, minlength=terms))
        return cls(starts, documents[order], weights[order].astype(np.float32), len(vectors))

    def inner(self, query: Sparse) -> Floats:
        """Inner products of a text with every text held, shape (size,)."""
        if not query.ids.size:
            return np.zeros(self.size, dtype=np.float32)
        first, last = self.starts[query.ids], self.starts[query.ids + 1]
        spans = [slice(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        documents = np.concatenate([self.documents[span] for span in spans])
        weights = np.concatenate([self.weights[span] for span in spans])
        weights = weights * np.repeat(query.weights, last - first)
        return np.bincount(documents, weights, minlength=self.size).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Axes:
    """The dense views: a term's row of `projection` (K, latent + topics) leads to latent axes, then to topics.

    `rows` (T,) names each term's row; the rare ones, which no axis can know anything of, share a row of zeros.
    """

    projection: Halves
    rows: Ints
    latent: int  # columns before those of the topics

    @classmethod
    def of(cls, directions: Floats, common: NDArray[np.bool_], latent: int) -> Axes:
        """Directions (T, latent + topics) of all terms, of which the `common` (T,) are kept."""
        rows = np.where(common, np.cumsum(common), 0).astype(np.int32)
        kept = np.concatenate([np.zeros_like(directions[:1]), directions[common]])
        return cls(kept.astype(np.float16), rows, latent)

    def fold(self, text: Sparse) -> Floats:
        """One text on the axes, shape (latent + topics,), scaled by the roots of both shares."""
        raw = np.einsum("i,ij->j", text.weights, self.projection[self.rows[text.ids]].astype(np.float32))
        folded: Floats = self.scaled(raw[None, :])[0]
        return folded

    def scaled(self, raw: Floats) -> Floats:
        """Texts' sums over their terms (M, latent + topics) with each view brought to its share's length.

        A text is near to most topics a little; only what is above its mean tells.
        """
        topics = raw[:, self.latent :]
        if topics.shape[1]:
            topics = np.maximum(topics - topics.mean(axis=1, keepdims=True), 0.0)
        parts = ((raw[:, : self.latent], LATENT_SHARE), (topics, TOPIC_SHARE))
        scaled = [part * np.float32(np.sqrt(share)) / _lengths(part) for part, share in parts]
        return np.concatenate(scaled, axis=1, dtype=np.float32)


def _lengths(rows: Floats) -> Floats:
    lengths: Floats = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9).astype(np.float32)
    return lengths


def _named(view: int, term: str) -> str:
    return f"{view}{term}"


def _joined(parts: Iterable[NDArray[np.generic]], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    listed = list(parts)
    return np.concatenate(listed) if listed else np.zeros(0, dtype=dtype)
