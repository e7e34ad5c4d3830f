"""Fits an IntentModel with scikit-learn. Imported while training only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from zhanggui_nlu.features import Knowledge, features, is_pair, is_word
from zhanggui_nlu.intent_model import IntentModel, IntentSettings, softmax

TEMPERATURE_UNMEASURED = 0.25  # with too few sentences to hold any out


def class_weights(labels: Sequence[str], power: float) -> dict[str, float]:
    """Weight per intent ~ count ** -power, mean 1 over examples: 0 leaves counts alone, 1 balances fully."""
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    raw = counts.astype(np.float64) ** -power
    scale = counts.sum() / float((raw * counts).sum())
    return {str(name): float(value * scale) for name, value in zip(names, raw, strict=True)}


def _fit(matrix: csr_matrix, labels: np.ndarray, settings: IntentSettings) -> LinearSVC:
    weights = class_weights(labels, settings.balance)
    return LinearSVC(C=settings.c, class_weight=weights, random_state=settings.seed).fit(matrix, labels)


def _planes(model: LinearSVC) -> tuple[np.ndarray, np.ndarray]:
    """Weights (intents, features) and biases (intents,); scikit-learn keeps one plane for two classes."""
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    return np.vstack([-model.coef_, model.coef_]), np.array([-model.intercept_[0], model.intercept_[0]])


def fit_temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """The temperature t that makes softmax(scores / t) most likely. `scores` (sentences, intents), `truth`
    the right column of each row."""

    def loss(log_t: float) -> float:
        chances = softmax(scores / np.exp(log_t))
        return float(-np.log(chances[np.arange(len(truth)), truth] + 1e-12).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 3), method="bounded").x))


def held_out_temperature(matrix: csr_matrix, labels: np.ndarray, settings: IntentSettings) -> float:
    """Temperature from scores of sentences that the scoring model did not see, so that confidence on new
    sentences is a probability. The dev set has no part in it."""
    names, counts = np.unique(labels, return_counts=True)
    folds = settings.calibration_folds
    if folds < 2 or len(labels) < 20 * folds or len(names) < 3:
        return TEMPERATURE_UNMEASURED
    kind = StratifiedKFold if counts.min() >= folds else KFold
    column = {name: i for i, name in enumerate(names)}
    scores = np.full((len(labels), len(names)), -2.0)
    for seen, held in kind(folds, shuffle=True, random_state=settings.seed).split(matrix, labels):
        model = _fit(matrix[seen], labels[seen], settings)
        columns = [column[name] for name in model.classes_]
        weights, bias = _planes(model)
        scores[np.ix_(held, columns)] = matrix[held] @ weights.T + bias
    return fit_temperature(scores, np.asarray([column[label] for label in labels]))


def weight_of(name: str, settings: IntentSettings) -> float:
    """What a feature of this kind counts, beside its rarity."""
    return settings.pair_weight if is_pair(name) else settings.word_weight if is_word(name) else 1.0


def train_intents(
    texts: Sequence[str], intents: Sequence[str], settings: IntentSettings, knowledge: Knowledge
) -> IntentModel:
    """Fits on `texts` and their `intents`; the same input and seed give the same weights."""
    vectorizer = DictVectorizer(dtype=np.float32)
    counts = vectorizer.fit_transform(
        [features(t, knowledge, settings.longest, settings.words) for t in texts]
    )
    weighting = TfidfTransformer(sublinear_tf=True, norm=None)
    weighted = weighting.fit_transform(counts)
    names = vectorizer.get_feature_names_out()
    share = np.asarray([weight_of(name, settings) for name in names], dtype=np.float32)
    matrix, labels = normalize(weighted @ diags(share)).tocsr(), np.asarray(intents)
    model = _fit(matrix, labels, settings)
    weights, bias = _planes(model)
    return IntentModel(
        labels=[str(label) for label in model.classes_],
        vocabulary=dict(vectorizer.vocabulary_),
        scale=(weighting.idf_ * share).astype(np.float32),
        weights=np.ascontiguousarray(weights.T, dtype=np.float32),
        bias=bias.astype(np.float32),
        temperature=held_out_temperature(matrix, labels, settings),
        longest=settings.longest,
        words=settings.words,
        knowledge=knowledge,
    )
