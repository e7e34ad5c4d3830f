"""The term space: which terms there are, how much each tells, and how like two texts are.

Each view (n-grams, synonyms in order, pairs of synonyms) is weighted by inverse document frequency with term
frequency saturating as in BM25, brought to length 1, and scaled by the root of its share, so that the inner
product of two texts is the weighted mean of their cosines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.knowledge.text import Terms

VIEW_SHARES = (0.32, 0.32, 0.2)  # what is left to 1 is the share of the latent view
LATENT_SHARE = 0.16
SATURATION = 1.2  # k1 of BM25
Floats = NDArray[np.float32]
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


def _named(view: int, term: str) -> str:
    return f"{view}{term}"


def _joined(parts: Iterable[NDArray[np.generic]], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    listed = list(parts)
    return np.concatenate(listed) if listed else np.zeros(0, dtype=dtype)
