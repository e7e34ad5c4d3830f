"""Trains the shipped model on a generated bank; `zhanggui risk train` is the command.

Months: 0 only warms the profiles, 1 to k-1 train the trees, k calibrates the probability, k+1 (the last) is held out
and judged. The trainer knows a fraud only if it was reported before the held-out month began; the judge knows all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from banking_core.risk.judging import judge
from banking_core.risk.model import MANIFEST_PATH, WEIGHTS_PATH, Model, save
from banking_core.risk.simulation.replay import Replay, Sample
from banking_core.risk.simulation.world import Plan, generate

TREES = 160
LEAVES = 12
LEARNING_RATE = 0.06
LEAF_ROWS_MIN = 25
L2 = 3.0
MONTHS_MIN = 4  # to warm up, train, calibrate and judge

Say = Callable[[str], None]


def train(plan: Plan, say: Say = lambda _text: None) -> Model:
    """Generates the world of `plan`, trains, calibrates and judges. Deterministic for a plan and a library version.

    `say` is told in Chinese how far it is.
    """
    assert plan.months >= MONTHS_MIN, "months to warm up, train, calibrate and judge"
    say(f"生成{plan.customers}位客户{plan.months}个月的生活（种子{plan.seed}）…")
    people, happenings = generate(plan)
    say(f"重放{len(happenings)}件事，逐笔计算特征 …")
    sample = Replay(plan, people, lambda share: say(f"  {share:.0%}")).run(happenings, range(1, plan.months))
    held_out = plan.months - 1
    month = np.array([plan.month_of(at_s) for at_s in sample.at_s])
    known = sample.known_at(plan.month_start_s(held_out))
    fitting, tuning, judging = month < held_out - 1, month == held_out - 1, month == held_out
    say(f"拟合{int(fitting.sum())}笔，其中{int(known[fitting].sum())}笔已知是欺诈 …")
    model = fit(sample, known, fitting, tuning, plan.seed)
    say("在没见过的最后一个月上评分 …")
    model.metrics.update(judge(model, sample, judging))
    model.metrics["orders_fitted"] = int(fitting.sum())
    model.metrics["frauds_known_when_fitted"] = int(known[fitting].sum())
    return model


def train_and_save(
    plan: Plan, folder: Path = WEIGHTS_PATH.parent, say: Say = lambda _text: None
) -> dict[str, Any]:
    """Trains and writes both files into `folder`; returns the metrics. Raises OSError."""
    model = train(plan, say)
    save(model, plan.as_json(), folder / WEIGHTS_PATH.name, folder / MANIFEST_PATH.name)
    return model.metrics


def fit(
    sample: Sample,
    known: NDArray[np.bool_],
    fitting: NDArray[np.bool_],
    tuning: NDArray[np.bool_],
    seed: int,
) -> Model:
    """Trees from the rows of `fitting`, Platt's calibration from those of `tuning`."""
    booster = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        learning_rate=LEARNING_RATE,
        min_samples_leaf=LEAF_ROWS_MIN,
        l2_regularization=L2,
        max_features=0.3,
        early_stopping=False,
        random_state=seed % 2**31,
    )
    booster.fit(sample.features[fitting], known[fitting])
    raw = booster.decision_function(sample.features[tuning])
    platt = LogisticRegression(C=1e6).fit(raw.reshape(-1, 1), known[tuning])
    return _flatten(booster, float(platt.coef_[0, 0]), float(platt.intercept_[0]))


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
        version="",
    )
