"""A fresh clone knows a voice: the bundled encoder loads, is small, and is steady."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from bot.channels.phone.errors import NoSpeech, VoiceprintFailed
from bot.channels.phone.voiceprint import encoders
from bot.channels.phone.voiceprint.listener import Voiceprint
from bot.settings import ROOT
from tests.bot.channels.phone.voiceprint.voices import machine


@pytest.fixture(scope="module")
def listener():
    return Voiceprint.load()


def test_the_model_stays_small():
    folder = encoders.BUNDLED_FILE.parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < 15_000_000


def test_the_same_audio_gives_the_same_unit_vector_at_any_rate(listener):
    pcm = machine("请转给张山五百元")
    first, second = listener.embed(pcm, 8000), listener.embed(pcm, 8000)
    assert np.array_equal(first.vector, second.vector)
    assert np.linalg.norm(first.vector) == pytest.approx(1.0, abs=1e-5)
    wide = np.rint(encoders.at_rate(pcm, 8000, 16000)).astype(np.int16)
    assert listener.embed(wide, 16000).vector @ first.vector > 0.98
    assert first.model == listener.model


def test_silence_has_no_voice(listener):
    for nothing in (np.zeros(0, np.int16), np.zeros(16000, np.int16)):
        with pytest.raises(NoSpeech):
            listener.embed(nothing, 8000)


@pytest.mark.parametrize("which", ["speechbrain/spkrec-ecapa-voxceleb", "/nowhere/model.onnx", "ecapa"])
def test_a_model_that_is_not_there_is_told_of_with_a_hint(which):
    pytest.importorskip("onnxruntime")
    try:
        import speechbrain  # noqa: F401

        pytest.skip("speechbrain is installed")
    except ImportError:
        pass
    with pytest.raises(VoiceprintFailed, match=r"[\u4e00-\u9fff]"):
        encoders.load(which)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "encoder.onnx").write_bytes(b"nothing")
    with pytest.raises(VoiceprintFailed):
        encoders.load(str(tmp_path / "encoder.onnx"))


def test_no_library_reports_to_its_maker_what_runs_here(tmp_path):
    """Where it is not silenced onnxruntime keeps an identifier of the machine in the cache folder."""
    program = "from bot.channels.phone.voiceprint import encoders; encoders.load()"
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    homes = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}  # and no CI, which would silence it too
    subprocess.run([sys.executable, "-c", program], env=kept | homes, cwd=ROOT, check=True, timeout=120)
    assert not list(tmp_path.rglob("*deviceid*"))
