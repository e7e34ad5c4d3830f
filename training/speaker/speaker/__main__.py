"""One command from the recordings to the encoder's folder and its figures: `python -m speaker --help`."""

from __future__ import annotations

import argparse
from pathlib import Path

from speaker import corpus, prepare, train
from speaker.network import Size
from speaker.prepare import Bank


def _arguments() -> argparse.Namespace:
    plan = train.Plan()
    parser = argparse.ArgumentParser(prog="speaker", description=__doc__)
    parser.add_argument("--speech", type=Path, required=True, help="folder with manifest.jsonl")
    parser.add_argument(
        "--work", type=Path, required=True, help="for what is made on the way; kept between runs"
    )
    parser.add_argument("--steps", type=int, default=plan.steps, help="of the plan")
    parser.add_argument("--seed", type=int, default=plan.seed)
    return parser.parse_args()


def _bank(given: argparse.Namespace) -> Bank:
    path = given.work / "bank.npz"
    if not path.exists():
        heard = [one for one in corpus.recordings(given.speech) if one.part == "train"]
        prepare.prepare(given.speech, heard, given.seed).save(path)
    return Bank.load(path)


def main() -> None:
    """Trains, exports and measures; what was done before is kept in --work and not done again."""
    given = _arguments()
    given.work.mkdir(parents=True, exist_ok=True)
    plan = train.Plan(steps=given.steps, seed=given.seed)
    train.run(_bank(given), plan, Size(), given.work / "run")


if __name__ == "__main__":
    main()
