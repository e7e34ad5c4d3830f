"""`python -m zhanggui_nlu.public banking77|clinc150 --data DIR`: our pipeline, set for English, beside
Rasa's default one (DIET) on a public set, each trained and measured in processes of its own. One JSON object
on stdout, progress on stderr. Results: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhanggui_nlu.bakeoff import load_ours, load_stock, resident_mb, train_config
from zhanggui_nlu.errors import NluError
from zhanggui_nlu.evaluate import Parse, measure
from zhanggui_nlu.public_data import OUT_OF_SCOPE, READERS, PublicDataImporter, PublicSet

OURS, DIET = "ours", "rasa-diet"
CANDIDATES = (OURS, DIET)
# The kinds of n-grams and two first settings had been tried on Banking77's test sentences; the values were
# then chosen on a held-out quarter of its training sentences. Nothing was chosen on CLINC150.
ENGLISH = {"longest": 5, "words": 2, "word_weight": 1.5, "c": 1.0, "balance": 0.0}
# What Rasa suggests for a language written with blanks (`rasa init`), as far as it names intents.
DIET_PIPELINE: list[dict[str, Any]] = [
    {"name": "WhitespaceTokenizer"},
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "DIETClassifier", "constrain_similarities": True, "random_seed": 7},
]
DIET_WEIGHTS = "DIETClassifier.tf_model"
CURVE_SENTENCES_MAX = 500
WARM_UP_SENTENCES = 30


@dataclass(frozen=True)
class Task:
    """What to measure. DIET stops after `epochs`, or with the epoch in which `minutes_max` are over."""

    name: str
    data: Path
    folder: Path
    epochs: int
    minutes_max: float


def say(text: str) -> None:
    """One line of progress."""
    print(f"[public] {text}", file=sys.stderr, flush=True)


def is_on_the_curve(epoch: int) -> bool:
    """Whether DIET's accuracy after this many epochs is taken: 1, 2, 5, 10, 20, 50, 100, ..."""
    return int(str(epoch).rstrip("0")) in (1, 2, 5)


def english_graph() -> dict[str, Any]:
    """The product's graph with the classifier set for English, without the tagger: these sets mark no
    entities, and its lexicons are Chinese."""
    from rasa.shared.utils.io import read_model_configuration

    from zhanggui_nlu.train import CONFIG

    graph: dict[str, Any] = read_model_configuration(CONFIG)
    train, predict = graph["train_schema"]["nodes"], graph["predict_schema"]["nodes"]
    del train["train_entities"], predict["find_entities"]
    train["training_data"]["config"]["language"] = graph["language"] = "en"
    train["train_intent"]["config"] = dict(ENGLISH)
    predict["classify_intent"]["needs"] = {"messages": "convert_message"}
    return graph


def train_ours(task: Task) -> dict[str, Any]:
    """Writes `ours.tar.gz`."""
    from zhanggui_nlu.train import train_graph

    importer = PublicDataImporter(None, None, str(task.data), task.name)
    train_graph(importer, english_graph(), task.folder / "ours.tar.gz")
    return {}


def train_diet(task: Task) -> dict[str, Any]:
    """Writes `stock.tar.gz`, and DIET's weights after the epochs of the curve into `curve`."""
    from rasa.utils import train_utils
    from tensorflow.keras.callbacks import Callback

    started = time.monotonic()
    epochs_done: list[int] = []

    class Pace(Callback):  # type: ignore[misc]
        """Tells each epoch, keeps weights for the curve and stops when the time is over."""

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            spent, done = time.monotonic() - started, epoch + 1
            epochs_done.append(done)
            learnt = float((logs or {}).get("i_acc", 0.0))
            say(f"DIET：第 {done}/{task.epochs} 轮，训练句准确率 {learnt:.3f}，{spent:.0f} 秒")
            if is_on_the_curve(done):
                weights = task.folder / "curve" / str(done) / DIET_WEIGHTS
                self.model.save_weights(weights, overwrite=True, save_format="tf")
            self.model.stop_training = spent > task.minutes_max * 60

    usual = train_utils.create_common_callbacks
    train_utils.create_common_callbacks = lambda *given, **named: [*usual(*given, **named), Pace()]
    importer = {"name": "zhanggui_nlu.public_data.PublicDataImporter", "name_of_set": task.name}
    *featurizers, diet = DIET_PIPELINE
    config = {
        "recipe": "default.v1",
        "language": "en",
        "assistant_id": "public",
        "importers": [importer],
        "pipeline": [*featurizers, {**diet, "epochs": task.epochs}],
    }
    train_config(config, task.data, task.folder)
    return {"epochs": len(epochs_done)}


def measured(parse: Parse, data: PublicSet) -> dict[str, Any]:
    """Figures over the test sentences, and how many of those out of scope are told to be so."""
    for example in data.test[:WARM_UP_SENTENCES]:
        parse(example.text)
    before = time.process_time()
    result = measure(parse, data.test)
    cpu_ms = (time.process_time() - before) / len(data.test) * 1000
    figures = {**result.summary(), "parse_cpu_ms_mean": round(cpu_ms, 2), "resident_mb": round(resident_mb())}
    if data.outside:
        told = [parse(example.text)["intent"]["name"] == OUT_OF_SCOPE for example in data.outside]
        figures["out_of_scope_recall"] = round(sum(told) / len(told), 4)
    return figures


def archive_at(epochs: int, folder: Path) -> Path:
    """The archive of DIET with its weights of an earlier epoch."""
    weights, unpacked = folder / "curve" / str(epochs), folder / f"unpacked-{epochs}"
    with tarfile.open(folder / "stock.tar.gz") as archive:
        archive.extractall(unpacked)  # just written by this program's own child
    [place] = {path.parent for path in unpacked.rglob(f"{DIET_WEIGHTS}.index")}
    for file in weights.iterdir():
        shutil.copy(file, place / file.name)
    changed = folder / f"stock-{epochs}.tar.gz"
    with tarfile.open(changed, "w:gz") as archive:
        for path in unpacked.iterdir():
            archive.add(path, path.name)
    return changed


def curve(task: Task, data: PublicSet) -> dict[str, float]:
    """DIET's accuracy by epochs, on every n-th test sentence."""
    some = data.test[:: max(1, len(data.test) // CURVE_SENTENCES_MAX)]
    points: dict[str, float] = {}
    for epochs in sorted(int(path.name) for path in (task.folder / "curve").glob("*")):
        result = measure(load_stock(archive_at(epochs, task.folder)), some)
        points[str(epochs)] = round(result.accuracy, 4)
        say(f"DIET：{epochs} 轮后准确率 {result.accuracy:.3f}（{len(some)} 句）")
    return points


def child(step: str, candidate: str, task: Task) -> dict[str, Any]:
    """One step of one candidate, in a process of its own: `train`, `measure` what was trained, or `curve`."""
    started = time.monotonic()
    if step == "train":
        result = train_ours(task) if candidate == OURS else train_diet(task)
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = round(used.ru_utime + used.ru_stime, 1)
        return {**result, "training_s": round(time.monotonic() - started, 1), "training_cpu_s": cpu_s}
    data = READERS[task.name](task.data)
    if step == "curve":
        return {"accuracy_by_epochs": curve(task, data)}
    parse = (
        load_ours(task.folder / "ours.tar.gz")
        if candidate == OURS
        else load_stock(task.folder / "stock.tar.gz")
    )
    parse(data.test[0].text)
    ready_s = round(time.monotonic() - started, 1)
    return {**measured(parse, data), "ready_s": ready_s}


def run_child(step: str, candidate: str, task: Task) -> dict[str, Any]:
    """Runs `child` in a fresh interpreter, its progress passing through. Raises NluError."""
    command = [sys.executable, "-m", "zhanggui_nlu.public", task.name, "--data", str(task.data)]
    command += ["--epochs", str(task.epochs), "--minutes-max", str(task.minutes_max)]
    command += ["--only", candidate, "--step", step, "--folder", str(task.folder)]
    quiet = {"LOG_LEVEL": "ERROR", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    rasa = {"RASA_TELEMETRY_ENABLED": "false", "RASA_MAX_CACHE_SIZE": "0"}
    # As the service runs; both candidates measure so.
    one_thread = {"OPENBLAS_NUM_THREADS": "1"} if step == "measure" else {}
    environment = {**os.environ, **quiet, **rasa, **one_thread}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        raise NluError(f"{candidate}: the step '{step}' ended with code {done.returncode}.")
    result: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
    return result


def compare(task: Task, candidates: list[str]) -> dict[str, Any]:
    """Trains and measures each candidate in turn. Raises NluError."""
    data = READERS[task.name](task.data)
    say(f"{task.name}：{len(data.train)} 句训练，{len(data.test)} 句测量")
    rows: list[dict[str, Any]] = []
    for candidate in candidates:
        say(f"{candidate}：训练中 …")
        row = {"candidate": candidate, **run_child("train", candidate, task)}
        say(f"{candidate}：训练用了 {row['training_s']} 秒，测量中 …")
        row.update(run_child("measure", candidate, task))
        say(f"{candidate}：准确率 {row['accuracy']:.4f}")
        if candidate == DIET:
            row.update(run_child("curve", candidate, task))
        rows.append(row)
    load = [round(value, 1) for value in os.getloadavg()]
    sizes = {"train": len(data.train), "test": len(data.test), "out_of_scope": len(data.outside)}
    return {
        "set": task.name,
        "sentences": sizes,
        "candidates": rows,
        "load_average": load,
        "cpus": os.cpu_count(),
    }


def main(argv: list[str] | None = None) -> int:
    """Command line; exit code 0, or 2 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="zhanggui_nlu.public", description=__doc__)
    parser.add_argument("name", choices=sorted(READERS))
    parser.add_argument("--data", type=Path, required=True, help="the folder as published")
    parser.add_argument("--only", nargs="+", choices=CANDIDATES, default=list(CANDIDATES))
    parser.add_argument("--epochs", type=int, default=100, help="DIET's epochs")
    parser.add_argument("--minutes-max", type=float, default=12.0, help="DIET trains no longer than this")
    parser.add_argument("--step", choices=("train", "measure", "curve"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    try:
        if given.step:
            task = Task(given.name, given.data, given.folder, given.epochs, given.minutes_max)
            print("RESULT " + json.dumps(child(given.step, given.only[0], task)), flush=True)
            return 0
        with tempfile.TemporaryDirectory(prefix="zhanggui-public-") as folder:
            task = Task(given.name, given.data.resolve(), Path(folder), given.epochs, given.minutes_max)
            print(json.dumps(compare(task, given.only), ensure_ascii=False), flush=True)
    except NluError as error:
        print(str(error), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
