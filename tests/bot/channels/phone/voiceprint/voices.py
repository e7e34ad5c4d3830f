"""Voices for tests: espeak's as strangers who are always at hand, and real ones where the recordings are."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bot.channels.phone.audio import codec
from bot.channels.phone.speaking.espeak import synthesise
from bot.evaluation.hearing import telephone_pcm

# Beside the repository, or where the variable says.
RECORDINGS = Path(os.environ.get("ZHANGGUI_TEST_SPEECH", Path(__file__).parents[6] / "shared" / "speech"))
needs_recordings = pytest.mark.skipif(
    not (RECORDINGS / "manifest.jsonl").exists(), reason="the recordings are not here"
)
REPORT_READER_STEP = 10  # the training keeps every tenth reader for the report


def through(pcm: np.ndarray, name: str = "PCMU") -> np.ndarray:
    """Out of a telephone."""
    way = codec(name)
    return np.frombuffer(way.decode(way.encode(pcm.astype("<i2").tobytes())), "<i2")


@cache
def machine(text: str, speed: float = 1.0) -> np.ndarray:
    """The line's own voice."""
    return through(np.frombuffer(synthesise(text, speed), "<i2"))


@cache
def readers() -> dict[str, list[str]]:
    """Paths of those speakers whom the encoder has never heard."""
    found: dict[str, list[str]] = {}
    for line in (RECORDINGS / "manifest.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["set"] == "speechocean762":
            found.setdefault(entry["speaker"], []).append(entry["path"])
    return {who: found[who] for who in sorted(found)[::REPORT_READER_STEP]}


@cache
def spoken_by(path: str) -> np.ndarray:
    """A recording as a telephone brings it."""
    return np.frombuffer(telephone_pcm(RECORDINGS / path, 8000, "pcmu"), "<i2")
