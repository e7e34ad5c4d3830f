"""The trained model: gradient-boosted trees as plain arrays, scored with numpy alone.

Two files, no pickle:
    model.npz    arrays of numbers: the trees, flattened, and where each begins
    model.json   the hash of the feature list and of the arrays, calibration, training plan and metrics
Weights that do not belong to the present list of features are refused when they are loaded.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banking_core.risk.errors import ModelInvalid
from banking_core.risk.features import NAMES, Vector, features_hash

WEIGHTS_PATH = Path(__file__).with_name("model.npz")
MANIFEST_PATH = Path(__file__).with_name("model.json")
NODES_MAX = 1_000_000
DEPTH_MAX = 64
VERSION_LENGTH = 16
ARRAYS = ("roots", "feature", "threshold", "left", "right", "value")


@dataclass(frozen=True, slots=True)
class Score:
    """`probability` is calibrated; `contributions` (one per feature, log-odds) add up to the raw score's excess."""

    probability: float
    contributions: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """`left` and `right` are node numbers, -1 in a leaf; every node has a value, the mean of what lies below it."""

    roots: NDArray[np.int32]  # (trees,)
    feature: NDArray[np.int32]  # (nodes,)
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    base: float  # log-odds before any tree
    slope: float  # Platt's calibration: sigmoid(slope * raw + intercept)
    intercept: float
    depth: int
    metrics: dict[str, Any]
    version: str  # the beginning of the weights' hash, empty before they are saved

    def score(self, vector: Vector) -> Score:
        """The probability of fraud of one vector of `len(NAMES)` features, with what made it so."""
        nodes = self.roots
        contributions = np.zeros(len(NAMES))
        value = self.value[nodes]
        for _ in range(self.depth):
            left = self.left[nodes]
            inner = left >= 0
            if not inner.any():
                break
            feature = self.feature[nodes]
            goes_left = vector[feature] <= self.threshold[nodes]
            following = np.where(inner, np.where(goes_left, left, self.right[nodes]), nodes)
            after = self.value[following]
            np.add.at(contributions, feature[inner], (after - value)[inner])
            nodes, value = following, after
        raw = self.base + float(value.sum())
        return Score(sigmoid(self.slope * raw + self.intercept), contributions * self.slope)

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same for many rows, shape (rows, features) to (rows,)."""
        raw = np.full(len(features), self.base)
        rows = np.arange(len(features))
        for root in self.roots:
            nodes = np.full(len(features), root)
            for _ in range(self.depth):
                left = self.left[nodes]
                goes_left = features[rows, self.feature[nodes]] <= self.threshold[nodes]
                nodes = np.where(left >= 0, np.where(goes_left, left, self.right[nodes]), nodes)
            raw += self.value[nodes]
        calibrated = np.clip(self.slope * raw + self.intercept, -60, 60)
        return np.asarray(1 / (1 + np.exp(-calibrated)), np.float64)


def sigmoid(value: float) -> float:
    """The logistic function, safe for any finite value."""
    return 1 / (1 + math.exp(-min(max(value, -60.0), 60.0)))


def save(
    model: Model, plan: dict[str, Any], weights: Path = WEIGHTS_PATH, manifest: Path = MANIFEST_PATH
) -> None:
    """Writes both files; the manifest holds the hash of the weights."""
    with weights.open("wb") as file:
        np.savez_compressed(file, **{name: getattr(model, name) for name in ARRAYS})
    content = {
        "format": 1,
        "features_hash": features_hash(),
        "features": len(NAMES),
        "weights_sha256": _sha256(weights),
        "base": model.base,
        "slope": model.slope,
        "intercept": model.intercept,
        "depth": model.depth,
        "plan": plan,
        "metrics": model.metrics,
    }
    manifest.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(weights: Path = WEIGHTS_PATH, manifest: Path = MANIFEST_PATH) -> Model:
    """Reads and checks a model. Raises ModelInvalid: missing, damaged, or made for other features."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        if content["features_hash"] != features_hash():
            raise ModelInvalid("the model was trained on another list of features: run zhanggui risk train")
        if content["weights_sha256"] != _sha256(weights):
            raise ModelInvalid("the weights are not the ones the manifest names")
        with np.load(weights, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ARRAYS}
        model = Model(
            roots=found["roots"].astype(np.int32),
            feature=found["feature"].astype(np.int32),
            threshold=found["threshold"].astype(np.float64),
            left=found["left"].astype(np.int32),
            right=found["right"].astype(np.int32),
            value=found["value"].astype(np.float64),
            base=float(content["base"]),
            slope=float(content["slope"]),
            intercept=float(content["intercept"]),
            depth=int(content["depth"]),
            metrics=dict(content["metrics"]),
            version=str(content["weights_sha256"])[:VERSION_LENGTH],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelInvalid(f"cannot read the model: {type(error).__name__}: {error}") from error
    _check(model)
    return model


def _check(model: Model) -> None:
    """Every index lies inside, so that scoring cannot read elsewhere or run for ever."""
    size = len(model.feature)
    arrays = (model.threshold, model.left, model.right, model.value)
    numbers = (model.base, model.slope, model.intercept)
    sound = (
        0 < size <= NODES_MAX
        and all(array.shape == (size,) for array in arrays)
        and model.roots.ndim == 1
        and bool(((model.roots >= 0) & (model.roots < size)).all())
        and bool(((model.feature >= 0) & (model.feature < len(NAMES))).all())
        and bool(
            ((model.left >= -1) & (model.left < size) & (model.right >= -1) & (model.right < size)).all()
        )
        and bool(((model.left >= 0) == (model.right >= 0)).all())
        and bool(np.isfinite(model.threshold).all() and np.isfinite(model.value).all())
        and all(math.isfinite(number) for number in numbers)
        and 0 < model.depth <= DEPTH_MAX
    )
    if not sound:
        raise ModelInvalid("the weights are not a forest over the present features")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def packaged_model() -> Model:
    """The model that is shipped."""
    return load()
