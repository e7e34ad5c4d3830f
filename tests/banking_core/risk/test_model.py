"""The shipped weights, and what damaged or foreign ones come to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from banking_core.risk.errors import ModelInvalid
from banking_core.risk.features import NAMES
from banking_core.risk.judging import held_out_metrics
from banking_core.risk.model import MANIFEST_PATH, WEIGHTS_PATH, Model, load, packaged_model
from banking_core.risk.rules import packaged_rules
from banking_core.risk.simulation.world import Plan

ANOTHER_WORLD = Plan(customers=250, months=4, frauds_per_month=50, seed=4)


def vectors(count: int) -> np.ndarray:
    return np.random.default_rng(7).normal(50, 400, (count, len(NAMES)))


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    weights, manifest = tmp_path / "model.npz", tmp_path / "model.json"
    shutil.copyfile(WEIGHTS_PATH, weights)
    shutil.copyfile(MANIFEST_PATH, manifest)
    return weights, manifest


def vouch_for(weights: Path, manifest: Path) -> None:
    """As an attacker would who can write both files."""
    from hashlib import sha256

    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["weights_sha256"] = sha256(weights.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(content), encoding="utf-8")


def test_the_shipped_model_tells_frauds_in_people_it_was_not_trained_on() -> None:
    found = held_out_metrics(packaged_model(), ANOTHER_WORLD)
    assert found["frauds"] > 40
    assert found["auc"] > 0.97
    assert found["recall_at_1pct_fpr"] > 0.5


def test_the_figures_lie_next_to_the_weights() -> None:
    metrics = packaged_model().metrics
    assert metrics["auc"] > 0.99
    assert metrics["recall_at_1pct_fpr"] > 0.8
    assert set(metrics["recall_by_pattern"]) >= {"takeover", "scam_victim", "mule"}
    edges = [threshold.at_least for threshold in packaged_rules().score]
    assert [row["at_least"] for row in metrics["thresholds"]] == edges, "train again after moving thresholds"


def test_one_row_scores_like_many() -> None:
    model = packaged_model()
    rows = vectors(50)
    assert np.allclose([model.score(row).probability for row in rows], model.probabilities(rows))


def test_what_the_features_contribute_adds_up_to_the_score() -> None:
    model = packaged_model()
    rest = model.slope * (model.base + model.value[model.roots].sum()) + model.intercept
    for row in vectors(20):
        score = model.score(row)
        log_odds = np.log(score.probability / (1 - score.probability))
        assert np.isclose(score.contributions.sum(), log_odds - rest, atol=1e-6)


def test_weights_that_the_manifest_does_not_vouch_for_are_refused(copies: tuple[Path, Path]) -> None:
    weights, manifest = copies
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelInvalid):
        load(weights, manifest)


def test_weights_of_another_list_of_features_are_refused(copies: tuple[Path, Path]) -> None:
    weights, manifest = copies
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(content | {"features_hash": "0" * 16}), encoding="utf-8")
    with pytest.raises(ModelInvalid, match="zhanggui risk train"):
        load(weights, manifest)


class Bomb:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_weights_cannot_carry_code(copies: tuple[Path, Path], tmp_path: Path) -> None:
    weights, manifest = copies
    with np.load(weights) as arrays:
        found = dict(arrays)
    bomb = np.empty(1, object)
    bomb[0] = Bomb(tmp_path / "ran")
    np.savez(weights, **(found | {"value": bomb}))
    vouch_for(weights, manifest)
    with pytest.raises(ModelInvalid):
        load(weights, manifest)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "worth"),
    [("left", 10**6), ("feature", len(NAMES)), ("feature", -1), ("value", np.nan), ("right", -1)],
)
def test_a_forest_that_points_outside_is_refused(copies: tuple[Path, Path], name: str, worth: float) -> None:
    weights, manifest = copies
    with np.load(weights) as arrays:
        found = dict(arrays)
    found[name] = found[name].copy()
    found[name][int(np.flatnonzero(found["left"] >= 0)[0])] = worth
    np.savez(weights, **found)
    vouch_for(weights, manifest)
    with pytest.raises(ModelInvalid):
        load(weights, manifest)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid):
        load(tmp_path / "none.npz", tmp_path / "none.json")


def test_a_model_is_known_by_its_weights() -> None:
    model: Model = packaged_model()
    content = json.loads(MANIFEST_PATH.read_text(encoding="utf-8"))
    assert model.version == content["weights_sha256"][:16]
