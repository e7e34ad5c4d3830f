"""How well the knowledge base answers: `python -m benchmarks.faq [--cache DIR]`, run in the repository root.

Prints JSON. `answers` are the questions of nlu_data/dev_answers/direct.tsv that have an entry, `none` those that
have not, `others` the dev sentences of other intents (commands, small talk, what is out of scope).
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from banking_core.configuration import Terms
from bot.dialogue.understanding import KnowledgeHit
from bot.knowledge import KnowledgeBase

DATA = Path(__file__).parents[1] / "nlu_data"
THRESHOLDS = (0.3, 0.5, 0.85)
BANDS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
NO_ENTRY = "none"
QUESTION_INTENT = "faq"
Asked = tuple[str, str, list[KnowledgeHit]]


def main() -> None:
    """Loads twice (fitting, then from the cache), asks every dev sentence and prints the measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=None, help="where fitted models are kept; default: nowhere"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache_dir = chosen.cache or Path(folder)
        base, first_s = _timed_load(cache_dir)
        base, cached_s = _timed_load(cache_dir)
    found: list[Asked] = []
    wall_ms: list[float] = []
    cpu_ms: list[float] = []
    for text, expected in _pairs(DATA / "dev_answers" / "direct.tsv"):
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        hits = base.find(text)
        cpu_ms.append((time.process_time() - cpu_s) * 1000)
        wall_ms.append((time.perf_counter() - wall_s) * 1000)
        found.append((text, expected, hits))
    known = {entry.entry_id for entry in base.entries}
    report = {
        "entries": len(base.entries),
        "dev_ids_unknown": sorted({expected for _, expected, _ in found} - known - {NO_ENTRY}),
        "load_first_s": round(first_s, 2),
        "load_cached_s": round(cached_s, 2),
        "find_wall_ms": _percentiles(wall_ms),
        "find_cpu_ms": _percentiles(cpu_ms),
        "answers": _answers([asked for asked in found if asked[1] != NO_ENTRY]),
        "none": _confident(asked[2] for asked in found if asked[1] == NO_ENTRY),
        "calibration": _calibration(found),
        "others": _others(base),
    }
    print(json.dumps(report, ensure_ascii=False, indent=2))


def _percentiles(values_ms: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values_ms, n=100)
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "p99": round(cuts[98], 2)}


def _timed_load(cache_dir: Path) -> tuple[KnowledgeBase, float]:
    started = time.perf_counter()
    base = KnowledgeBase.load(DATA / "faq", Terms.load(None), cache_dir=cache_dir)
    return base, time.perf_counter() - started


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [
        (parts[0], parts[1].strip()) for parts in lines if len(parts) == 2 and not parts[0].startswith("#")
    ]


def _answers(asked: list[Asked]) -> dict[str, object]:
    first = [hits[0] if hits else None for _, _, hits in asked]
    right = [
        hit is not None and hit.entry_id == expected
        for hit, (_, expected, _) in zip(first, asked, strict=True)
    ]
    report: dict[str, object] = {
        "questions": len(asked),
        "hit_at_1": _share(right),
        "hit_at_3": _share(expected in [hit.entry_id for hit in hits[:3]] for _, expected, hits in asked),
    }
    for least in THRESHOLDS:
        sure = [
            correct
            for hit, correct in zip(first, right, strict=True)
            if hit is not None and hit.score >= least
        ]
        report[f"at_{least}"] = {
            "reached": round(len(sure) / len(asked), 3),
            "right_among_reached": _share(sure),
        }
    return report


def _confident(results: Iterable[list[KnowledgeHit]]) -> dict[str, object]:
    scores = [hits[0].score if hits else 0.0 for hits in results]
    rates = {f"reached_{least}": _share(score >= least for score in scores) for least in THRESHOLDS}
    return {"sentences": len(scores), **rates}


def _calibration(asked: list[Asked]) -> list[dict[str, object]]:
    """Mean score and share of right answers of the best hit, by band of the score."""
    rows: list[dict[str, object]] = []
    for low, high in itertools.pairwise(BANDS):
        best = [(hits[0], expected) for _, expected, hits in asked if hits]
        band = [
            (hit, expected) for hit, expected in best if low <= hit.score < high or hit.score == high == 1.0
        ]
        if band:
            mean = round(statistics.fmean(hit.score for hit, _ in band), 3)
            right = _share(hit.entry_id == expected for hit, expected in band)
            rows.append({"band": [low, high], "questions": len(band), "mean_score": mean, "right": right})
    return rows


def _others(base: KnowledgeBase) -> dict[str, object]:
    reports: dict[str, object] = {}
    everything: list[list[KnowledgeHit]] = []
    for path in sorted((DATA / "dev").glob("*.tsv")):
        if path.stem == "faq":
            continue
        results = [
            base.find(text) for text, intents in _pairs(path) if QUESTION_INTENT not in intents.split("|")
        ]
        everything.extend(results)
        reports[path.stem] = _confident(results)
    return {"all": _confident(everything), **reports}


def _share(flags: Iterable[bool]) -> float | None:
    listed = list(flags)
    return round(sum(listed) / len(listed), 3) if listed else None


if __name__ == "__main__":
    main()
