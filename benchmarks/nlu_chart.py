"""Draws `docs/charts/nlu.svg`: `python -m benchmarks.nlu_chart`. Reads every dev sentence with the trained model.

Left: how often the best intent of a sentence is right, by area. Top right: how often it is right at each certainty
(the diagonal is perfect calibration). Bottom right: the pairs of intents taken for each other most often.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.svg import BAD, GOOD, GRID, INK, bar, curve, dot, line, picture, words
from bot.evaluation.intents import read_labelled
from bot.evaluation.services import understanding_service
from bot.settings import ROOT, load_settings

CHART_PATH = ROOT / "docs" / "charts" / "nlu.svg"
BINS, PAIRS_SHOWN_MAX = 10, 14
WIDTH, HEIGHT = 900, 640
LEFT, BARS_WIDTH, ROW = 110, 260, 17
RIGHT, PLOT, TOP = 520, 220, 56
PAIRS_TOP = TOP + PLOT + 84


@dataclass(frozen=True)
class Reading:
    """One dev sentence as it was heard."""

    area: str
    labels: tuple[str, ...]
    heard: str
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the best intent is one of those that count as right."""
        return self.heard in self.labels


def chart(readings: Sequence[Reading]) -> str:
    """The picture as SVG text; the same readings give the same text."""
    share = sum(reading.right for reading in readings) / len(readings)
    parts = [*_areas(readings, share), *_calibration(readings), *_confusions(readings)]
    return picture(WIDTH, HEIGHT, "Accuracy by area, calibration and confusions of understanding", parts)


def _areas(readings: Sequence[Reading], share: float) -> Iterable[str]:
    yield words(20, 24, f"Right intent by area, {len(readings):,} dev sentences: {share:.1%}", size=14)
    by_area: dict[str, list[bool]] = defaultdict(list)
    for reading in readings:
        by_area[reading.area].append(reading.right)
    rows = sorted(
        ((sum(right) / len(right), area, len(right)) for area, right in by_area.items()), reverse=True
    )
    for index, (accuracy, area, count) in enumerate(rows):
        y = TOP + index * ROW
        yield words(LEFT - 6, y + 11, area, anchor="end")
        yield bar(LEFT, y, accuracy * BARS_WIDTH, ROW - 4, GOOD)
        yield words(LEFT + accuracy * BARS_WIDTH + 5, y + 11, f"{accuracy:.0%} of {count}")


def _calibration(readings: Sequence[Reading]) -> Iterable[str]:
    yield words(RIGHT, 24, "Calibration: certainty against how often it is right", size=14)
    for step in range(6):
        at = step / 5 * PLOT
        yield line(RIGHT + at, TOP, RIGHT + at, TOP + PLOT, GRID)
        yield line(RIGHT, TOP + at, RIGHT + PLOT, TOP + at, GRID)
        yield words(RIGHT + at, TOP + PLOT + 16, f"{step / 5:.0%}", anchor="middle")
        yield words(RIGHT - 6, TOP + PLOT - at + 4, f"{step / 5:.0%}", anchor="end")
    yield line(RIGHT, TOP + PLOT, RIGHT + PLOT, TOP, INK)
    bins: dict[int, list[Reading]] = defaultdict(list)
    for reading in readings:
        bins[min(int(reading.confidence * BINS), BINS - 1)].append(reading)
    points = []
    for _, inside in sorted(bins.items()):
        sure = sum(reading.confidence for reading in inside) / len(inside)
        right = sum(reading.right for reading in inside) / len(inside)
        points.append((RIGHT + sure * PLOT, TOP + (1 - right) * PLOT))
    yield curve(points, BAD)
    yield from (dot(x, y, 3, BAD) for x, y in points)
    yield words(RIGHT + PLOT / 2, TOP + PLOT + 34, "certainty of the best intent", anchor="middle")


def _confusions(readings: Sequence[Reading]) -> Iterable[str]:
    yield words(RIGHT, PAIRS_TOP - 16, "Taken for each other most often (wanted → heard)", size=14)
    pairs = Counter((reading.labels[0], reading.heard) for reading in readings if not reading.right)
    for index, ((wanted, heard), count) in enumerate(sorted(pairs.items(), key=lambda p: (-p[1], p[0]))):
        if index == PAIRS_SHOWN_MAX:
            return
        y = PAIRS_TOP + index * ROW
        yield bar(RIGHT, y, count * 6, ROW - 4, BAD)
        yield words(RIGHT + count * 6 + 5, y + 11, f"{count}  {wanted} → {heard}")


async def read_dev(folder: Path) -> list[Reading]:
    """Every dev sentence through the understanding service; one is started when none runs."""
    settings, readings = load_settings(), []
    async with understanding_service(settings, print) as understander:
        for path in sorted(folder.glob("*.tsv")):
            for text, labels in read_labelled(path):
                if labels != ("intent",):
                    heard = await understander.understand(text)
                    readings.append(Reading(path.stem, labels, heard.intent, heard.confidence))
    return readings


if __name__ == "__main__":
    CHART_PATH.write_text(chart(asyncio.run(read_dev(ROOT / "nlu_data" / "dev"))), encoding="utf-8")
