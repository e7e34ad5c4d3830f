"""Trials of speakers the encoder has never heard, and the app's own `zhanggui eval voiceprint` over them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np

from speaker.corpus import READERS, STUDENTS, Recording

ENROLMENTS_READERS: Final = 3
ENROLMENTS_STUDENTS: Final = 9  # words: about as much speech as three prompts of digits
DRAWS: Final = 3  # enrolments of a reader
TESTS_STUDENT: Final = 60


def _line(enrol: list[str], test: list[str], who: str, other: str) -> dict[str, Any]:
    return {"enrol": enrol, "test": test, "target": who == other, "speaker": who, "test_speaker": other}


def _by_speaker(chosen: list[Recording]) -> dict[str, list[Recording]]:
    found: dict[str, list[Recording]] = {}
    for one in chosen:
        found.setdefault(one.speaker, []).append(one)
    return dict(sorted(found.items()))


def readers(folder: Path, chosen: list[Recording], seed: int) -> list[dict[str, Any]]:
    """Three sentences to enrol, one to test; every other reader's sentences against them."""
    rng = np.random.default_rng(seed)
    paths = {who: [str(folder / one.path) for one in of] for who, of in _by_speaker(chosen).items()}
    lines = []
    for who, own in paths.items():
        for _ in range(DRAWS):
            order = [own[at] for at in rng.permutation(len(own))]
            enrol, rest = order[:ENROLMENTS_READERS], order[ENROLMENTS_READERS:]
            lines += [_line(enrol, [path], who, who) for path in rest]
            for other, theirs in paths.items():
                if other != who:
                    lines += [_line(enrol, [path], who, other) for path in theirs]
    return lines


def students(folder: Path, chosen: list[Recording], words: int, seed: int) -> list[dict[str, Any]]:
    """Nine Mandarin words to enrol, `words` others to test."""
    rng = np.random.default_rng([seed, words])
    mandarin = [one for one in chosen if not one.text.isascii()]
    paths = {who: [str(folder / one.path) for one in of] for who, of in _by_speaker(mandarin).items()}
    lines = []
    for who, own in paths.items():
        for _ in range(TESTS_STUDENT):
            order = [own[at] for at in rng.permutation(len(own))]
            enrol = order[:ENROLMENTS_STUDENTS]
            lines.append(_line(enrol, order[ENROLMENTS_STUDENTS : ENROLMENTS_STUDENTS + words], who, who))
            for other, theirs in paths.items():
                if other != who:
                    test = [theirs[at] for at in rng.permutation(len(theirs))[:words]]
                    lines.append(_line(enrol, test, who, other))
    return lines


def make(folder: Path, report: list[Recording], seed: int) -> dict[str, list[dict[str, Any]]]:
    """Lines of trials by the name of the set."""
    sentences = [one for one in report if one.set == READERS]
    words = [one for one in report if one.set == STUDENTS]
    return {
        "readers_one_sentence": readers(folder, sentences, seed),
        "students_one_word": students(folder, words, 1, seed),
        "students_three_words": students(folder, words, 3, seed),
    }


def run(
    work: Path, folder: Path, report: list[Recording], model: Path, seed: int, python: Path
) -> dict[str, Any]:
    """Figures of each set by the app in `python`; trials and DET curves stay in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    figures = {}
    for name, lines in make(folder.resolve(), report, seed).items():
        file = work / f"{name}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        command = [str(python), "-m", "bot.cli", "eval", "voiceprint", str(file), "--rate", "8000"]
        command += ["--model", str(model / "encoder.onnx"), "--det", str(work / f"{name}.svg")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures[name] = json.loads(done.stdout) | {"speakers": len({line["speaker"] for line in lines})}
    return figures
