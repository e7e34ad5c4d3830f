"""Fits an IntentModel with scikit-learn. Imported while training only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.svm import LinearSVC

from zhanggui_nlu.features import Concepts, features
from zhanggui_nlu.intent_model import IntentModel, IntentSettings, softmax


def class_weights(labels: Sequence[str], power: float) -> dict[str, float]:
    """Weight per intent ~ count ** -power, mean 1 over examples: 0 leaves counts alone, 1 balances fully."""
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    raw = counts.astype(np.float64) ** -power
    scale = counts.sum() / float((raw * counts).sum())
    return {str(name): float(value * scale) for name, value in zip(names, raw)}


def _fit(matrix, labels, settings):
    weights = class_weights(labels, settings.balance)
    model = LinearSVC(C=settings.c, class_weight=weights, random_state=settings.seed)
    return model.fit(matrix, labels)


def _scores(model, matrix):
    scores = model.decision_function(matrix)
    return scores if scores.ndim == 2 else np.stack([-scores, scores], axis=1)


def fit_temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """The temperature that makes softmax(scores / t) most likely, by log loss. `truth`: column numbers."""

    def loss(log_t: float) -> float:
        chances = softmax(scores / np.exp(log_t))
        return float(-np.log(chances[np.arange(len(truth)), truth] + 1e-12).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 3), method="bounded").x))


def train_intents(texts: Sequence[str], intents: Sequence[str], settings: IntentSettings, concepts: Concepts) -> IntentModel:
    """Fits on `texts` and their `intents`."""
    vectorizer = DictVectorizer(dtype=np.float32)
    counts = vectorizer.fit_transform([features(t, concepts, settings.longest) for t in texts])
    weighting = TfidfTransformer(sublinear_tf=True)
    matrix = weighting.fit_transform(counts)
    labels = np.asarray(intents)
    model = _fit(matrix, labels, settings)
    coef, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coef, bias = np.vstack([-coef, coef]), np.array([-bias[0], bias[0]])
    return IntentModel(
        [str(label) for label in model.classes_],
        {name: column for name, column in vectorizer.vocabulary_.items()},
        weighting.idf_.astype(np.float32),
        np.ascontiguousarray(coef.T, dtype=np.float32),
        bias.astype(np.float32),
        0.3,
        settings.longest,
        concepts,
    )
