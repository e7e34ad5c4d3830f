"""The page on risk says what the files next to the model say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from banking_core.risk.features import FEATURES
from banking_core.risk.model import packaged_model
from banking_core.risk.rules import packaged_rules
from benchmarks.risk_chart import CHART_PATH, chart
from bot.settings import ROOT

PAGE = (ROOT / "docs" / "risk.md").read_text(encoding="utf-8")
METRICS: dict[str, Any] = packaged_model().metrics


def cell(label: str) -> str:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {label} |")]
    return line.split("|")[-2].strip()


def test_the_figures_are_those_next_to_the_weights() -> None:
    assert cell("AUC") == str(METRICS["auc"])
    low, high = METRICS["recall_at_1pct_fpr_90pct_interval"]
    recall = METRICS["recall_at_1pct_fpr"]
    assert cell("recall at 1 % false positives").startswith(
        f"{100 * recall:.1f} % (90 % interval {100 * low:.1f} to {100 * high:.1f}"
    )
    assert cell("recall at 0.1 % false positives") == f"{100 * METRICS['recall_at_1permille_fpr']:.1f} %"
    assert f"{METRICS['orders']:,} orders, {METRICS['frauds']} of them frauds" in PAGE
    assert f"{len(FEATURES)} named numbers" in PAGE


@pytest.mark.parametrize("row", METRICS["thresholds"])
def test_the_thresholds_are_shown_with_what_they_cost(row: dict[str, float]) -> None:
    cells = [
        part.strip() for part in re.findall(rf"^\| {row['at_least']:.2f} \|(.*)\|$", PAGE, re.M)[0].split("|")
    ]
    assert cells[1:] == [f"{100 * row['fpr']:.2f} %", f"{100 * row['recall']:.1f} %"]


@pytest.mark.parametrize(("pattern", "recall"), METRICS["recall_by_pattern"].items())
def test_every_kind_of_fraud_is_shown(pattern: str, recall: float) -> None:
    assert cell(pattern) == f"{100 * recall:.1f} %"


def test_every_rule_in_the_table_exists_in_that_mode() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \|", PAGE, re.M)
    assert len(rows) > 10
    known = {(rule.row.id, rule.row.mode, rule.row.verdict) for rule in packaged_rules().rules}
    assert set(rows) <= known


def test_the_picture_is_drawn_from_these_figures() -> None:
    assert CHART_PATH.read_text(encoding="utf-8") == chart(METRICS)
