"""Fitting the model on its own sentences. Deterministic; takes some seconds, hence kept by `store`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bot.knowledge.corpus import NOT_AN_ENTRY, Corpus
from bot.knowledge.lexicon import Lexicon
from bot.knowledge.model import (
    NONE_FEATURES,
    OPTION_FEATURES,
    Model,
    entry_starts,
    option_features,
    sharpened,
    softmax,
)
from bot.knowledge.paraphrase import Paraphraser
from bot.knowledge.space import Axes, Floats, Ints, Postings, Sparse, TermSpace
from bot.knowledge.text import Reader

SEED = 20
DIMENSIONS = 200
RIDGE = 0.5
_SWEEPS = 3
_COMMON_MIN = 3  # texts a term must occur in to have a direction of its own
_STRIDE = 7919  # from a sentence to the one whose piece is mixed into it
_NEWTON_STEPS_MAX = 30
_NEWTON_PENALTY = 1.0
_STEP_MIN = 1e-7
_CHUNK = 1024  # texts compared at a time, to keep memory low

# What a message to `find` is expected to be. Reworded: asked in other words; held out: asked from an angle no
# wording has; orphaned: a bank question the knowledge base has no entry for; other: no question to it at all.
SHARE_REWORDED, SHARE_HELD_OUT, SHARE_ORPHANED, SHARE_OTHER = 0.1, 0.5, 0.2, 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """What fitting knows of the index's N sentences beyond the model.

    Each one's owner and whether it is a question as asked, their likeness to each other (N, N), the inverse of
    the ridge's matrix (N, N), its targets (N, E + 1), and each one's known share.
    """

    owners: Ints
    asked: NDArray[np.bool_]
    likeness: Floats
    inverse: Floats
    targets: Floats
    known_shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One example for the logit: the options' features, which of them is right, and its weight."""

    features: NDArray[np.float64]
    right: int
    weight: float


def fit(corpus: Corpus, entries: int, lexicon: Lexicon, reader: Reader) -> tuple[TermSpace, Model]:
    """The term space and the model of a corpus with so many entries. Uses one core."""
    with threadpool_limits(limits=1, user_api="blas"):
        return _fit(corpus, entries, lexicon, reader)


def _fit(corpus: Corpus, entries: int, lexicon: Lexicon, reader: Reader) -> tuple[TermSpace, Model]:
    terms = [reader.read(text) for text in corpus.texts]
    space = TermSpace.of(terms)
    vectors = [space.vector(each) for each in terms]
    rows = _rows(vectors, len(space.terms))
    owners = np.array(corpus.owners, dtype=np.int32)
    axes = _axes(rows, corpus, space, reader)
    folded = _folded(axes, rows)
    draft = Model(
        postings=Postings.of(vectors, len(space.terms)),
        first=entry_starts(owners, entries),
        axes=axes,
        folded=folded,
        dual=np.zeros((entries + 1, 0), dtype=np.float32),
        weights=np.zeros(OPTION_FEATURES + NONE_FEATURES),
    )
    index = Index(draft, rows)
    likeness = np.empty((len(vectors), len(vectors)), dtype=np.float32)
    for number, piece in enumerate(index.likeness(vectors)):
        likeness[number * _CHUNK : (number + 1) * _CHUNK] = piece
    inverse = _inverse(sharpened(likeness))
    targets = np.zeros((len(vectors), entries + 1), dtype=np.float32)
    targets[np.arange(len(vectors)), owners] = 1.0  # NOT_AN_ENTRY is -1: the last column
    model = replace(draft, dual=np.ascontiguousarray((inverse @ targets).T))
    asked = np.array(corpus.asked)
    shares = tuple(space.known_share_of_held_out(each) for each in terms)
    seen = Seen(owners, asked, likeness, inverse, targets, shares)
    index = Index(model, rows)
    cases = [
        *_held_out(model, seen),
        *_orphaned(model, seen),
        *_reworded(index, corpus, Paraphraser(lexicon, reader, SEED), space, reader),
        *_others(index, corpus, space, reader),
    ]
    return space, replace(model, weights=_logit(cases))


@dataclass(frozen=True, slots=True)
class Index:
    """The model with its sentences as rows of a sparse matrix (N, T), to compare many texts at once."""

    model: Model
    rows: sparse.csr_matrix

    def likeness(self, queries: Sequence[Sparse]) -> Iterator[Floats]:
        """`Model.likeness` of texts, in pieces of shape (up to _CHUNK, N)."""
        for at in range(0, len(queries), _CHUNK):
            piece = _rows(queries[at : at + _CHUNK], self.rows.shape[1])
            inner = (piece @ self.rows.T).toarray() + _folded(self.model.axes, piece) @ self.model.folded.T
            yield np.clip(inner, 0.0, 1.0, dtype=np.float32)


def _rows(vectors: Sequence[Sparse], terms: int) -> sparse.csr_matrix:
    starts = np.concatenate([[0], np.cumsum([vector.ids.size for vector in vectors])])
    ids = np.concatenate([vector.ids for vector in vectors])
    weights = np.concatenate([vector.weights for vector in vectors])
    return sparse.csr_matrix((weights, ids, starts), shape=(len(vectors), terms), dtype=np.float32)


def _folded(axes: Axes, rows: sparse.csr_matrix) -> Floats:
    """`Axes.fold` of texts over the terms (M, T), shape (M, D). Terms are renamed to their rows of the projection,
    so that rare ones, which share one row of zeros, cost nothing.
    """
    renamed = (rows.data, axes.rows[rows.indices], rows.indptr)
    kept = sparse.csr_matrix(renamed, shape=(rows.shape[0], axes.projection.shape[0]))
    return axes.scaled(kept @ axes.projection.astype(np.float32))


def _axes(rows: sparse.csr_matrix, corpus: Corpus, space: TermSpace, reader: Reader) -> Axes:
    """Latent axes by truncated singular value decomposition of all that is said; topics by mean directions."""
    read = {text: space.vector(reader.read(text)) for text in dict.fromkeys(corpus.background)}
    said = [vector for vector in read.values() if vector.ids.size]
    everything = sparse.vstack([rows, *([_rows(said, rows.shape[1])] if said else [])]).tocsr()
    dimensions = min(DIMENSIONS, *everything.shape)
    latent = randomized_svd(everything, dimensions, n_iter=_SWEEPS, random_state=SEED)[2].T
    topics = np.zeros((rows.shape[1], len(corpus.topics)), dtype=np.float32)
    for column, texts in enumerate(corpus.topics.values()):
        for text in texts:
            topics[read[text].ids, column] += read[text].weights
    topics /= np.maximum(np.linalg.norm(topics, axis=0), 1e-9)
    common = np.bincount(everything.indices, minlength=rows.shape[1]) >= _COMMON_MIN
    return Axes.of(np.concatenate([latent, topics], axis=1).astype(np.float32), common, dimensions)


def _inverse(kernel: Floats) -> Floats:
    """The inverse of the kernel with the ridge on its diagonal, by Cholesky, in the memory of the kernel itself."""
    kernel[np.diag_indices_from(kernel)] += np.float32(RIDGE)
    # The transpose is the same matrix, in the order LAPACK wants: nothing is copied.
    factor = linalg.cholesky(kernel.T, lower=True, overwrite_a=True, check_finite=False)
    inverse: Floats
    inverse, failed = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    assert failed == 0, "a kernel with a ridge on its diagonal has an inverse"
    for at in range(0, len(inverse), _CHUNK):  # LAPACK fills the lower half only
        end = at + _CHUNK
        lower = np.tril(inverse[at:end, at:end])
        inverse[at:end, at:end] = lower + np.tril(lower, -1).T
        inverse[at:end, end:] = inverse[end:, at:end].T
    return inverse


def _held_out(model: Model, seen: Seen) -> Iterator[Case]:
    """Each sentence as if it had not been in the index (closed form of leave-one-out)."""
    votes = seen.targets - model.dual.T / np.diag(seen.inverse)[:, None]
    asked = int((seen.asked & (seen.owners != NOT_AN_ENTRY)).sum())
    others = int((seen.owners == NOT_AN_ENTRY).sum())
    alone = np.diff(model.first) < 3  # a question and its answer
    for row in np.flatnonzero(seen.asked).tolist():
        owner = int(seen.owners[row])
        if owner != NOT_AN_ENTRY and alone[owner]:
            continue
        near = seen.likeness[row].copy()
        near[row] = 0.0
        share = SHARE_HELD_OUT / asked if owner != NOT_AN_ENTRY else SHARE_OTHER / 2 / others
        yield _case(model, votes[row], near, seen.known_shares[row], right=owner, weight=share)


def _orphaned(model: Model, seen: Seen) -> Iterator[Case]:
    """Each entry's sentences as if the entry did not exist: none is right, however near its neighbours."""
    share = SHARE_ORPHANED / int(seen.asked[: model.first[-1]].sum())
    for entry in range(model.entries):
        block = slice(int(model.first[entry]), int(model.first[entry + 1]))
        votes = seen.targets[block] - np.linalg.solve(seen.inverse[block, block], model.dual[:, block].T)
        votes[:, entry] = -np.inf
        for row, said in zip(range(block.start, block.stop), votes, strict=True):
            if not seen.asked[row]:
                continue
            near = seen.likeness[row].copy()
            near[block] = 0.0
            yield _case(model, said, near, seen.known_shares[row], right=NOT_AN_ENTRY, weight=share)


def _reworded(
    index: Index, corpus: Corpus, paraphraser: Paraphraser, space: TermSpace, reader: Reader
) -> Iterator[Case]:
    asked = [row for row in range(int(index.model.first[-1])) if corpus.asked[row]]
    texts = [
        paraphraser.reword(corpus.texts[row], corpus.texts[asked[(at * _STRIDE + 1) % len(asked)]])
        for at, row in enumerate(asked)
    ]
    owners = [corpus.owners[row] for row in asked]
    yield from _asked(index, [space.vector(reader.read(text)) for text in texts], owners, SHARE_REWORDED)


def _others(index: Index, corpus: Corpus, space: TermSpace, reader: Reader) -> Iterator[Case]:
    queries = [space.vector(reader.read(text)) for text in corpus.spare_others]
    yield from _asked(index, queries, [NOT_AN_ENTRY] * len(queries), SHARE_OTHER / 2)


def _asked(index: Index, queries: Sequence[Sparse], owners: Sequence[int], share: float) -> Iterator[Case]:
    model = index.model
    rows = (row for piece in index.likeness(queries) for row in zip(piece, _votes(model, piece), strict=True))
    for query, owner, (likeness, votes) in zip(queries, owners, rows, strict=True):
        weight = share / len(queries)
        yield _case(model, votes, likeness, query.known_share, right=owner, weight=weight)


def _votes(model: Model, likeness: Floats) -> Floats:
    said: Floats = sharpened(likeness) @ model.dual.T
    return said


def _case(
    model: Model, votes: Floats, likeness: Floats, known_share: float, *, right: int, weight: float
) -> Case:
    numbers, features = option_features(votes, likeness, model.first, known_share)
    found = np.flatnonzero(numbers == right)
    return Case(features, int(found[0]) if found.size else numbers.size, weight)


def _logit(cases: list[Case]) -> NDArray[np.float64]:
    """Weights of the conditional logit: Newton's method on the penalised likelihood."""
    rows = max(case.features.shape[0] for case in cases)
    features = np.stack([case.features for case in cases if case.features.shape[0] == rows])
    right = np.array([case.right for case in cases if case.features.shape[0] == rows])
    shares = np.array([case.weight for case in cases if case.features.shape[0] == rows])
    shares *= shares.size / shares.sum()
    weights = np.zeros(features.shape[2])
    best = _likelihood(features, right, shares, weights)
    for _ in range(_NEWTON_STEPS_MAX):
        chances = softmax(features @ weights)
        expected = np.einsum("ij,ijk->ik", chances, features)
        slope = shares @ (features[np.arange(right.size), right] - expected) - _NEWTON_PENALTY * weights
        spread = features - expected[:, None, :]
        curve = np.einsum("i,ij,ijk,ijl->kl", shares, chances, spread, spread, optimize=True)
        step = np.linalg.solve(curve + _NEWTON_PENALTY * np.eye(weights.size), slope)
        reached = _likelihood(features, right, shares, weights + step)
        while reached < best and float(np.abs(step).max()) > _STEP_MIN:
            step /= 2
            reached = _likelihood(features, right, shares, weights + step)
        if reached <= best:
            break
        weights, best = weights + step, reached
    return weights


def _likelihood(
    features: NDArray[np.float64],
    right: NDArray[np.int64],
    shares: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> float:
    chances = softmax(features @ weights)[np.arange(right.size), right]
    return float(shares @ np.log(np.maximum(chances, 1e-300)) - _NEWTON_PENALTY / 2 * (weights @ weights))
