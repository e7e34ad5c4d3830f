"""The figures of a verification are those one works out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.evaluation.error_rates import bootstrap, curve, draw_det, rates_at


def of(same, other):
    return np.array([*same, *other], float), np.array([True] * len(same) + [False] * len(other))


def test_kinds_apart_have_no_error_and_kinds_alike_have_half():
    assert curve(*of([3, 4, 5], [0, 1, 2])).eer() == 0
    assert curve(*of([3, 4, 5], [0, 1, 2])).min_dcf() == 0
    assert curve(*of([1, 1, 1], [1, 1, 1])).eer() == pytest.approx(0.5)


def test_one_of_four_wrong_on_each_side_is_a_quarter():
    scores, same = of([1, 4, 5, 6], [0, 0, 0, 2])
    assert curve(scores, same).eer() == pytest.approx(0.25)
    assert rates_at(scores, same, 2) == (0.25, 0.25)
    assert rates_at(scores, same, 3) == (0.0, 0.25)


@hypothesis_settings(derandomize=True, max_examples=60)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
)
def test_the_curve_is_what_counting_gives(same, other):
    scores, kind = of(same, other)
    found = curve(scores, kind)
    for threshold, missed, let_in in zip(found.thresholds, found.missed, found.let_in, strict=True):
        assert rates_at(scores, kind, threshold) == pytest.approx((let_in, missed))
    assert 0 <= found.eer() <= 1
    assert found.min_dcf() <= 1


def test_weights_count_as_often_as_they_say():
    scores, same = of([1, 4], [0, 2])
    twice = curve(np.repeat(scores, 2), np.repeat(same, 2))
    assert curve(scores, same, np.full(4, 2.0)).eer() == pytest.approx(twice.eer())


def test_the_interval_holds_the_figure():
    rng = np.random.default_rng(1)
    names = [f"s{at}" for at in range(12)]
    left = [one for one in names for _ in range(12)]
    right = names * 12
    same = np.array([a == b for a, b in zip(left, right, strict=True)])
    scores = rng.standard_normal(len(same)) + 1.5 * same
    low, high = bootstrap(scores, same, left, right, 1.0)["eer"]
    assert low <= curve(scores, same).eer() <= high
    assert high - low > 0.02


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_curve_is_drawn(tmp_path, kind):
    pytest.importorskip("matplotlib")
    file = tmp_path / f"det.{kind}"
    draw_det({"all": curve(*of([1, 4, 5, 6], [0, 0, 0, 2]))}, file, {"here": (0.25, 0.25)})
    assert file.stat().st_size > 2000
