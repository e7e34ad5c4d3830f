"""Trains the shipped model on a generated bank: `python -m banking_core.risk.train`.

Months: 0 only warms the profiles, 1 to k-1 train the trees, k calibrates the probability, k+1 (the last) is held out
and judged. The trainer knows a fraud only if it was reported before the held-out month began; the judge knows all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from banking_core.risk.features import features_hash
from banking_core.risk.metrics import auc, calibration_error, recall_at_fpr
from banking_core.risk.model import MANIFEST_PATH, WEIGHTS_PATH, Model, save
from banking_core.risk.simulation.replay import Replay, Sample
from banking_core.risk.simulation.world import Plan, generate

TREES = 160
LEAVES = 12
LEARNING_RATE = 0.06
LEAF_ROWS_MIN = 25
L2 = 3.0


def train(plan: Plan, say: Callable[[str], None] = lambda _text: None) -> Model:
    """Generates the world of `plan`, trains, calibrates and judges. Deterministic for a plan and a library version."""
    assert plan.months >= 4, "months to warm up, train, calibrate and judge"
    say(f"generating {plan.customers} customers over {plan.months} months")
    people, happenings = generate(plan)
    say(f"computing features of the orders among {len(happenings)} happenings")
    sample = Replay(plan, people).run(happenings, range(1, plan.months))
    held_out = plan.months - 1
    month = np.array([plan.month_of(at_s) for at_s in sample.at_s])
    known = sample.known_at(plan.month_start_s(held_out))
    fitting, tuning, judging = month < held_out - 1, month == held_out - 1, month == held_out
    say(f"fitting {int(fitting.sum())} orders, {int(known[fitting].sum())} of them known frauds")
    booster = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        learning_rate=LEARNING_RATE,
        min_samples_leaf=LEAF_ROWS_MIN,
        l2_regularization=L2,
        max_features=0.3,
        early_stopping=False,
        random_state=plan.seed % 2**31,
    )
    booster.fit(sample.features[fitting], known[fitting])
    raw = booster.decision_function(sample.features[tuning])
    platt = LogisticRegression(C=1e6).fit(raw.reshape(-1, 1), known[tuning])
    model = _flatten(booster, float(platt.coef_[0, 0]), float(platt.intercept_[0]))
    model.metrics.update(judge(model, sample, judging))
    model.metrics["orders_fitted"] = int(fitting.sum())
    model.metrics["frauds_known_when_fitted"] = int(known[fitting].sum())
    return model


def judge(model: Model, sample: Sample, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """The figures of the held-out month, against the truth."""
    scores, fraud = model.probabilities(sample.features[rows]), sample.fraud[rows]
    patterns = np.array(sample.patterns)[rows]
    threshold = float(np.quantile(scores[~fraud], 0.99)) if (~fraud).any() else 1.0
    return {
        "auc": round(auc(fraud, scores), 4),
        "recall_at_1pct_fpr": round(recall_at_fpr(fraud, scores), 4),
        "calibration_error": round(calibration_error(fraud, scores), 5),
        "orders": int(rows.sum()),
        "frauds": int(fraud.sum()),
        "recall_by_pattern": {
            str(name): round(float((scores[patterns == name] > threshold).mean()), 3)
            for name in sorted(set(patterns) - {""})
        },
    }


def held_out_metrics(model: Model, plan: Plan) -> dict[str, Any]:
    """Generates the same world again and judges the model on its last month."""
    people, happenings = generate(plan)
    sample = Replay(plan, people).run(happenings, range(plan.months - 1, plan.months))
    return judge(model, sample, np.ones(len(sample.fraud), np.bool_))


def _flatten(booster: HistGradientBoostingClassifier, slope: float, intercept: float) -> Model:
    """The fitted trees as arrays; inner nodes get the mean of what lies below, weighted by rows."""
    parts: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("feature", "threshold", "left", "right", "value")
    }
    roots, offset, depth = [], 0, 1
    for stage in booster._predictors:
        nodes = stage[0].nodes
        leaf = nodes["is_leaf"].astype(bool)
        values = nodes["value"].astype(np.float64)
        for index in range(len(nodes) - 1, -1, -1):  # children come after their parent
            if not leaf[index]:
                left, right = int(nodes["left"][index]), int(nodes["right"][index])
                assert left > index and right > index, "a child lies before its parent"
                counts = nodes["count"][left], nodes["count"][right]
                values[index] = (values[left] * counts[0] + values[right] * counts[1]) / (
                    counts[0] + counts[1]
                )
        parts["feature"].append(np.where(leaf, 0, nodes["feature_idx"]).astype(np.int32))
        parts["threshold"].append(np.where(leaf, 0.0, nodes["num_threshold"]).astype(np.float64))
        parts["left"].append(np.where(leaf, -1, nodes["left"].astype(np.int64) + offset).astype(np.int32))
        parts["right"].append(np.where(leaf, -1, nodes["right"].astype(np.int64) + offset).astype(np.int32))
        parts["value"].append(values)
        roots.append(offset)
        offset += len(nodes)
        depth = max(depth, int(nodes["depth"].max()))
    columns = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    return Model(
        roots=np.array(roots, np.int32),
        **columns,
        base=float(np.asarray(booster._baseline_prediction).ravel()[0]),
        slope=slope,
        intercept=intercept,
        depth=depth,
        metrics={},
        version=features_hash(),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m banking_core.risk.train", description=__doc__)
    parser.add_argument("--customers", type=int, default=Plan.customers)
    parser.add_argument("--months", type=int, default=Plan.months)
    parser.add_argument("--frauds-per-month", type=int, default=Plan.frauds_per_month)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument(
        "--out", type=Path, default=None, help="folder for the two files; default: the package"
    )
    options = parser.parse_args(arguments)
    plan = Plan(options.customers, options.months, options.frauds_per_month, options.seed)
    model = train(plan, lambda text: print(text, file=sys.stderr))
    weights = options.out / WEIGHTS_PATH.name if options.out else WEIGHTS_PATH
    manifest = options.out / MANIFEST_PATH.name if options.out else MANIFEST_PATH
    save(model, asdict(plan), weights, manifest)
    for key, value in model.metrics.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
