"""A tiny training run, from the command down to the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from threadpoolctl import threadpool_limits

from banking_core.risk.model import load
from banking_core.risk.simulation.replay import Replay
from banking_core.risk.simulation.world import Plan, generate
from banking_core.risk.train import train_and_save
from bot.cli.main import cli

TINY = ("--customers", "60", "--months", "4", "--frauds-per-month", "25", "--seed", "3")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On a busy machine threads that wait for each other cost minutes."""
    with threadpool_limits(1):
        yield


def test_one_command_trains_a_model_and_says_how_far_it_is(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["risk", "train", *TINY, "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    assert "80%" in result.stderr
    model = load(tmp_path / "model.npz", tmp_path / "model.json")
    assert json.loads(result.stdout)["auc"] == model.metrics["auc"] > 0.7


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    plan = Plan(customers=15, months=4, frauds_per_month=12, seed=3)
    found = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        train_and_save(plan, tmp_path / name)
        found.append((tmp_path / name / "model.npz").read_bytes())
    assert found[0] == found[1]


def test_the_same_plan_gives_the_same_world_in_order_of_time() -> None:
    plan = Plan(customers=30, months=4, frauds_per_month=5, seed=9)
    people, happenings = generate(plan)
    assert generate(plan) == (people, happenings)
    assert [h.at_s for h in happenings] == sorted(h.at_s for h in happenings)
    assert len({h.fraud for h in happenings if h.fraud}) >= 4


def test_the_trainer_knows_only_frauds_that_were_reported_in_time() -> None:
    plan = Plan(customers=60, months=4, frauds_per_month=30, seed=5)
    people, happenings = generate(plan)
    sample = Replay(plan, people).run(happenings, range(plan.months))
    early, late = sample.known_at(plan.month_start_s(1)), sample.known_at(plan.month_start_s(3))
    assert 0 < early.sum() < late.sum() < sample.fraud.sum()
    assert not (late & ~sample.fraud).any()


def test_nobody_acts_before_being_a_customer() -> None:
    plan = Plan(customers=200, months=4, frauds_per_month=40, seed=6)
    people, happenings = generate(plan)
    assert any(person.first_day for person in people)
    for happening in happenings:
        assert happening.at_s >= people[happening.person].joined_s
