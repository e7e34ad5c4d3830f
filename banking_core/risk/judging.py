"""The figures a model is judged by: how well it tells frauds from honest orders in a month it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from banking_core.risk.features import NAMES
from banking_core.risk.metrics import auc, calibration_error, recall_at_fpr
from banking_core.risk.model import Model
from banking_core.risk.rules import Rules, packaged_rules
from banking_core.risk.simulation.replay import Replay, Sample
from banking_core.risk.simulation.world import Plan, generate

RESAMPLES = 200
CURVE_POINTS = 60
HISTOGRAM_EDGES = tuple(round(0.05 * step, 2) for step in range(21))
WEIGHTIEST_MAX = 15


def judge(model: Model, sample: Sample, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """The figures of the orders in `rows`, against the truth. JSON values only."""
    scores, fraud = model.probabilities(sample.features[rows]), sample.fraud[rows]
    patterns = np.array(sample.patterns)[rows]
    edge = float(np.quantile(scores[~fraud], 0.99)) if (~fraud).any() else 1.0
    low, high = _interval(fraud, scores)
    return {
        "auc": round(auc(fraud, scores), 4),
        "recall_at_1pct_fpr": round(recall_at_fpr(fraud, scores), 4),
        "recall_at_1pct_fpr_90pct_interval": [low, high],
        "recall_at_1permille_fpr": round(recall_at_fpr(fraud, scores, 0.001), 4),
        "calibration_error": round(calibration_error(fraud, scores), 5),
        "orders": int(rows.sum()),
        "frauds": int(fraud.sum()),
        "recall_by_pattern": {
            str(name): round(float((scores[patterns == name] > edge).mean()), 3)
            for name in sorted(set(patterns) - {""})
        },
        "thresholds": [
            _operating_point(fraud, scores, threshold.at_least) for threshold in packaged_rules().score
        ],
        "weightiest_features": _weightiest(model, sample.features[rows][fraud]),
        "precision_recall": _curve(fraud, scores),
        "histogram": _histogram(fraud, scores),
    }


def held_out(plan: Plan) -> Sample:
    """Generates the world of `plan` and gives the orders of its last month."""
    people, happenings = generate(plan)
    return Replay(plan, people).run(happenings, range(plan.months - 1, plan.months))


def held_out_metrics(model: Model, plan: Plan) -> dict[str, Any]:
    """The figures of the model in the last month of `plan`."""
    sample = held_out(plan)
    return judge(model, sample, np.ones(len(sample.fraud), np.bool_))


def judge_rules(rules: Rules, sample: Sample) -> list[dict[str, Any]]:
    """For every rule of orders: in how many honest orders and in how many frauds it held, and as shares of them."""
    vectors = sample.features.tolist()
    found = []
    for rule in rules.rules:
        if rule.row.subject != "order":
            continue
        held = np.array([rule.condition.holds(vector) for vector in vectors], np.bool_)
        honest, frauds = int(held[~sample.fraud].sum()), int(held[sample.fraud].sum())
        found.append(
            {
                "id": rule.row.id,
                "mode": rule.row.mode,
                "verdict": rule.row.verdict,
                "honest": honest,
                "frauds": frauds,
                "honest_share": round(honest / max(1, int((~sample.fraud).sum())), 5),
                "fraud_share": round(frauds / max(1, int(sample.fraud.sum())), 4),
            }
        )
    return found


def _interval(fraud: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, float]:
    """What 5 % and 95 % of resampled months say of the recall: few frauds make it uncertain."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(fraud), len(fraud))
        found.append(recall_at_fpr(fraud[drawn], scores[drawn]))
    return round(float(np.quantile(found, 0.05)), 3), round(float(np.quantile(found, 0.95)), 3)


def _operating_point(
    fraud: NDArray[np.bool_], scores: NDArray[np.float64], at_least: float
) -> dict[str, float]:
    met = scores >= at_least
    return {
        "at_least": at_least,
        "recall": round(float(met[fraud].mean()), 4) if fraud.any() else 0.0,
        "fpr": round(float(met[~fraud].mean()), 5) if (~fraud).any() else 0.0,
        "precision": round(float(fraud[met].mean()), 4) if met.any() else 0.0,
    }


def _weightiest(model: Model, frauds: NDArray[np.float64]) -> list[list[Any]]:
    """[name, mean contribution in log-odds] of the features that raise the scores of frauds most."""
    if not len(frauds):
        return []
    mean = np.mean([model.score(vector).contributions for vector in frauds], axis=0)
    return [[NAMES[index], round(float(mean[index]), 3)] for index in np.argsort(-mean)[:WEIGHTIEST_MAX]]


def _curve(fraud: NDArray[np.bool_], scores: NDArray[np.float64]) -> list[list[float]]:
    """[recall, precision] at thresholds that are met by ever more frauds."""
    if not fraud.any():
        return []
    edges = np.unique(np.quantile(scores[fraud], np.linspace(0, 1, CURVE_POINTS)))[::-1]
    return [
        [round(float((scores[fraud] >= edge).mean()), 4), round(float(fraud[scores >= edge].mean()), 4)]
        for edge in edges
    ]


def _histogram(fraud: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, list[Any]]:
    """Counts of scores per twentieth, of honest orders and of frauds."""
    honest, _ = np.histogram(scores[~fraud], HISTOGRAM_EDGES)
    frauds, _ = np.histogram(scores[fraud], HISTOGRAM_EDGES)
    return {"edges": list(HISTOGRAM_EDGES), "honest": honest.tolist(), "fraud": frauds.tolist()}
