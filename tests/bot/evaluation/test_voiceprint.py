"""`zhanggui eval voiceprint` and `zhanggui bench voiceprint` print what operators were promised."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from scipy.signal import resample_poly

from bot.cli.main import cli
from tests.bot.channels.phone.voiceprint.voices import machine

WORDS = ("三七二零九五一八", "请转给张山五百元", "明天下午三点预约柜台", "查一下上个月的账单")


@pytest.fixture
def trials(tmp_path):
    """Two voices, of which one is the other sped up."""
    lines, paths = [], {}
    for voice, speed in {"one": 100, "two": 130}.items():
        for at, words in enumerate(WORDS):
            wave = resample_poly(machine(words).astype(float), 100, speed)
            paths[voice, at] = f"{voice}{at}.wav"
            soundfile.write(tmp_path / paths[voice, at], np.rint(wave).astype(np.int16), 8000)
    for voice, other in (("one", "two"), ("two", "one")):
        enrol = [paths[voice, at] for at in range(2)]
        for at in (2, 3):
            lines.append({"enrol": enrol, "test": [paths[voice, at]], "target": True})
            lines.append({"enrol": enrol, "test": [paths[other, at], paths[other, 0]], "target": False})
    file = tmp_path / "trials.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    return file


def run(*arguments):
    return CliRunner().invoke(cli, list(arguments))


def test_trials_are_measured_and_drawn(trials, tmp_path):
    pytest.importorskip("matplotlib")
    for rate in ((), ("--rate", "8000")):
        picture = tmp_path / "det.svg"
        result = run("eval", "voiceprint", str(trials), *rate, "--det", str(picture))
        assert result.exit_code == 0, result.output
        figures = json.loads(result.stdout)
        assert list(figures) == ["n", "eer", "min_dcf", "far", "frr", "threshold"]
        assert figures["n"] == 8 and figures["eer"] < 0.3, figures
        assert picture.exists()


def test_named_speakers_give_intervals(trials):
    lines = [json.loads(line) for line in trials.read_text("utf-8").splitlines()]
    for line in lines:
        line["speaker"] = line["enrol"][0][:3]
        line["test_speaker"] = line["test"][0][:3]
    trials.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    assert set(json.loads(run("eval", "voiceprint", str(trials)).stdout)["intervals"]) == {
        "eer",
        "far",
        "frr",
    }


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "no json",
        '{"enrol": ["a.wav"], "test": ["b.wav"]}',
        '{"enrol": [], "test": ["b.wav"], "target": true}',
        '{"enrol": ["a.wav"], "test": ["b.wav"], "target": "yes"}',
        '{"enrol": ["a.wav"], "test": ["b.wav"], "target": true}',
        '{"enrol": ["a.wav"], "test": ["b"], "target": true}\n{"enrol": ["a"], "test": ["b"], "target": false}',
    ],
)
def test_trials_that_cannot_be_used_are_told_of_in_one_sentence(tmp_path, lines):
    file = tmp_path / "trials.jsonl"
    file.write_text(lines, "utf-8")
    result = run("eval", "voiceprint", str(file))
    assert result.exit_code == 2
    assert "没有成功：清单有问题" in result.stderr and "Traceback" not in result.output


def others(trials, tmp_path, make):
    """The same trials, the first of which is tested with the file that `make` writes."""
    make(tmp_path / "other.wav")
    lines = [json.loads(line) for line in trials.read_text("utf-8").splitlines()]
    lines[0]["test"] = ["other.wav"]
    trials.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    return trials


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda file: None, "no such file"),
        (lambda file: file.mkdir(), "no such file"),
        (lambda file: file.write_bytes(b"no sound at all"), "cannot be read as audio"),
        (
            lambda file: soundfile.write(file, np.full(8000, np.nan), 8000, subtype="FLOAT"),
            "holds samples that are no numbers",
        ),
    ],
)
@pytest.mark.parametrize("rate", [(), ("--rate", "8000")])
def test_a_recording_that_cannot_be_used_is_named_with_its_whole_path(trials, tmp_path, make, why, rate):
    result = run("eval", "voiceprint", str(others(trials, tmp_path, make)), *rate)
    assert result.exit_code == 2 and result.stdout == ""
    assert f"{tmp_path / 'other.wav'}: {why}" in result.stderr


def test_trials_in_which_nobody_speaks_are_refused_and_told_of(trials, tmp_path):
    silence = others(trials, tmp_path, lambda file: soundfile.write(file, np.zeros(32000), 16000))
    result = run("eval", "voiceprint", str(silence))
    assert result.exit_code == 0 and json.loads(result.stdout)["n"] == 8
    assert "有 1 条没有听到人说话" in result.stderr


@pytest.mark.parametrize("rate", [(), ("--rate", "8000")])
def test_stereo_at_another_rate_and_a_byte_order_mark_are_no_obstacle(trials, tmp_path, rate):
    wave, rate_hz = soundfile.read(tmp_path / "one2.wav")
    other = resample_poly(wave, 441, rate_hz // 100)

    def stereo(file):
        soundfile.write(file, np.stack([other, other], 1), 44100)

    before = json.loads(run("eval", "voiceprint", str(trials), *rate).stdout)
    marked = others(trials, tmp_path, stereo)
    marked.write_bytes(b"\xef\xbb\xbf" + marked.read_bytes())
    result = run("eval", "voiceprint", str(marked), *rate)
    assert result.exit_code == 0 and json.loads(result.stdout)["n"] == before["n"], result.stderr
    assert "没有听到" not in result.stderr


@pytest.mark.parametrize("name", ["det.txt", "nowhere/det.svg"])
def test_a_picture_that_cannot_be_drawn_is_said_before_anything_is_measured(trials, tmp_path, name):
    (tmp_path / "one0.wav").unlink()  # measuring would stumble over it
    result = run("eval", "voiceprint", str(trials), "--det", str(tmp_path / name))
    assert result.exit_code == 2 and "曲线画不出来" in result.stderr and result.stdout == ""


def test_a_model_that_is_not_there_is_told_of_in_one_sentence(trials):
    result = run("eval", "voiceprint", str(trials), "--model", "/nowhere/encoder.onnx")
    assert result.exit_code == 2 and "ZHANGGUI_VOICEPRINT_MODEL" in result.stderr


def test_a_verification_is_timed():
    figures = json.loads(run("bench", "voiceprint", "--rounds", "5", "--json").stdout)
    assert {"p50_ms", "p95_ms", "memory_mb", "voice_p50_ms", "replay_p50_ms"} <= set(figures)
    assert figures["audio_s"] == 4.0
