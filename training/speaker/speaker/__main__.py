"""One command from the recordings to the encoder's folder and its figures: `python -m speaker --help`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from speaker import calibrate, corpus, export, factors, measure, network, prepare, train
from speaker.corpus import Recording
from speaker.factors import FactorPlan
from speaker.network import Ecapa, Resnet, Size
from speaker.prepare import Voices
from speaker.train import Plan

FACTORS_FILE: Final = "factors.pt"
NETWORKS: Final[dict[str, tuple[Size, int]]] = {
    "ecapa": (Ecapa(), 15_500),
    "resnet": (Resnet(), 16_000),
}  # steps


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="speaker", description=__doc__)
    parser.add_argument("--speech", type=Path, required=True, help="folder with manifest.jsonl")
    parser.add_argument(
        "--work", type=Path, required=True, help="for what is made on the way; kept between runs"
    )
    parser.add_argument("--model", type=Path, help="where the finished model goes; default: WORK/model")
    parser.add_argument(
        "--app-python", type=Path, default=Path(sys.executable), help="Python of the app, which measures"
    )
    parser.add_argument(
        "--parity", type=Path, help="SpeechBrain's vectors, for the app's tests to compare with"
    )
    parser.add_argument("--device", default="cpu", help="where the networks are trained: cpu or cuda")
    parser.add_argument("--workers", type=int, default=2, help="processes that prepare the recordings")
    parser.add_argument("--steps", type=int, help="instead of each network's own number")
    parser.add_argument("--every", type=int, default=1, help="only every so many recordings: for a trial run")
    parser.add_argument(
        "--only", choices=NETWORKS, help="train this network and stop: several run side by side"
    )
    parser.add_argument("--seed", type=int, default=train.SEED)
    parser.add_argument("--no-measuring", action="store_true", help="weights and calibration only")
    return parser.parse_args()


def _voices(given: argparse.Namespace, heard: list[Recording]) -> Voices:
    path = given.work / "voices.npz"
    if not path.exists():
        prepare.prepare(given.speech, heard[:: given.every], given.seed, given.workers).save(path)
    return Voices.load(path)


def _plan(given: argparse.Namespace, steps: int) -> Plan:
    plan = Plan(steps=given.steps or steps, seed=given.seed)
    return plan if given.every == 1 else replace(plan, batch_s=plan.batch_s / 10)


def _write_parity(encoder: network.Encoder, file: Path) -> None:
    """Pieces of sound (int16) and what SpeechBrain makes of them."""
    waves = [np.rint(wave * 32768).astype(np.int16) for wave in export.waves_for_parity()[:2]]
    with torch.no_grad():
        pieces = [torch.from_numpy(wave.astype(np.float32) / 32768)[None] for wave in waves]
        vectors = [encoder(piece).numpy()[0] for piece in pieces]
    np.savez_compressed(file, short=waves[0], long=waves[1], short_vector=vectors[0], long_vector=vectors[1])


def _train(given: argparse.Namespace, heard: list[Recording], second: FactorPlan) -> None:
    """The networks and the factors, into --work/NAME; what is there already is not done again."""
    voices, file = _voices(given, heard), given.work / FACTORS_FILE
    for name, (size, steps) in NETWORKS.items():
        if given.only in (None, name):
            train.run(voices, _plan(given, steps), size, given.work / name, given.device)
    if not file.exists() and not given.only:
        factors.save(factors.learn(voices, second), file)


def _export(work: Path, model: Path, parity: Path | None) -> dict[str, object]:
    """The running means of the weights, and the factors, as the encoder."""
    kept = {
        name: torch.load(work / name / train.WEIGHTS_FILE, map_location="cpu", weights_only=True)
        for name in NETWORKS
    }
    opinions = [network.restore(one) for one in kept.values()]
    encoder = network.Encoder(opinions, factors.restore(work / FACTORS_FILE)).eval()
    unlike = export.write(encoder, model / "encoder.onnx", sum(one["step"] for one in kept.values()))
    if parity:
        _write_parity(encoder, parity)
    sizes = {name: {"steps": one["step"], **asdict(NETWORKS[name][0])} for name, one in kept.items()}
    return {"networks": sizes, "unlike_speechbrain_max": float(f"{unlike:.2g}")}


def main() -> None:
    """Trains, exports, calibrates and measures; what was done before is kept in --work and not done again."""
    given = _arguments()
    given.work.mkdir(parents=True, exist_ok=True)
    model: Path = (given.model or given.work / "model").resolve()
    parts: dict[str, list[Recording]] = {"train": [], "dev": [], "report": []}
    for one in corpus.recordings(given.speech):
        parts[one.part].append(one)
    second = FactorPlan(seed=given.seed) if given.every == 1 else factors.TRIAL
    _train(given, parts["train"], second)
    if given.only:
        return
    figures = {
        "plans": {name: asdict(_plan(given, steps)) for name, (_, steps) in NETWORKS.items()},
        "factors": asdict(second),
        **_export(given.work, model, given.parity),
    }
    figures["speakers"] = {name: len({one.speaker for one in of}) for name, of in parts.items()}
    figures["calibration"] = calibrate.write(given.speech, model, parts["train"], parts["dev"], given.seed)
    if not given.no_measuring:
        python = given.app_python.absolute()  # not resolved: a link is what makes it an environment
        figures["sets"] = measure.run(
            given.work / "measure", given.speech, parts["report"], model, given.seed, python
        )
    (model / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
