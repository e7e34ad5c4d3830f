"""What a detector of two kinds is worth: equal error rate, least cost, rates at a threshold, the DET curve.

Scores are larger for the kind that is sought. Trials may be weighted, for a bootstrap over speakers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PRIOR: Final = 0.01  # of NIST's detection cost; a miss and a false alarm cost the same
ROUNDS: Final = 400
INTERVAL: Final = 0.95
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """`missed` and `let_in` when everything from `thresholds` upwards is accepted; thresholds rise."""

    thresholds: Floats
    missed: Floats
    let_in: Floats

    def eer(self) -> float:
        """Where both rates meet, between the two points around it."""
        gap = self.missed - self.let_in
        at = int(np.searchsorted(gap >= 0, True))
        if at == 0 or at == len(gap):
            return float((self.missed[min(at, len(gap) - 1)] + self.let_in[min(at, len(gap) - 1)]) / 2)
        part = -gap[at - 1] / max(gap[at] - gap[at - 1], 1e-12)
        return float(self.let_in[at - 1] + part * (self.let_in[at] - self.let_in[at - 1]))

    def min_dcf(self) -> float:
        """The least cost at any threshold, where 1 is what answering always the same costs."""
        cost = PRIOR * self.missed + (1 - PRIOR) * self.let_in
        return float(cost.min() / PRIOR)


def curve(scores: Floats, same: NDArray[np.bool_], weights: Floats | None = None) -> Curve:
    """Over all thresholds that make a difference. Both kinds must be there."""
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    ranked, kind, weight = scores[order], same[order], weights[order]
    below_same = np.concatenate([[0.0], np.cumsum(weight * kind)])
    below_other = np.concatenate([[0.0], np.cumsum(weight * ~kind)])
    first = np.concatenate(
        [[True], ranked[1:] != ranked[:-1], [True]]
    )  # equal scores fall on one side together
    missed = below_same[first] / below_same[-1]
    let_in = 1.0 - below_other[first] / below_other[-1]
    return Curve(np.concatenate([ranked, [np.inf]])[first], missed, let_in)


def rates_at(scores: Floats, same: NDArray[np.bool_], threshold: float) -> tuple[float, float]:
    """(false acceptances, false rejections) where a score of `threshold` is accepted."""
    accepted = scores >= threshold
    return float(accepted[~same].mean()), float((~accepted[same]).mean())


def bootstrap(
    scores: Floats,
    same: NDArray[np.bool_],
    left: Sequence[str],
    right: Sequence[str],
    threshold: float,
    seed: int = 1,
) -> dict[str, list[float]]:
    """Intervals that hold INTERVAL of what other speakers of the same kind would give: eer, far, frr.

    `left` and `right` say whose voices a trial compares; speakers are drawn, not trials, because the trials of a
    speaker are alike.
    """
    names = sorted({*left, *right})
    place = {name: at for at, name in enumerate(names)}
    ours = np.array([place[one] for one in left])
    theirs = np.array([place[one] for one in right])
    rng = np.random.default_rng(seed)
    found: list[tuple[float, float, float]] = []
    accepted = scores >= threshold
    for _ in range(ROUNDS):
        counts = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)).astype(float)
        weights = np.where(same, counts[ours], counts[ours] * counts[theirs])
        if not (weights[same].any() and weights[~same].any()):
            continue
        far = float(np.average(accepted[~same], weights=weights[~same]))
        frr = float(np.average(~accepted[same], weights=weights[same]))
        found.append((curve(scores, same, weights).eer(), far, frr))
    edges = np.quantile(np.array(found), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2], axis=0)
    return {
        name: [round(float(edge), 5) for edge in edges[:, at]]
        for at, name in enumerate(("eer", "far", "frr"))
    }


def draw_det(
    drawn: dict[str, Curve], file: Any, points: dict[str, tuple[float, float]] | None = None
) -> None:
    """DET curves on normal deviate axes into `file` (.png, .svg or .pdf); `points` are (far, frr) to be marked.

    Raises ImportError where matplotlib is not installed.
    """
    import matplotlib as mpl
    from scipy.stats import norm

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "zhanggui"
    from matplotlib import pyplot

    ticks = np.array([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
    least = ticks[0] / 2
    figure, axes = pyplot.subplots(figsize=(6, 6))
    for name, one in drawn.items():
        x, y = np.clip(one.let_in, least, 1 - least), np.clip(one.missed, least, 1 - least)
        axes.plot(norm.ppf(x), norm.ppf(y), label=f"{name}, EER {one.eer():.2%}")
    for name, (far, frr) in (points or {}).items():
        axes.plot(norm.ppf(max(far, least)), norm.ppf(max(frr, least)), "o", label=name)
    labels = [f"{100 * tick:g} %" for tick in ticks]
    axes.set_xticks(norm.ppf(ticks), labels, rotation=45)
    axes.set_yticks(norm.ppf(ticks), labels)
    limits = norm.ppf([least, 0.5])
    axes.set(xlim=limits, ylim=limits, xlabel="false acceptances", ylabel="false rejections")
    axes.grid(visible=True, color="#d9dee4")
    axes.legend(loc="upper right", fontsize=9)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None} if str(file).endswith(".svg") else None, dpi=110)
    pyplot.close(figure)
