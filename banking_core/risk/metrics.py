"""How well scores tell frauds from honest orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def auc(fraud: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Area under the ROC curve: the chance that a fraud scores above an honest order; ties count half."""
    positives = int(fraud.sum())
    negatives = len(fraud) - positives
    if not positives or not negatives:
        return 0.5
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[places][fraud].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def recall_at_fpr(fraud: NDArray[np.bool_], scores: NDArray[np.float64], fpr: float = 0.01) -> float:
    """Share of the frauds above the threshold that at most `fpr` of the honest orders exceed."""
    honest = np.sort(scores[~fraud])[::-1]
    if not len(honest) or not fraud.any():
        return 0.0
    threshold = honest[min(int(fpr * len(honest)), len(honest) - 1)]
    return float((scores[fraud] > threshold).mean())


def calibration_error(fraud: NDArray[np.bool_], scores: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error: mean gap between probability and frequency over bins of equal size."""
    order = np.argsort(scores)
    gaps = [
        abs(float(scores[part].mean()) - float(fraud[part].mean())) * len(part) / len(scores)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return float(sum(gaps))
