"""`python -m zhanggui_nlu.bakeoff --data NLU_DATA [--json] [--only NAME ...]`: trains every candidate on the
same sentences and measures each in a process of its own; results in docs/decisions/0001-nlu-pipeline.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from zhanggui_nlu.data import concepts_file, read_corpus, read_dev
from zhanggui_nlu.evaluate import Parse, measure

OURS = "ours"
OURS_BARE = "ours-without-concepts"
DIET_EPOCHS = 3  # Rasa suggests 100; each costs about two minutes on two cores with our sentences
IMPORTERS = [{"name": "zhanggui_nlu.importer.CounterDataImporter"}]
_CHARACTERS = [{"name": "SpacyNLP", "model": "{spacy}"}, {"name": "SpacyTokenizer"}]
_REGEX = {"name": "RegexFeaturizer", "use_word_boundaries": False, "use_regexes": False}
# Rasa's stock pipelines, given character tokens because its default tokenizer splits at blanks.
STOCK: dict[str, list[dict[str, Any]]] = {
    "rasa-logistic": [
        *_CHARACTERS,
        {"name": "CountVectorsFeaturizer", "analyzer": "char", "min_ngram": 1, "max_ngram": 4},
        {"name": "LogisticRegressionClassifier"},
    ],
    "rasa-diet": [
        *_CHARACTERS,
        _REGEX,
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": DIET_EPOCHS, "random_seed": 7, "constrain_similarities": True},
    ],
}
SHOWN = (
    "accuracy", "macro_f1", "calibration_error", "parse_ms_p50", "parse_ms_p95", "training_s", "ready_s",
    "resident_mb",
)  # fmt: skip
CANDIDATES = (OURS, OURS_BARE, *STOCK)


def train_stock(pipeline: Sequence[dict[str, Any]], data_dir: Path, folder: Path) -> Path:
    """Trains one of Rasa's own pipelines with `rasa.model_training.train_nlu`; returns the archive."""
    import rasa.model_training  # noqa: F401 - before our pipeline, which would keep TensorFlow out

    from zhanggui_nlu.spacy_pipeline import build_pipeline

    model = folder / "spacy-zh"
    build_pipeline({}, None).to_disk(model)
    filled = [{k: str(model) if v == "{spacy}" else v for k, v in step.items()} for step in pipeline]
    config = {
        "recipe": "default.v1",
        "language": "zh",
        "assistant_id": "bakeoff",
        "importers": IMPORTERS,
        "pipeline": filled,
    }
    return train_config(config, data_dir, folder)


def train_config(config: dict[str, Any], data_dir: Path, folder: Path) -> Path:
    """Trains a default.v1 `config` with Rasa's own `train_nlu`; returns the archive, in `folder`."""
    from rasa.model_training import train_nlu

    path = folder / "config.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    archive = train_nlu(str(path), str(data_dir), str(folder), fixed_model_name="stock")
    return Path(str(archive))


def without_concepts(data_dir: Path, folder: Path) -> Path:
    """A copy of the data in which the classifier has character n-grams alone to go by."""
    copy = folder / "data"
    shutil.copytree(data_dir, copy)
    concepts_file(copy).unlink(missing_ok=True)
    return copy


def load(name: str, archive: Path) -> Parse:
    """A parse function over a trained candidate, loaded the way it would be served."""
    return load_ours(archive) if name in (OURS, OURS_BARE) else load_stock(archive)


def load_ours(archive: Path) -> Parse:
    """Our pipeline as the service loads it."""
    from zhanggui_nlu.runtime import Understanding

    return Understanding(archive).parse


def load_stock(archive: Path) -> Parse:
    """One of Rasa's own pipelines as Rasa's server loads it."""
    from rasa.core.agent import Agent

    agent, loop = Agent.load(str(archive)), asyncio.new_event_loop()

    def parse(text: str) -> dict[str, Any]:
        result: dict[str, Any] = loop.run_until_complete(agent.parse_message(text))
        return result

    return parse


def resident_mb() -> float:
    """Resident memory of this process, megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def child(step: str, name: str, data_dir: Path, folder: Path) -> dict[str, Any]:
    """One step of one candidate, in a process of its own: `train`, or `measure` what was trained."""
    started = time.monotonic()
    marker = folder / "archive.txt"
    if step == "train":
        if name in (OURS, OURS_BARE):
            from zhanggui_nlu.train import train_archive

            archive = folder / "ours.tar.gz"
            train_archive(data_dir if name == OURS else without_concepts(data_dir, folder), archive)
        else:
            archive = train_stock(STOCK[name], data_dir, folder)
        marker.write_text(str(archive), encoding="utf-8")
        return {"training_s": round(time.monotonic() - started, 1)}
    parse = load(name, Path(marker.read_text(encoding="utf-8")))
    parse("你好")
    ready = time.monotonic() - started
    known = set(read_corpus(data_dir).intents)
    for example in read_dev(data_dir)[:50]:
        parse(example.text)
    result = measure(parse, [e for e in read_dev(data_dir) if e.intents & known])
    return {**result.summary(), "ready_s": round(ready, 1), "resident_mb": round(resident_mb())}


def run_child(step: str, name: str, data_dir: Path, folder: Path) -> dict[str, Any]:
    """Runs `child` in a fresh interpreter; the time of a `measure` step includes the interpreter's start."""
    command = [sys.executable, "-m", "zhanggui_nlu.bakeoff", "--data", str(data_dir)]
    command += ["--step", step, "--only", name, "--folder", str(folder)]
    environment = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "RASA_MAX_CACHE_SIZE": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1]}
    result: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
    return result


def as_table(rows: Sequence[dict[str, Any]], keys: Sequence[str] = SHOWN) -> str:
    """The results as a Markdown table; what a row does not have is a dash."""
    lines = ["| candidate | " + " | ".join(keys) + " |", "| --- |" + " --- |" * len(keys)]
    for row in rows:
        lines.append(f"| {row['candidate']} | " + " | ".join(str(row.get(key, "-")) for key in keys) + " |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="zhanggui_nlu.bakeoff", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the nlu_data folder")
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.add_argument("--only", nargs="+", choices=CANDIDATES, default=list(CANDIDATES))
    parser.add_argument("--step", choices=("train", "measure"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    data_dir = arguments.data.resolve()
    if arguments.step:
        warnings.filterwarnings("ignore")
        logging.disable(logging.WARNING)
        result = child(arguments.step, arguments.only[0], data_dir, arguments.folder)
        print("RESULT " + json.dumps(result), flush=True)
        return 0
    rows: list[dict[str, Any]] = []
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            row = {"candidate": name, **run_child("train", name, data_dir, Path(folder))}
            if "error" not in row:
                row.update(run_child("measure", name, data_dir, Path(folder)))
        rows.append(row)
        print(f"{name}: {row.get('error', 'done')}", file=sys.stderr, flush=True)
    print(json.dumps(rows, ensure_ascii=False, indent=2) if arguments.json else as_table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
