"""Draws `docs/charts/risk.svg` from the figures next to the model: `python -m benchmarks.risk_chart`.

Left: precision against recall in the held-out month, with the thresholds of rules.yml. Right: how many honest orders
and how many frauds got which score (counts on a logarithmic scale).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from banking_core.risk.model import MANIFEST_PATH
from benchmarks.svg import BAD, GOOD, GRID, INK, bar, curve, dot, line, picture, words
from bot.settings import ROOT

CHART_PATH = ROOT / "docs" / "charts" / "risk.svg"
WIDTH, HEIGHT = 860, 340
PLOT_WIDTH, PLOT_HEIGHT, TOP = 340, 230, 56
LEFT, RIGHT = 60, 480
COUNT_MAX = 100_000
HONEST, FRAUD = GOOD, BAD


def chart(metrics: dict[str, Any]) -> str:
    """The picture as SVG text; the same figures give the same text."""
    parts = [*_curve(metrics), *_histogram(metrics["histogram"])]
    return picture(WIDTH, HEIGHT, "Precision, recall and scores of the risk model", parts)


def _curve(metrics: dict[str, Any]) -> Iterable[str]:
    def at(recall: float, precision: float) -> tuple[float, float]:
        return LEFT + recall * PLOT_WIDTH, TOP + (1 - precision) * PLOT_HEIGHT

    yield words(LEFT, 24, "Precision and recall, held-out generated month", size=14)
    yield words(LEFT, 42, f"{metrics['orders']:,} orders, {metrics['frauds']} frauds", size=11)
    for step in range(6):
        share = step / 5
        x, y = at(share, share)
        yield line(x, TOP, x, TOP + PLOT_HEIGHT, GRID)
        yield line(LEFT, y, LEFT + PLOT_WIDTH, y, GRID)
        yield words(x, TOP + PLOT_HEIGHT + 16, f"{share:.0%}", anchor="middle")
        yield words(LEFT - 6, y + 4, f"{share:.0%}", anchor="end")
    yield curve((at(*point) for point in metrics["precision_recall"]), HONEST)
    for row in metrics["thresholds"]:
        x, y = at(row["recall"], row["precision"])
        yield dot(x, y, 4, FRAUD)
        yield words(x + 6, y + 16, f"score ≥ {row['at_least']:.2f}")
    yield words(LEFT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 34, "recall", anchor="middle")


def _histogram(histogram: dict[str, Sequence[Any]]) -> Iterable[str]:
    def height(count: int) -> float:
        return PLOT_HEIGHT * math.log10(1 + count) / math.log10(1 + COUNT_MAX)

    yield words(RIGHT, 24, "Scores (counts, logarithmic)", size=14)
    for index, (name, colour) in enumerate((("honest", HONEST), ("fraud", FRAUD))):
        x = RIGHT + index * 80
        yield bar(x, 33, 10, 10, colour)
        yield words(x + 14, 42, name)
    for power in range(6):
        y = TOP + PLOT_HEIGHT - height(10**power)
        yield line(RIGHT, y, RIGHT + PLOT_WIDTH, y, GRID)
        yield words(RIGHT - 6, y + 4, f"{10**power:,}", anchor="end")
    edges, step = histogram["edges"], PLOT_WIDTH / (len(histogram["edges"]) - 1)
    for index, (honest, fraud) in enumerate(zip(histogram["honest"], histogram["fraud"], strict=True)):
        for offset, count, colour in ((1, honest, HONEST), (step / 2, fraud, FRAUD)):
            tall = height(count)
            if count:
                yield bar(RIGHT + index * step + offset, TOP + PLOT_HEIGHT - tall, step / 2 - 1, tall, colour)
    for edge in edges[::4]:
        x = RIGHT + edge * PLOT_WIDTH
        yield words(x, TOP + PLOT_HEIGHT + 16, f"{edge:.1f}", anchor="middle")
    yield line(RIGHT, TOP + PLOT_HEIGHT, RIGHT + PLOT_WIDTH, TOP + PLOT_HEIGHT, INK)
    yield words(RIGHT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 34, "score", anchor="middle")


def draw(path: Path = CHART_PATH) -> None:
    """Writes the picture."""
    path.write_text(chart(json.loads(MANIFEST_PATH.read_text(encoding="utf-8"))["metrics"]), encoding="utf-8")


if __name__ == "__main__":
    draw()
