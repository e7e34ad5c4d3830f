"""One command from the recordings to the model's folder and its figures: `python -m acoustic --help`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from acoustic import corpus, cutting, folder, graphs, measure, synthesis, train, voices
from acoustic.corpus import Clip
from acoustic.mixing import Mixer

ROOT = Path(__file__).resolve().parents[3]


def _arguments() -> argparse.Namespace:
    plan = train.Plan()
    parser = argparse.ArgumentParser(prog="acoustic", description=__doc__)
    parser.add_argument("--speech", type=Path, required=True, help="folder with manifest.jsonl")
    parser.add_argument(
        "--work", type=Path, required=True, help="for what is made on the way; kept between runs"
    )
    parser.add_argument("--model", type=Path, help="where the finished model goes; default: WORK/model")
    parser.add_argument(
        "--app-python", default=sys.executable, help="Python of the app, which measures with Vosk"
    )
    parser.add_argument(
        "--stop", type=int, default=plan.stages[-1].until, help="take the weights after so many steps"
    )
    parser.add_argument("--espeak", type=int, default=4500, help="sentences by espeak-ng")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--no-training", action="store_true", help="take the last checkpoint as it is")
    return parser.parse_args()


def _train(clips: list[Clip], plan: train.Plan, run: Path, stop: int) -> None:
    """Stage by stage; the last weights that did not hear the digits' voice are kept, so that it can measure them."""
    clips = [clip for clip in clips if clip.speaker not in corpus.HELD_OUT]
    heard = [clip for clip in clips if clip.speaker not in corpus.HELD_OUT_DIGITS]
    run.mkdir(parents=True, exist_ok=True)
    begun, cut = 0, list[Clip]()
    for stage in plan.stages:
        if begun >= stop:
            return
        if begun and not cut:
            cut = cutting.numerals(heard, folder.load(_kept(run, "cutting.pt")))
        if stage.opened:
            _kept(run, "open.pt")
        own = [*(clips if stage.opened else heard), *cut]
        others = voices.load(own, run / f"voices{'_open' * stage.opened}.pkl", plan.seed)
        train.run(Mixer(own, ROOT, stage.recipe, stage.change, others), plan, stage, run, stop)
        begun = stage.until


def _kept(run: Path, name: str) -> Path:
    """The weights as they were when this was first asked for."""
    if not (run / name).exists():
        shutil.copy(run / "checkpoint.pt", run / name)
    return run / name


def _figures(work: Path, model: Path, checkpoint: Path, python: Path) -> dict[str, Any]:
    kept = torch.load(checkpoint, weights_only=True)
    return {
        "steps": kept["step"],
        "heard_h": round(kept["seconds"] / 3600, 1),
        "sets": measure.run(work / "measure", model, ROOT, python),
    }


def main() -> None:
    """Trains, exports, builds the graphs and measures; what was done before is kept in --work and not done again."""
    given = _arguments()
    work: Path = given.work.resolve()
    model: Path = (given.model or work / "model").resolve()
    run = work / "run"
    python = Path(given.app_python).absolute()  # not resolved: a link is what makes it an environment
    clips = corpus.load(given.speech, work / "clips.pkl")
    words = [clip.text for clip in clips if clip.kind == "hsk" and len(clip.text) <= 4]
    synthetic = synthesis.load(ROOT, work / "espeak.pkl", given.espeak, given.seed, words)
    plan = train.Plan(seed=given.seed)
    if not given.no_training:
        _train(clips + synthetic, plan, run, given.stop)
    measure.make(work / "measure", clips, ROOT)
    sizes = graphs.build(ROOT, model)
    metrics: dict[str, Any] = {"seed": plan.seed, "planned_steps": plan.stages[-1].until, "graph": sizes}
    if (run / "open.pt").exists():  # these weights never heard the digits' voice
        folder.write(folder.load(run / "open.pt"), model)
        metrics["before_the_digits_voice"] = _figures(work, model, run / "open.pt", python)
    folder.write(folder.load(run / "checkpoint.pt"), model)
    metrics["shipped"] = _figures(work, model, run / "checkpoint.pt", python)
    if "before_the_digits_voice" in metrics:  # what the voice was heard for proves nothing any more
        sets = metrics["shipped"]["sets"]
        metrics["shipped"]["sets_of_a_voice_it_has_heard"] = {
            name: sets.pop(name) for name in sorted(measure.OF_THE_DIGITS_VOICE)
        }
    (model / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
