"""Names the intent of a sentence: a linear softmax over weighted features, run with NumPy alone.

Running needs no scikit-learn (a second at start, 100 MB), and the file format is arrays and JSON, not
pickle: loading a model executes nothing.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zhanggui_nlu.errors import ModelError
from zhanggui_nlu.features import Knowledge, features


@dataclass(frozen=True)
class IntentSettings:
    """How intents are learnt; each value is the one that won on the dev set (docs/decisions/0001). `words`,
    the longest word n-gram, is 0 for Chinese, which is written without blanks."""

    longest: int = 2
    words: int = 0
    c: float = 1.0
    pair_weight: float = 0.7
    word_weight: float = 1.0
    balance: float = 0.5
    calibration_folds: int = 2
    seed: int = 7


@dataclass
class IntentModel:
    """Scores every intent. `weights` has shape (features, intents), `bias` (intents,); a probability is
    softmax(scores / temperature)."""

    labels: list[str]
    vocabulary: dict[str, int]
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    longest: int
    words: int
    knowledge: Knowledge

    def row(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Column numbers and unit-length values of the known features of `text`."""
        vocabulary = self.vocabulary
        found = [
            (vocabulary[name], count)
            for name, count in features(text, self.knowledge, self.longest, self.words).items()
            if name in vocabulary
        ]
        if not found:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        columns = np.fromiter((column for column, _ in found), dtype=np.int64, count=len(found))
        counts = np.fromiter((count for _, count in found), dtype=np.float32, count=len(found))
        values = (1.0 + np.log(counts)) * self.scale[columns]
        return columns, values / math.sqrt(float(values @ values))

    def scores(self, text: str) -> np.ndarray:
        """Unscaled scores, shape (intents,)."""
        columns, values = self.row(text)
        return values @ self.weights[columns] + self.bias if len(columns) else self.bias

    def probabilities(self, text: str) -> np.ndarray:
        """Probabilities in the order of `labels`, shape (intents,), summing to 1."""
        return softmax(self.scores(text)[None, :] / self.temperature)[0]

    def save(self, folder: Path) -> None:
        """Writes `intent.npz` and `intent.json` into `folder`."""
        np.savez_compressed(
            folder / "intent.npz", scale=self.scale, weights=self.weights.astype(np.float16), bias=self.bias
        )
        head = {
            "labels": self.labels,
            "temperature": self.temperature,
            "longest": self.longest,
            "words": self.words,
            "concepts": self.knowledge.concepts,
            "lexicons": self.knowledge.lexicons,
            "vocabulary": sorted(self.vocabulary, key=self.vocabulary.__getitem__),
        }
        (folder / "intent.json").write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Reads what `save` wrote. Raises ModelError when a piece is missing or does not fit."""
        try:
            head = json.loads((folder / "intent.json").read_text(encoding="utf-8"))
            with np.load(folder / "intent.npz", allow_pickle=False) as arrays:
                weights = arrays["weights"].astype(np.float32)
                scale, bias = arrays["scale"], arrays["bias"]
            vocabulary = {name: column for column, name in enumerate(head["vocabulary"])}
            if weights.shape != (len(vocabulary), len(head["labels"])):
                raise ModelError("The intent model's weights do not fit its vocabulary and labels.")
            knowledge = Knowledge(head["concepts"], head["lexicons"])
            return cls(
                labels=head["labels"],
                vocabulary=vocabulary,
                scale=scale,
                weights=weights,
                bias=bias,
                temperature=head["temperature"],
                longest=head["longest"],
                words=head["words"],
                knowledge=knowledge,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"The intent model cannot be read: {error}.") from error


def softmax(scores: np.ndarray) -> np.ndarray:
    """Row-wise softmax of a matrix."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
