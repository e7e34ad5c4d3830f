"""Measures an understanding model on the dev sets: accuracy, macro-F1, calibration, time per sentence."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhanggui_nlu.data import DevExample

Parse = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Mistake:
    """A dev sentence that was read wrongly."""

    text: str
    right: tuple[str, ...]
    said: str
    confidence: float


@dataclass(frozen=True)
class DevResult:
    """Figures over one dev set; `parse_ms` are percentiles of single calls, in milliseconds."""

    examples: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    parse_ms_p50: float
    parse_ms_p95: float
    mistakes: tuple[Mistake, ...]

    def summary(self) -> dict[str, float | int]:
        """The figures without the sentences, for JSON."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in vars(self).items()
            if name != "mistakes"
        }


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """Mean F1 over the intents in `truth`."""
    right, true_count, said_count = Counter(), Counter(truth), Counter(said)
    right.update(t for t, s in zip(truth, said, strict=True) if t == s)
    scores = [2 * right[name] / (true_count[name] + said_count[name]) for name in true_count]
    return float(np.mean(scores)) if scores else 0.0


def calibration_error(confidences: Sequence[float], correct: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error: mean gap between confidence and accuracy over equal-width bins."""
    conf, ok = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    places = np.minimum((conf * bins).astype(int), bins - 1)
    gaps = [
        abs(conf[places == b].mean() - ok[places == b].mean()) * (places == b).sum()
        for b in range(bins)
        if (places == b).any()
    ]
    return float(sum(gaps) / max(1, len(conf)))


def measure(parse: Parse, dev: Sequence[DevExample]) -> DevResult:
    """Parses every dev sentence once. Sentences whose intents the model does not know count as wrong."""
    usual = Counter(name for example in dev for name in example.intents)
    truth: list[str] = []
    said: list[str] = []
    confidences: list[float] = []
    times: list[float] = []
    mistakes: list[Mistake] = []
    for example in dev:
        start = time.perf_counter()
        intent = parse(example.text)["intent"]
        times.append((time.perf_counter() - start) * 1000)
        name, confidence = intent["name"] or "", float(intent["confidence"])
        hit = name in example.intents
        truth.append(name if hit else max(example.intents, key=lambda n: (usual[n], n)))
        said.append(name)
        confidences.append(confidence)
        if not hit:
            mistakes.append(Mistake(example.text, tuple(sorted(example.intents)), name, round(confidence, 3)))
    correct = [t == s for t, s in zip(truth, said, strict=True)]
    return DevResult(
        examples=len(dev),
        accuracy=float(np.mean(correct)) if correct else 0.0,
        macro_f1=macro_f1(truth, said),
        calibration_error=calibration_error(confidences, correct) if correct else 0.0,
        parse_ms_p50=float(np.percentile(times, 50)) if times else 0.0,
        parse_ms_p95=float(np.percentile(times, 95)) if times else 0.0,
        mistakes=tuple(mistakes),
    )
