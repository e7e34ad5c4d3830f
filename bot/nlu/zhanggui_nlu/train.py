"""`python -m zhanggui_nlu.train --data NLU_DATA --out MODEL_DIR`: trains, measures, stores. Skips when
nothing changed. Writes `model.tar.gz` and `model.json`, each appearing complete or not at all."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhanggui_nlu.data import (
    area_files,
    concepts_file,
    dev_files,
    faq_files,
    files_hash,
    lexicon_files,
    read_corpus,
    read_dev,
)
from zhanggui_nlu.errors import NluError
from zhanggui_nlu.hashing import file_hash
from zhanggui_nlu.versions import versions

if TYPE_CHECKING:
    from rasa.shared.importers.importer import TrainingDataImporter

PACKAGE = Path(__file__).parent
CONFIG = PACKAGE / "config.yml"
MEASURING = frozenset({"bakeoff.py", "public.py", "public_data.py"})  # no part of the model
ARCHIVE_NAME, CARD_NAME = "model.tar.gz", "model.json"


def say(text: str) -> None:
    """One progress line."""
    print(f"[nlu] {text}", flush=True)


def input_hash(data_dir: Path) -> str:
    """SHA-256 over data, configuration, code and versions: equal means training would give the same model."""
    words = [*lexicon_files(data_dir), *(p for p in [concepts_file(data_dir)] if p.exists())]
    data = [*area_files(data_dir), *faq_files(data_dir), *dev_files(data_dir), *words]
    code = sorted([*(p for p in PACKAGE.rglob("*.py") if p.name not in MEASURING), CONFIG])
    parts = [files_hash(data, data_dir), files_hash(code, PACKAGE), json.dumps(versions(), sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_card(out_dir: Path) -> dict[str, Any]:
    """The stored `model.json`; empty when absent or damaged."""
    try:
        card = json.loads((out_dir / CARD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def is_current(out_dir: Path, wanted: str) -> bool:
    """Whether the stored model was made from exactly these inputs and is undamaged."""
    card, archive = read_card(out_dir), out_dir / ARCHIVE_NAME
    if card.get("input_sha256") != wanted or not archive.exists():
        return False
    return bool(card.get("sha256") == file_hash(archive))


def train_archive(data_dir: Path, archive: Path) -> None:
    """Trains config.yml on `data_dir` and writes `archive`."""
    _before_rasa()
    from zhanggui_nlu.importer import CounterDataImporter

    importer = CounterDataImporter(str(CONFIG), training_data_paths=str(data_dir))
    train_graph(importer, importer.get_config(), archive)


def train_graph(importer: TrainingDataImporter, config: dict[str, Any], archive: Path) -> None:
    """Runs Rasa's graph trainer over a graph.v1 `config`, as `rasa train nlu` does; writes `archive`."""
    _before_rasa()
    from rasa.engine.caching import LocalTrainingCache
    from rasa.engine.recipes.graph_recipe import GraphV1Recipe
    from rasa.engine.runner.dask import DaskGraphRunner
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.training.graph_trainer import GraphTrainer
    from rasa.shared.data import TrainingType

    graph = GraphV1Recipe().graph_config_for_recipe(config, {}, TrainingType.NLU)
    with tempfile.TemporaryDirectory() as folder:
        trainer = GraphTrainer(LocalModelStorage(Path(folder)), LocalTrainingCache(), DaskGraphRunner)
        trainer.train(graph, importer, archive, force_retraining=True)


def _before_rasa() -> None:
    """What must hold before Rasa is imported: no telemetry, no cache, no TensorFlow."""
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ["RASA_MAX_CACHE_SIZE"] = "0"
    from zhanggui_nlu.spacy_pipeline import without_tensorflow

    without_tensorflow()


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces `path` in one step."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def train(data_dir: Path, out_dir: Path, force: bool = False) -> dict[str, Any]:
    """Makes sure `out_dir` holds the model for these inputs; returns its card. Raises NluError."""
    wanted = input_hash(data_dir)
    if not force and is_current(out_dir, wanted):
        say("数据没有变化，模型不用重新训练。")
        return read_card(out_dir)
    started = time.monotonic()
    corpus, dev = read_corpus(data_dir), read_dev(data_dir)
    for warning in corpus.warnings:
        say(f"注意：{warning}")
    say(f"{len(corpus.examples)} 句例句，{len(corpus.intents)} 种意图，训练中（约一分钟，忙时两三分钟）…")
    out_dir.mkdir(parents=True, exist_ok=True)
    partial = out_dir / f".partial-{ARCHIVE_NAME}"
    train_archive(data_dir, partial)
    say(f"训练用了 {time.monotonic() - started:.0f} 秒，正用 {len(dev)} 句开发集测量 …")
    from zhanggui_nlu.evaluate import measure
    from zhanggui_nlu.runtime import Understanding

    result = measure(Understanding(partial).parse, [e for e in dev if e.intents & set(corpus.intents)])
    card = {
        "sha256": file_hash(partial),
        "input_sha256": wanted,
        "intents": corpus.intents,
        "sentences": len(corpus.examples),
        "dev": result.summary(),
        "versions": versions(),
        "trained_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "training_s": round(time.monotonic() - started, 1),
    }
    os.replace(partial, out_dir / ARCHIVE_NAME)
    write_atomically(out_dir / CARD_NAME, json.dumps(card, ensure_ascii=False, indent=2).encode())
    figures = f"准确率 {result.accuracy:.3f}，macro-F1 {result.macro_f1:.3f}"
    say(f"开发集{figures}，共 {card['training_s']} 秒。")
    return card


def main(argv: list[str] | None = None) -> int:
    """Command line; exit code 0, or 2 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="zhanggui_nlu.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the nlu_data folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for model.tar.gz and model.json")
    parser.add_argument("--force", action="store_true", help="train even when nothing changed")
    arguments = parser.parse_args(argv)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    try:
        train(arguments.data.resolve(), arguments.out.resolve(), arguments.force)
    except NluError as error:
        print(str(error), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
