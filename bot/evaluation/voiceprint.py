"""How well voices are told apart: `zhanggui eval voiceprint`, and how fast: `zhanggui bench voiceprint`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy.signal import resample_poly
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bot.channels.phone.errors import NoSpeech
from bot.channels.phone.voiceprint import replay
from bot.channels.phone.voiceprint.embedding import Embedding
from bot.channels.phone.voiceprint.listener import Voiceprint
from bot.channels.phone.voiceprint.scoring import LLR_LIMIT, Tier
from bot.channels.phone.voiceprint.template import Template, averaged
from bot.evaluation import error_rates
from bot.evaluation.error_rates import Curve
from bot.evaluation.hearing import CodecOption, ManifestError, recorded, telephone_pcm

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)  # templates are as old as the tests
BENCH_SENTENCE: Final = "三七二零九五一八，请转给张山五百元"
FORMERS = (20, 100, 300)  # the last as many as the bank compares with
BENCH_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Trial:
    """Is the speaker of `test` (recordings one after the other) the one who enrolled? Names are for the bootstrap."""

    enrol: tuple[Path, ...]
    test: tuple[Path, ...]
    target: bool
    speaker: str = ""
    test_speaker: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """`figures` as they are printed; `curve` to be drawn; `unheard` trials were refused, as nobody speaks in them."""

    figures: dict[str, Any]
    curve: Curve
    unheard: int


def read_trials(path: Path) -> list[Trial]:
    """Lines of {"enrol", "test", "target"[, "speaker", "test_speaker"]}. Raises ManifestError, naming the line."""
    trials = []
    for number, raw in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not raw.strip():
            continue
        try:
            entry = json.loads(raw)
            enrol, test = (_paths(path.parent, entry[key]) for key in ("enrol", "test"))
            names = (str(entry.get("speaker", "")), str(entry.get("test_speaker", "")))
            target = entry["target"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestError(f"line {number}: not an object with enrol, test and target") from error
        if not isinstance(target, bool):
            raise ManifestError(f"line {number}: target is true or false")
        trials.append(Trial(enrol, test, target, *names))
    if len({one.target for one in trials}) < 2:
        raise ManifestError("there must be trials of the same speaker and of others")
    return trials


def _paths(folder: Path, given: object) -> tuple[Path, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise ValueError("a list of paths")
    return tuple(folder / one for one in given)


class _Voices:
    """Each recording is read once, and each voice found once."""

    def __init__(self, listener: Voiceprint, rate_hz: int | None, through: CodecOption) -> None:
        self._listener, self._rate_hz, self._through = listener, rate_hz, through
        self._heard: dict[tuple[Path, ...], Embedding | None] = {}

    def of(self, paths: tuple[Path, ...]) -> Embedding | None:
        """Of recordings one after the other; None if nobody speaks in them."""
        if paths not in self._heard:
            pcm, rate_hz = self._pcm(paths)
            try:
                self._heard[paths] = self._listener.embed(pcm, rate_hz)
            except NoSpeech:
                self._heard[paths] = None
        return self._heard[paths]

    def _pcm(self, paths: Sequence[Path]) -> tuple[NDArray[np.int16], int]:
        if self._rate_hz is None:
            return np.concatenate([_plain(path) for path in paths]), 16000
        coded = [telephone_pcm(path, self._rate_hz, self._through) for path in paths]
        return np.frombuffer(b"".join(coded), "<i2"), 8000


def _plain(path: Path) -> NDArray[np.int16]:
    """At 16 kHz, not coded."""
    samples, from_hz = recorded(path)
    wave = resample_poly(samples, 16000, from_hz)
    return np.asarray(np.clip(np.rint(wave * 32767), -32768, 32767), np.int16)


def measure(
    trials: Sequence[Trial], model: str, *, rate_hz: int | None, through: CodecOption, tier: Tier
) -> Measured:
    """`n`, `eer`, `min_dcf`, and `far`, `frr` at the `threshold` of the tier (a log-likelihood ratio).

    A trial in which nobody speaks is refused. With speakers named, `intervals` of eer, far and frr besides.
    """
    listener = Voiceprint.load(model)
    voices = _Voices(listener, rate_hz, through)
    heard = [_llr(listener, voices, one) for one in trials]
    llr = np.array([-LLR_LIMIT if one is None else one for one in heard])
    same = np.array([one.target for one in trials])
    threshold = listener.scorer.rules.thresholds[tier]
    found = error_rates.curve(llr, same)
    far, frr = error_rates.rates_at(llr, same, threshold)
    figures: dict[str, Any] = {
        "n": len(trials),
        "eer": round(found.eer(), 5),
        "min_dcf": round(found.min_dcf(), 4),
        "far": round(far, 5),
        "frr": round(frr, 5),
        "threshold": threshold,
    }
    if all(one.speaker and one.test_speaker for one in trials):
        left, right = [one.speaker for one in trials], [one.test_speaker for one in trials]
        figures["intervals"] = error_rates.bootstrap(llr, same, left, right, threshold)
    return Measured(figures, found, heard.count(None))


def _llr(listener: Voiceprint, voices: _Voices, trial: Trial) -> float | None:
    """None if nobody speaks."""
    enrolled = [voice for path in trial.enrol if (voice := voices.of((path,)))]
    test = voices.of(trial.test)
    if not enrolled or test is None:
        return None
    return listener.score(averaged(enrolled, NOW), test, NOW).llr


def measure_speed(model: str, rounds: int, say: Callable[[str], None]) -> dict[str, float | int | str]:
    """A verification is quality, replay, voice and verdict for BENCH_S of audio, on one core. Memory in MB.

    `cpu` is processor time: what the verification takes where nobody else wants the core. There are as many former
    attempts as are ever compared with; `replay_of_*` is the processor time of fewer.
    """
    from bot.channels.phone.speaking.espeak import synthesise

    process = psutil.Process()
    before = process.memory_info().rss
    listener = Voiceprint.load(model)
    pcm = np.frombuffer(synthesise(BENCH_SENTENCE, 0.9) * 3, "<i2")[: int(BENCH_S * 8000)]
    template = averaged([listener.embed(pcm, 8000)], NOW)
    formers = [replay.fingerprint(np.roll(pcm[::-1], 97 * turn), 8000) for turn in range(FORMERS[-1])]
    parts: dict[str, list[float]] = {
        "quality": [],
        "replay": [],
        "voice": [],
        "verdict": [],
        "cpu": [],
        "all": [],
    }
    say(f"{rounds} verifications of {BENCH_S:.0f} s …")
    with threadpool_limits(1):
        for _ in range(rounds):
            _time_one(listener, template, pcm, formers, parts)
    figures: dict[str, float | int | str] = {"model": listener.model, "n": rounds, "audio_s": BENCH_S}
    for name, spent in parts.items():
        prefix = "" if name == "all" else f"{name}_"
        figures[f"{prefix}p50_ms"] = round(statistics.median(spent), 2)
        figures[f"{prefix}p95_ms"] = round(float(np.quantile(spent, 0.95)), 2)
    with threadpool_limits(1):
        for count in FORMERS:
            worked = time.thread_time()
            replay.find(pcm, 8000, formers[:count])
            figures[f"replay_of_{count}_cpu_ms"] = round(1000 * (time.thread_time() - worked), 1)
    figures["memory_added_mb"] = round((process.memory_info().rss - before) / 1e6, 1)
    figures["memory_mb"] = round(process.memory_info().rss / 1e6, 1)
    return figures


def _time_one(
    listener: Voiceprint,
    template: Template,
    pcm: NDArray[np.int16],
    formers: Sequence[bytes],
    parts: dict[str, list[float]],
) -> None:
    """One verification; adds what each part took, ms."""
    worked = time.thread_time()
    marks = [time.perf_counter()]
    listener.quality(pcm, 8000)
    marks.append(time.perf_counter())
    replay.find(pcm, 8000, formers)
    marks.append(time.perf_counter())
    voice = listener.embed(pcm, 8000)
    marks.append(time.perf_counter())
    listener.score(template, voice, NOW)
    marks.append(time.perf_counter())
    for name, since, until in zip(list(parts)[:4], marks, marks[1:], strict=False):
        parts[name].append(1000 * (until - since))
    parts["cpu"].append(1000 * (time.thread_time() - worked))
    parts["all"].append(1000 * (marks[-1] - marks[0]))
