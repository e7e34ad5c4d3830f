"""Fitting the model on its own sentences. Deterministic; takes some seconds, hence kept by `store`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
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
from bot.knowledge.space import LATENT_SHARE, Floats, Ints, Postings, Sparse, TermSpace
from bot.knowledge.text import Reader

SEED = 20
DIMENSIONS = 200
RIDGE = 0.5
_OVERSAMPLING = 20
_SWEEPS = 5
_STRIDE = 7919  # from a sentence to the one whose piece is mixed into it
_NEWTON_STEPS_MAX = 30
_NEWTON_PENALTY = 1.0
_STEP_MIN = 1e-7
_CHUNK = 25  # latent dimensions summed at a time, to keep memory low

# What a message to `find` is expected to be. Reworded: asked in other words; held out: asked from an angle no
# wording has; orphaned: a bank question the knowledge base has no entry for; other: no question to it at all.
SHARE_REWORDED, SHARE_HELD_OUT, SHARE_ORPHANED, SHARE_OTHER = 0.4, 0.2, 0.2, 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """What fitting knows of the index's N sentences beyond the model.

    Each one's owner, their likeness to each other (N, N), the inverse of the ridge's matrix (N, N), its
    targets (N, E + 1), and each one's known share.
    """

    owners: Ints
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
    background = [space.vector(reader.read(text)) for text in corpus.background]
    postings = Postings.of(vectors, len(space.terms))
    owners = np.array(corpus.owners, dtype=np.int32)
    projection = _projection([*vectors, *background], len(space.terms))
    latent = _rows_of_length_one(np.stack([each.weights @ projection[each.ids] for each in vectors]))
    likeness = np.stack([postings.inner(each) for each in vectors])
    likeness = np.clip(likeness + np.float32(LATENT_SHARE) * (latent @ latent.T), 0.0, 1.0)
    ridge = np.float32(RIDGE) * np.eye(len(vectors), dtype=np.float32)
    inverse: Floats = np.linalg.inv(sharpened(likeness) + ridge).astype(np.float32)
    targets = np.zeros((len(vectors), entries + 1), dtype=np.float32)
    targets[np.arange(len(vectors)), owners] = 1.0  # NOT_AN_ENTRY is -1: the last column
    model = Model(
        postings=postings,
        first=entry_starts(owners, entries),
        projection=projection,
        latent=latent,
        dual=(inverse @ targets).astype(np.float32),
        weights=np.zeros(OPTION_FEATURES + NONE_FEATURES),
    )
    seen = Seen(owners, likeness, inverse, targets, tuple(each.known_share for each in vectors))
    cases = [
        *_held_out(model, seen),
        *_orphaned(model, seen),
        *_reworded(model, corpus, Paraphraser(lexicon, reader, SEED), space, reader),
        *_others(model, corpus, space, reader),
    ]
    return space, replace(model, weights=_logit(cases))


def _projection(vectors: list[Sparse], terms: int) -> Floats:
    """Latent axes of the texts, shape (terms, dimensions): subspace iteration on their Gram matrix."""
    postings = Postings.of(vectors, terms)
    gram = np.stack([postings.inner(each) for each in vectors])
    dimensions = min(DIMENSIONS, len(vectors))
    width = min(dimensions + _OVERSAMPLING, len(vectors))
    start = np.random.default_rng(SEED).standard_normal((len(vectors), width))
    basis = np.linalg.qr(start.astype(np.float32))[0]
    for _ in range(_SWEEPS):
        basis = np.linalg.qr(gram @ basis)[0]
    values, rotation = np.linalg.eigh(basis.T @ (gram @ basis))
    top = np.argsort(-values, kind="stable")[:dimensions]
    left = (basis @ rotation[:, top]) / np.sqrt(np.maximum(values[top], 1e-6))
    projection = np.zeros((terms, dimensions), dtype=np.float32)
    used = np.flatnonzero(np.diff(postings.starts))
    for at in range(0, dimensions, _CHUNK):
        spread = left[postings.documents, at : at + _CHUNK] * postings.weights[:, None]
        projection[used, at : at + _CHUNK] = np.add.reduceat(spread, postings.starts[used], axis=0)
    return projection


def _rows_of_length_one(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Floats = (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled


def _held_out(model: Model, seen: Seen) -> Iterator[Case]:
    """Each sentence as if it had not been in the index (closed form of leave-one-out)."""
    votes = seen.targets - model.dual / np.diag(seen.inverse)[:, None]
    asked = int(model.first[-1])
    others = seen.owners.size - asked
    alone = np.diff(model.first) < 2
    for row, owner in enumerate(seen.owners.tolist()):
        if owner != NOT_AN_ENTRY and alone[owner]:
            continue
        near = seen.likeness[row].copy()
        near[row] = 0.0
        share = SHARE_HELD_OUT / asked if owner != NOT_AN_ENTRY else SHARE_OTHER / 2 / others
        yield _case(model, votes[row], near, seen.known_shares[row], right=owner, weight=share)


def _orphaned(model: Model, seen: Seen) -> Iterator[Case]:
    """Each entry's sentences as if the entry did not exist: none is right, however near its neighbours."""
    share = SHARE_ORPHANED / int(model.first[-1])
    for entry in range(model.entries):
        block = slice(int(model.first[entry]), int(model.first[entry + 1]))
        votes = seen.targets[block] - np.linalg.solve(seen.inverse[block, block], model.dual[block])
        votes[:, entry] = -np.inf
        for row, said in zip(range(block.start, block.stop), votes, strict=True):
            near = seen.likeness[row].copy()
            near[block] = 0.0
            yield _case(model, said, near, seen.known_shares[row], right=NOT_AN_ENTRY, weight=share)


def _reworded(
    model: Model, corpus: Corpus, paraphraser: Paraphraser, space: TermSpace, reader: Reader
) -> Iterator[Case]:
    total = int(model.first[-1])
    for row in range(total):
        text = paraphraser.reword(corpus.texts[row], corpus.texts[(row * _STRIDE + 1) % total])
        yield _asked(model, space.vector(reader.read(text)), corpus.owners[row], SHARE_REWORDED / total)


def _others(model: Model, corpus: Corpus, space: TermSpace, reader: Reader) -> Iterator[Case]:
    for text in corpus.spare_others:
        share = SHARE_OTHER / 2 / len(corpus.spare_others)
        yield _asked(model, space.vector(reader.read(text)), NOT_AN_ENTRY, share)


def _asked(model: Model, query: Sparse, owner: int, share: float) -> Case:
    likeness = model.likeness(query)
    return _case(model, model.votes(likeness), likeness, query.known_share, right=owner, weight=share)


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
