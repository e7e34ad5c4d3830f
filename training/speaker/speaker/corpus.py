"""Who is in the recordings, and which whole speakers are kept out of the training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from scipy.signal import resample_poly

RATE_HZ: Final = 8000
FEW: Final = 400  # recordings of each voice that stands alone in its set
REPORT_STUDENTS: Final = frozenset({"dsp00", "dsp07", "dsp11", "dsp15", "dsp21", "dsp31"})
READERS, STUDENTS = "speechocean762", "dspspeech20"


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of the manifest; `part` is train, dev or report."""

    path: str
    set: str
    speaker: str
    part: str
    text: str


def part_of(group: str, speaker: str, readers: list[str]) -> str:
    """Of whole speakers: every fifth reader is kept out, in turn for the report and for calibration."""
    if group == READERS:
        at = readers.index(speaker)
        if at % 5:
            return "train"
        return "dev" if at // 5 % 2 else "report"
    return "report" if speaker in REPORT_STUDENTS else "train"


def recordings(folder: Path) -> list[Recording]:
    """All that is used, in the manifest's order."""
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    readers = sorted({line["speaker"] for line in lines if line["set"] == READERS})
    found, counts = [], dict[str, int]()
    for line in lines:
        speaker, group = line["speaker"], line["set"]
        if group not in (READERS, STUDENTS):
            counts[speaker] = counts.get(speaker, 0) + 1
            if counts[speaker] > FEW:
                continue
        part = part_of(group, speaker, readers)
        found.append(Recording(line["path"], group, speaker, part, line["text"]))
    return found


def telephone_rate(samples: np.ndarray, rate_hz: int, speed_percent: int = 100) -> np.ndarray:
    """At 8 kHz, int16 scale; faster or slower speech has another pitch and other formants: another voice."""
    up, down = RATE_HZ * 100, rate_hz * speed_percent
    common = int(np.gcd(up, down))
    return np.asarray(resample_poly(samples.astype(np.float32), up // common, down // common), np.float32)


def read(path: Path) -> tuple[np.ndarray, int]:
    """Mono samples on the int16 scale."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return samples[:, 0], int(rate)
