"""The recordings as trimmed clips in memory, each with its phones; whole speakers are kept out of training."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from acoustic import english, phones

RATE_HZ: Final = 16000
MARGIN_S: Final = 0.04
HELD_OUT: Final = frozenset({"dsp00", "dsp07", "dsp11", "dsp15", "dsp21", "dsp31"})
HELD_OUT_DIGITS: Final = frozenset({"pinyin_syllables"})  # measured first, then heard in the last steps
_HOP: Final = 160


@dataclass(slots=True)
class Clip:
    """`samples` int16 at 16 kHz; `labels` are phone numbers of `lang`, words divided by `starts`."""

    samples: np.ndarray
    labels: list[int]
    starts: list[int]
    speaker: str
    kind: str
    text: str
    lang: str = "zh"


def trim(samples: np.ndarray, floor_db: float = 38.0) -> np.ndarray:
    """Cuts what is much quieter than the loudest part at both ends, but for a margin."""
    count = len(samples) // _HOP
    if count < 4:
        return samples
    wave = samples[: count * _HOP].astype(np.float32).reshape(count, _HOP)
    wave = wave - wave.mean(axis=1, keepdims=True)
    level = 10 * np.log10((wave**2).mean(axis=1) + 1.0)
    quiet = np.percentile(level, 5)
    limit = max(level.max() - floor_db, min(quiet + 8.0, level.max() - 15.0))
    loud = np.flatnonzero(level > limit)
    margin = int(MARGIN_S * RATE_HZ)
    start, end = max(0, loud[0] * _HOP - margin), min(len(samples), (loud[-1] + 1) * _HOP + margin)
    return samples[start:end]


def _labels(entry: dict[str, str]) -> tuple[list[int], list[int]] | None:
    text = entry["text"]
    if entry["lang"] == "en":
        return english.labels(text)
    text = re.sub(r"[，。、！？（）()·\s]", "", text)
    try:
        names = [phones.bare(text)] if re.fullmatch(r"[a-zü:]+[0-9]?", text) else phones.syllables(text)
        if not names:
            return None
        numbers: list[int] = []
        starts: list[int] = []
        for name in names:
            starts.append(len(numbers))
            numbers += phones.indices([name])
    except KeyError:
        return None
    return numbers, starts


def _kind(entry: dict[str, str]) -> str:
    if entry["set"] == "audio_cmn":
        return "hsk" if "/hsk/" in entry["path"] else "syllables"
    return {"dspspeech20": "words", "aishell_sample": "sentences", "speechocean762": "english"}.get(
        entry["set"], "syllables"
    )


def load(folder: Path, cache: Path) -> list[Clip]:
    """Every usable recording, trimmed; decoded once and kept in `cache`."""
    if cache.exists():
        with cache.open("rb") as file:
            return pickle.load(file)
    clips = []
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        labels = _labels(entry)
        if labels is None:
            continue
        samples, rate = soundfile.read(folder / entry["path"], dtype="int16")
        if rate != RATE_HZ or samples.ndim != 1:
            continue
        kind = _kind(entry)
        speaker = "pinyin_syllables" if entry["set"] == "pinyin_syllables" else entry["speaker"]
        trimmed = trim(samples, 45.0 if kind in ("sentences", "english") else 38.0)
        if len(trimmed) < RATE_HZ * 0.03 * len(labels[0]):
            continue
        if kind == "words" and entry["lang"] == "en":
            kind = "english"
        clips.append(Clip(trimmed, labels[0], labels[1], speaker, kind, entry["text"], entry["lang"]))
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.open("wb") as file:
        pickle.dump(clips, file, protocol=5)
    return clips
