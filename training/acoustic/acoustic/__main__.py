"""One command from the recordings to the model's folder: `python -m acoustic --help`."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from acoustic import corpus, synthesis, train
from acoustic.mixing import Mixer

ROOT = Path(__file__).resolve().parents[3]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="acoustic", description=__doc__)
    parser.add_argument("--speech", type=Path, required=True, help="folder with manifest.jsonl")
    parser.add_argument("--work", type=Path, required=True, help="for what is made on the way")
    parser.add_argument("--steps", type=int, default=train.Plan().steps)
    parser.add_argument("--open-steps", type=int, default=train.Plan().open_steps)
    parser.add_argument("--espeak", type=int, default=4500, help="sentences by espeak-ng")
    parser.add_argument("--seed", type=int, default=train.Plan().seed)
    return parser.parse_args()


def main() -> None:
    """Trains; what was done before is kept in --work and not done again."""
    given = _arguments()
    work: Path = given.work
    clips = corpus.load(given.speech, work / "clips.pkl")
    words = [clip.text for clip in clips if clip.kind == "hsk" and len(clip.text) <= 4]
    clips += synthesis.load(ROOT, work / "espeak.pkl", given.espeak, given.seed, words)
    clips = [clip for clip in clips if clip.speaker not in corpus.HELD_OUT]
    heard = [clip for clip in clips if clip.speaker not in corpus.HELD_OUT_DIGITS]
    plan = train.Plan(steps=given.steps, open_steps=given.open_steps, seed=given.seed)
    run = work / "run"
    train.run(Mixer(heard, ROOT), plan, run, until=plan.open_steps)
    if not (run / "open.pt").exists():
        shutil.copy(run / "checkpoint.pt", run / "open.pt")
    train.run(Mixer(clips, ROOT), plan, run, until=plan.steps)


if __name__ == "__main__":
    main()
