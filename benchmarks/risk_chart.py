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
from bot.settings import ROOT

CHART_PATH = ROOT / "docs" / "charts" / "risk.svg"
WIDTH, HEIGHT = 860, 340
PLOT_WIDTH, PLOT_HEIGHT, TOP = 340, 230, 56
LEFT, RIGHT = 60, 480
COUNT_MAX = 100_000
INK, GRID, HONEST, FRAUD = "#1f2933", "#d9dee4", "#3b7dd8", "#d64545"
FONT = "font-family='Helvetica, Arial, sans-serif'"


def chart(metrics: dict[str, Any]) -> str:
    """The picture as SVG text; the same figures give the same text."""
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' "
        f"viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='Precision, recall and scores of the risk model'>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#ffffff'/>",
        *_curve(metrics),
        *_histogram(metrics["histogram"]),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _curve(metrics: dict[str, Any]) -> Iterable[str]:
    def at(recall: float, precision: float) -> tuple[float, float]:
        return LEFT + recall * PLOT_WIDTH, TOP + (1 - precision) * PLOT_HEIGHT

    yield _text(LEFT, 24, "Precision and recall, held-out generated month", size=14)
    yield _text(LEFT, 42, f"{metrics['orders']:,} orders, {metrics['frauds']} frauds", size=11)
    for step in range(6):
        share = step / 5
        x, y = at(share, share)
        yield _line(x, TOP, x, TOP + PLOT_HEIGHT, GRID)
        yield _line(LEFT, y, LEFT + PLOT_WIDTH, y, GRID)
        yield _text(x, TOP + PLOT_HEIGHT + 16, f"{share:.0%}", anchor="middle")
        yield _text(LEFT - 6, y + 4, f"{share:.0%}", anchor="end")
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in metrics["precision_recall"]))
    yield f"<polyline points='{points}' fill='none' stroke='{HONEST}' stroke-width='2'/>"
    for row in metrics["thresholds"]:
        x, y = at(row["recall"], row["precision"])
        yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{FRAUD}'/>"
        yield _text(x + 6, y + 16, f"score ≥ {row['at_least']:.2f}")
    yield _text(LEFT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 34, "recall", anchor="middle")


def _histogram(histogram: dict[str, Sequence[Any]]) -> Iterable[str]:
    def height(count: int) -> float:
        return PLOT_HEIGHT * math.log10(1 + count) / math.log10(1 + COUNT_MAX)

    yield _text(RIGHT, 24, "Scores (counts, logarithmic)", size=14)
    for index, (words, colour) in enumerate((("honest", HONEST), ("fraud", FRAUD))):
        x = RIGHT + index * 80
        yield f"<rect x='{x}' y='33' width='10' height='10' fill='{colour}'/>"
        yield _text(x + 14, 42, words)
    for power in range(6):
        y = TOP + PLOT_HEIGHT - height(10**power)
        yield _line(RIGHT, y, RIGHT + PLOT_WIDTH, y, GRID)
        yield _text(RIGHT - 6, y + 4, f"{10**power:,}", anchor="end")
    edges, step = histogram["edges"], PLOT_WIDTH / (len(histogram["edges"]) - 1)
    for index, (honest, fraud) in enumerate(zip(histogram["honest"], histogram["fraud"], strict=True)):
        for offset, count, colour in ((1, honest, HONEST), (step / 2, fraud, FRAUD)):
            tall = height(count)
            if count:
                yield (
                    f"<rect x='{RIGHT + index * step + offset:.1f}' y='{TOP + PLOT_HEIGHT - tall:.1f}' "
                    f"width='{step / 2 - 1:.1f}' height='{tall:.1f}' fill='{colour}'/>"
                )
    for edge in edges[::4]:
        x = RIGHT + edge * PLOT_WIDTH
        yield _text(x, TOP + PLOT_HEIGHT + 16, f"{edge:.1f}", anchor="middle")
    yield _line(RIGHT, TOP + PLOT_HEIGHT, RIGHT + PLOT_WIDTH, TOP + PLOT_HEIGHT, INK)
    yield _text(RIGHT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 34, "score", anchor="middle")


def _text(x: float, y: float, words: str, *, size: int = 11, anchor: str = "start") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{INK}' text-anchor='{anchor}' {FONT}>{words}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'/>"


def draw(path: Path = CHART_PATH) -> None:
    """Writes the picture."""
    path.write_text(chart(json.loads(MANIFEST_PATH.read_text(encoding="utf-8"))["metrics"]), encoding="utf-8")


if __name__ == "__main__":
    draw()
