"""The cohort and the numbers beside the weights: which voices normalise, and what a score is worth."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

from bot.channels.phone.voiceprint import windows
from bot.channels.phone.voiceprint.embedding import unit
from bot.channels.phone.voiceprint.encoders import OnnxEncoder
from bot.channels.phone.voiceprint.scoring import PLAIN, SPEECH_S_RANGE, Calibration, Rules, Scorer
from bot.channels.phone.voiceprint.speech import JUDGED_FROM_S
from bot.channels.phone.voiceprint.windows import AlikeRule
from speaker import trials
from speaker.corpus import Recording
from speaker.trials import Trial

OF_EACH: Final = 6  # recordings in a cohort voice
SIMILAR: Final = (20, 40, 80)
FALSE_ACCEPTS: Final = {"low": 0.01, "medium": 0.001, "high": 0.0003}
RIDGE: Final = 1e-3
UNLIKE_SHARE: Final = 0.02  # of recordings of one voice that are taken for two
ALIKE_LENGTHS_S: Final = (2.8, 4.0, 5.6)
ALIKE_DRAWS: Final = 24  # recordings of a speaker and length


def cohort(folder: Path, heard: list[Recording], encoder: OnnxEncoder, seed: int) -> np.ndarray:
    """One voice for each speaker of the training, (speakers, size) float16."""
    rng = np.random.default_rng(seed)
    by_speaker: dict[str, list[Recording]] = {}
    for one in heard:
        by_speaker.setdefault(one.speaker, []).append(one)
    voices = []
    for who in sorted(by_speaker):
        chosen = rng.permutation(len(by_speaker[who]))[: OF_EACH * 3]
        waves = [wave for at in chosen if len(wave := trials.speech(folder, by_speaker[who][at])) > 2400]
        voices.append(unit(np.sum([encoder.vector(wave) for wave in waves[:OF_EACH]], axis=0)))
    return np.stack(voices).astype(np.float16)


def eer(same: np.ndarray, other: np.ndarray) -> float:
    """Equal error rate."""
    limits = np.sort(np.concatenate([same, other]))
    missed = np.searchsorted(np.sort(same), limits) / len(same)
    let_in = 1 - np.searchsorted(np.sort(other), limits) / len(other)
    at = int(np.argmin(np.abs(missed - let_in)))
    return float((missed[at] + let_in[at]) / 2)


def scores(scorer: Scorer, made: list[Trial]) -> np.ndarray:
    """Normalised scores."""
    return np.array([scorer.compare(one.enrolled, one.test)[1] for one in made])


def fit(score: np.ndarray, same: np.ndarray, speech_s: np.ndarray) -> Calibration:
    """Logistic regression with the same weight for both kinds."""
    size = np.log(np.clip(speech_s, *SPEECH_S_RANGE))
    columns = np.stack([score, size * score, np.ones_like(score), size], axis=1)
    weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    sign = np.where(same, 1.0, -1.0)

    def cost(values: np.ndarray) -> float:
        return float((weight * np.logaddexp(0, -sign * (columns @ values))).sum() + RIDGE * (values**2).sum())

    found = minimize(cost, np.zeros(4), method="BFGS").x
    return Calibration(*(float(value) for value in found))


def alike_rule(folder: Path, chosen: list[Recording], encoder: OnnxEncoder, seed: int) -> AlikeRule:
    """How little alike parts of what one speaker says may be: all but UNLIKE_SHARE are, at each length."""
    rng = np.random.default_rng(seed)
    waves: dict[str, list[np.ndarray]] = {}
    for one in chosen:
        waves.setdefault(one.speaker, []).append(trials.speech(folder, one))
    least = [
        np.quantile(
            [
                windows.alike(trials.crop(rng, of, length_s), encoder)
                for of in waves.values()
                for _ in range(ALIKE_DRAWS)
            ],
            UNLIKE_SHARE,
        )
        for length_s in ALIKE_LENGTHS_S
    ]
    per_log_s, at_1_s = np.polyfit(np.log(ALIKE_LENGTHS_S), least, 1)
    return AlikeRule(round(float(at_1_s), 3), round(float(per_log_s), 3))


def write(
    folder: Path, model: Path, heard: list[Recording], dev: list[Recording], seed: int
) -> dict[str, Any]:
    """`cohort.npy` and `scoring.json` into `model`, which holds encoder.onnx; figures of the choice."""
    encoder = OnnxEncoder(model / "encoder.onnx")
    voices = cohort(folder, heard, encoder, seed)
    made = trials.make(folder, dev, encoder, seed)
    same = np.array([one.same for one in made])
    speech_s = np.array([one.speech_s for one in made])
    figures: dict[str, Any] = {"dev_trials": len(made)}
    best: tuple[float, int, np.ndarray] | None = None
    for similar in (0, *SIMILAR):
        rules = Rules(similar, PLAIN.calibration, PLAIN.thresholds, 0.0, 0.0, windows.NO_RULE)
        found = scores(Scorer(rules, voices.astype(np.float32)), made)
        errors = [eer(found[same & near], found[~same & near]) for near in _lengths(speech_s)]
        figures[f"dev_eer_similar_{similar}"] = [round(one, 4) for one in errors]
        if best is None or np.mean(errors) < best[0]:
            best = (float(np.mean(errors)), similar, found)
    assert best is not None
    calibration = fit(best[2], same, speech_s)
    llr = np.array([calibration.llr(*pair) for pair in zip(best[2], speech_s, strict=True)])
    strangers = llr[~same & (speech_s >= JUDGED_FROM_S)]
    thresholds = {
        name: round(float(np.quantile(strangers, 1 - rate)), 2) for name, rate in FALSE_ACCEPTS.items()
    }
    np.save(model / "cohort.npy", voices)
    rules_data = {
        "similar": best[1],
        "calibration": {name: round(getattr(calibration, name), 5) for name in Calibration.__slots__},
        "thresholds": thresholds,
        "same_voice_llr": round(float(np.quantile(llr[same], 0.02)), 2),
        "adapt_llr": thresholds["high"],
        "alike": asdict(alike_rule(folder, dev, encoder, seed)),
    }
    (model / "scoring.json").write_text(json.dumps(rules_data, indent=1) + "\n", "utf-8")
    return figures


def _lengths(speech_s: np.ndarray) -> list[np.ndarray]:
    return [np.abs(speech_s - length) < 0.05 for length in trials.LENGTHS_S]
