"""Our pipeline beside Rasa's default one on a public English set, run in the understanding service's own Python."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

SETS = ("banking77", "clinc150")
CANDIDATES = ("ours", "rasa-diet")
PROGRESS = "[public]"
# Key of a candidate's figures, heading of its column.
COLUMNS = {
    "accuracy": "准确率",
    "macro_f1": "macro-F1",
    "out_of_scope_recall": "范围外召回",
    "epochs": "轮数",
    "training_s": "训练 秒",
    "parse_ms_p50": "p50 毫秒",
    "parse_ms_p95": "p95 毫秒",
    "parse_cpu_ms_mean": "每句 CPU 毫秒",
    "resident_mb": "内存 MB",
}


class MeasuringFailed(Exception):
    """The set cannot be read, or a candidate ended early; `str(error)` says which."""

    code: ClassVar[str] = "measuring_failed"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to run. Rasa's DIET stops after `epochs`, or with the epoch in which `minutes_max` are over."""

    name: str
    data: Path
    candidates: Sequence[str] = CANDIDATES
    epochs: int = 100
    minutes_max: float = 12.0


def measure_public(wanted: Comparison, say: Callable[[str], None]) -> dict[str, Any]:
    """`set`, `sentences` by part, `candidates` (one mapping of figures each, keys of COLUMNS and more),
    `load_average` and `cpus`; progress goes to `say`. Raises MeasuringFailed and NluEnvironmentMissing."""
    from bot.running.nlu_service import NLU_PROJECT, nlu_environment, nlu_python

    command = [str(nlu_python()), "-W", "ignore", "-m", "zhanggui_nlu.public", wanted.name]
    command += ["--data", str(wanted.data.resolve()), "--only", *wanted.candidates]
    command += ["--epochs", str(wanted.epochs), "--minutes-max", str(wanted.minutes_max)]
    last = ""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        subprocess.Popen(
            command, cwd=NLU_PROJECT, env=nlu_environment(), text=True, stdout=output, stderr=subprocess.PIPE
        ) as process,
    ):
        assert process.stderr is not None
        for line in process.stderr:
            last = line.strip() or last
            if line.startswith(PROGRESS):
                say(line.rstrip())
        if process.wait() != 0:
            raise MeasuringFailed(last)
        output.seek(0)
        report: dict[str, Any] = json.loads(output.read())
    return report


def as_table(report: Mapping[str, Any]) -> list[str]:
    """The lines of a Markdown table, a candidate each; columns that nobody has are left out."""
    rows = report["candidates"]
    shown = {key: title for key, title in COLUMNS.items() if any(key in row for row in rows)}
    lines = [f"| {report['set']} | " + " | ".join(shown.values()) + " |", "| --- |" + " --- |" * len(shown)]
    for row in rows:
        lines.append(f"| {row['candidate']} | " + " | ".join(str(row.get(key, "-")) for key in shown) + " |")
    return lines
