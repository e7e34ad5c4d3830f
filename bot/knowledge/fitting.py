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
_TRIAL_MAX = 3000  # sentences the logit is fitted on, of a kind
_CHUNK = 1024  # texts compared at a time, to keep memory low

# What a message to `find` is expected to be. Reworded: asked in other words; held out: asked from an angle no
# wording has; orphaned: a bank question the knowledge base has no entry for; other: no question to it at all.
SHARE_REWORDED, SHARE_HELD_OUT, SHARE_ORPHANED, SHARE_OTHER = 0.1, 0.5, 0.2, 0.2


@dataclass(frozen=True, slots=True)
class Trial:
    """The M sentences of the index on which the logit is fitted: those of every so many-th entry, and of none.

    Ten weights need no more of them. `rows` are their places in the index; `likeness` (M, N) to all its sentences;
    `inverse` (M, M) their part of the inverse of the ridge's matrix; `targets` (M, E + 1).
    """

    rows: Ints
    likeness: Floats
    inverse: Floats
    targets: Floats
    owners: Ints
    asked: NDArray[np.bool_]
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
    asked = np.array(corpus.asked)
    tried = _tried(owners, asked)
    targets = np.zeros((len(vectors), entries + 1), dtype=np.float32)
    targets[np.arange(len(vectors)), owners] = 1.0  # NOT_AN_ENTRY is -1: the last column
    dual, likeness, inverse = _ridge(Index(draft, rows), vectors, targets, tried)
    model = replace(draft, dual=np.ascontiguousarray(dual.T))
    at = np.flatnonzero(tried).astype(np.int32)
    shares = tuple(space.known_share_of_held_out(terms[row]) for row in at)
    trial = Trial(at, likeness, inverse, targets[at], owners[at], asked[at], shares)
    index = Index(model, rows)
    cases = [
        *_held_out(model, trial),
        *_orphaned(model, trial),
        *_reworded(index, corpus, trial, Paraphraser(lexicon, reader, SEED), space, reader),
        *_others(index, corpus, space, reader),
    ]
    return space, replace(model, weights=_logit(cases))


def _tried(owners: Ints, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which sentences the logit is fitted on, shape (N,): whole entries, and as large a share of those of none."""
    step = max(1, -(-int(asked.sum()) // _TRIAL_MAX))
    of_none = owners == NOT_AN_ENTRY
    tried: NDArray[np.bool_] = np.where(of_none, np.cumsum(of_none) % step == 1 % step, owners % step == 0)
    return tried


def _ridge(
    index: Index, vectors: Sequence[Sparse], targets: Floats, tried: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """The dual weights (N, E + 1), and of the tried sentences their likeness to all (M, N) and their part of the
    inverse of the ridge's matrix (M, M).

    The tried ones stand last in the matrix: of its inverse the last block is that of the last block of its factor,
    so that nothing else is inverted.
    """
    order = np.concatenate([np.flatnonzero(~tried), np.flatnonzero(tried)])
    count = int(tried.sum())
    kernel = np.empty((order.size, order.size), dtype=np.float32)
    likeness = np.empty((count, order.size), dtype=np.float32)
    at = 0
    for piece in index.likeness([vectors[row] for row in order]):
        kernel[at : at + len(piece)] = sharpened(piece[:, order])
        tail = piece[max(0, order.size - count - at) :]
        if len(tail):
            last = at + len(piece) - order.size + count
            likeness[last - len(tail) : last] = tail
        at += len(piece)
    kernel[np.diag_indices_from(kernel)] += np.float32(RIDGE)
    # The transpose is the same matrix, in the order LAPACK wants: nothing is copied.
    factor = linalg.cholesky(kernel.T, lower=True, overwrite_a=True, check_finite=False)
    dual = np.empty_like(targets)
    dual[order] = linalg.cho_solve((factor, True), targets[order], overwrite_b=True, check_finite=False)
    unit = np.eye(count, dtype=np.float32)
    block = linalg.solve_triangular(factor[-count:, -count:], unit, lower=True, check_finite=False)
    return dual, likeness, block.T @ block


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


def _held_out(model: Model, trial: Trial) -> Iterator[Case]:
    """Each sentence as if it had not been in the index (closed form of leave-one-out)."""
    votes = trial.targets - model.dual[:, trial.rows].T / np.diag(trial.inverse)[:, None]
    asked = int((trial.asked & (trial.owners != NOT_AN_ENTRY)).sum())
    others = int((trial.owners == NOT_AN_ENTRY).sum())
    alone = np.diff(model.first) < 3  # a question and its answer
    for row in np.flatnonzero(trial.asked).tolist():
        owner = int(trial.owners[row])
        if owner != NOT_AN_ENTRY and alone[owner]:
            continue
        near = trial.likeness[row].copy()
        near[trial.rows[row]] = 0.0
        share = SHARE_HELD_OUT / asked if owner != NOT_AN_ENTRY else SHARE_OTHER / 2 / others
        yield _case(model, votes[row], near, trial.known_shares[row], right=owner, weight=share)


def _orphaned(model: Model, trial: Trial) -> Iterator[Case]:
    """Each entry's sentences as if the entry did not exist: none is right, however near its neighbours."""
    owned = trial.owners != NOT_AN_ENTRY
    share = SHARE_ORPHANED / int(trial.asked[owned].sum())
    for entry in np.unique(trial.owners[owned]).tolist():
        block = np.flatnonzero(trial.owners == entry)
        dual = model.dual[:, trial.rows[block]].T
        votes = trial.targets[block] - np.linalg.solve(trial.inverse[np.ix_(block, block)], dual)
        votes[:, entry] = -np.inf
        for row, said in zip(block.tolist(), votes, strict=True):
            if not trial.asked[row]:
                continue
            near = trial.likeness[row].copy()
            near[trial.rows[block]] = 0.0
            yield _case(model, said, near, trial.known_shares[row], right=NOT_AN_ENTRY, weight=share)


def _reworded(
    index: Index, corpus: Corpus, trial: Trial, paraphraser: Paraphraser, space: TermSpace, reader: Reader
) -> Iterator[Case]:
    asked = trial.rows[trial.asked & (trial.owners != NOT_AN_ENTRY)].tolist()
    texts = [
        paraphraser.reword(corpus.texts[row], corpus.texts[asked[(at * _STRIDE + 1) % len(asked)]])
        for at, row in enumerate(asked)
    ]
    owners = [corpus.owners[row] for row in asked]
    yield from _asked(index, [space.vector(reader.read(text)) for text in texts], owners, SHARE_REWORDED)


def _others(index: Index, corpus: Corpus, space: TermSpace, reader: Reader) -> Iterator[Case]:
    step = max(1, -(-len(corpus.spare_others) // _TRIAL_MAX))
    queries = [space.vector(reader.read(text)) for text in corpus.spare_others[::step]]
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
