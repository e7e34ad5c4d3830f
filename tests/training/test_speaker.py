"""The speaker encoder's training: lines are those of the acoustic training, batches depend on seed and step alone.

Runs where the training's own packages are installed (training/speaker/requirements.txt); the app does not need them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
REASON = "the training packages are not installed here (training/speaker/requirements.txt)"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("speechbrain", reason=REASON)
sys.path[:0] = [str(ROOT / "training" / room) for room in ("speaker", "acoustic")]

from acoustic import telephone  # noqa: E402
from speaker import line, network, train  # noqa: E402
from speaker.prepare import Voices  # noqa: E402


@pytest.fixture
def voices():
    """Three voices of two pieces each, as tones."""
    time = np.arange(8000) / 8000
    pieces = [3000 * np.sin(2 * np.pi * (200 + 90 * at) * time) for at in range(6)]
    noise = np.random.default_rng(1).standard_normal((2, 16000)).astype(np.float16)
    names = ["dspspeech20 a 100", "speechocean762 b 100", "speechocean762 b 86"]
    edges = np.arange(7) * 8000
    return Voices(np.concatenate(pieces).astype(np.int16), edges, np.repeat(np.arange(3), 2), names, noise)


def test_the_codecs_are_those_of_the_telephone():
    wave = np.random.default_rng(2).uniform(-1.0, 1.0, 4000)
    for mine, theirs in ((line.mu_law, telephone.mu_law), (line.a_law, telephone.a_law)):
        found = mine(torch.from_numpy(wave)).numpy() * 32768
        assert np.abs(found - theirs(wave * 32768)).max() < 1.0


def test_a_straight_line_is_the_codec_and_nothing_else():
    wave = torch.sin(torch.arange(8000) / 8).repeat(4, 1)
    only = line.Chances(straight=1.0, band=0.0, room=0.0, noise=0.0, lost=0.0)
    heard = line.Line(torch.randn(2, 9000), only).through(wave, torch.Generator().manual_seed(1))
    for row in heard:
        assert np.corrcoef(row, wave[0])[0, 1] > 0.999


def test_lines_differ_from_voice_to_voice():
    wave = torch.sin(torch.arange(8000) / 8).repeat(6, 1)
    heard = line.Line(torch.randn(2, 9000)).through(wave, torch.Generator().manual_seed(1))
    assert torch.isfinite(heard).all() and heard.abs().max() <= 1.01
    assert len({round(float(row.std()), 4) for row in heard}) == 6


def test_a_batch_depends_on_seed_and_step_alone(voices):
    plan = train.Plan(steps=4, batch_s=20)
    first, again = (train.Supply(voices, plan, torch.device("cpu")) for _ in range(2))
    frames, labels = first.batch(3)
    assert frames.shape[0] == len(labels) and frames.shape[2] == 60
    assert torch.equal(frames, again.batch(3)[0]) and torch.equal(labels, again.batch(3)[1])
    assert not torch.equal(labels, first.batch(4)[1])
    assert labels.max() < first.classes == 9


def test_a_stopped_training_goes_on_and_a_done_one_is_left_alone(voices, tmp_path):
    plan, size = train.Plan(steps=4, batch_s=10, save_every=2), network.Ecapa(16, 32, 8, 8, 2, 8)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    train.run(voices, plan, size, whole)
    stopped = train.Training(voices, plan, size, halves)
    stopped.one(), stopped.one()
    stopped.save()
    train.run(voices, plan, size, halves)
    mean = [torch.load(at / train.WEIGHTS_FILE, weights_only=True) for at in (whole, halves)]
    assert mean[0]["step"] == mean[1]["step"] == 4
    for name, value in mean[0]["network"].items():
        assert torch.allclose(value.float(), mean[1]["network"][name].float(), atol=1e-4), name
    written = (whole / "checkpoint.pt").stat().st_mtime_ns
    train.run(voices, plan, size, whole)
    assert (whole / "checkpoint.pt").stat().st_mtime_ns == written
