"""What is shipped counts as SpeechBrain does, and the training that makes it runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bot.channels.phone.voiceprint.encoders import BUNDLED_FILE, OnnxEncoder
from tests.bot.channels.phone.voiceprint.voices import RECORDINGS, needs_recordings

ROOT = Path(__file__).parents[5]
REFERENCE = Path(__file__).parent / "parity.npz"
TRAINING_PYTHON = ROOT / "var" / "speaker" / "venv" / "bin" / "python"


def test_the_shipped_graph_gives_the_vectors_that_speechbrain_gave():
    encoder = OnnxEncoder(BUNDLED_FILE)
    with np.load(REFERENCE) as kept:
        for name in ("short", "long"):
            found = encoder.vector(kept[name].astype(np.float32) / 32768)
            assert np.abs(found - kept[f"{name}_vector"]).max() < 2e-3
            assert found @ kept[f"{name}_vector"] > 0.9999


def test_the_model_says_how_well_it_knows_voices():
    figures = json.loads((BUNDLED_FILE.parent / "metrics.json").read_text("utf-8"))
    assert {"readers_one_sentence", "students_one_word", "students_three_words"} <= set(figures["sets"])
    assert figures["speakers"] == {"train": 184, "dev": 20, "report": 26}
    assert figures["unlike_speechbrain_max"] < 2e-3


@needs_recordings
@pytest.mark.skipif(not TRAINING_PYTHON.exists(), reason="the packages of training/speaker are not installed")
def test_a_tiny_training_makes_an_encoder_that_loads(tmp_path):
    paths = [str(ROOT / "training" / room) for room in ("speaker", "acoustic")]
    command = [str(TRAINING_PYTHON), "-m", "speaker", "--speech", str(RECORDINGS), "--work", str(tmp_path)]
    command += ["--steps", "4", "--every", "40", "--no-measuring", "--parity", str(tmp_path / "parity.npz")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*paths, str(ROOT)]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    encoder = OnnxEncoder(tmp_path / "model" / "encoder.onnx")
    with np.load(tmp_path / "parity.npz") as kept:
        assert encoder.vector(kept["long"].astype(np.float32) / 32768) @ kept["long_vector"] > 0.999
    assert {"scoring.json", "cohort.npy", "metrics.json"} <= {
        one.name for one in (tmp_path / "model").iterdir()
    }
