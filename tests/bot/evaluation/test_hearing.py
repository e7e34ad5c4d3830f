"""The figures of `eval asr` mean what the documentation says, and a bad manifest is one sentence."""

from __future__ import annotations

import json
import wave

import numpy as np
import pytest
from click.testing import CliRunner

from bot.channels.phone.speaking.espeak import synthesise
from bot.cli.evaluate import evaluate
from bot.evaluation.hearing import ManifestError, errors, normalised, read_manifest, telephone_pcm


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("给张三转500元", "给张三转五百元"),
        ("三千五", "3500"),
        ("两千块。", "二千块"),
        ("幺三八零零", "13800"),
        ("零零一二", "0012"),
        ("查 余额！", "查余额"),
    ],
)
def test_the_same_number_is_the_same_however_it_is_written(said, heard):
    assert normalised(said) == normalised(heard)


@pytest.mark.parametrize(
    ("said", "heard"), [("一二三", "一二四"), ("五百", "五千"), ("零零一", "零一"), ("两万三", "两万零三")]
)
def test_different_numbers_stay_different(said, heard):
    assert normalised(said) != normalised(heard)


@pytest.mark.parametrize(
    ("said", "heard", "count"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "axc", 1), ("ab", "abcd", 2), ("abc", "", 3)],
)
def test_errors_are_counted_as_edits(said, heard, count):
    assert errors(said, heard) == count


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "not json",
        "[]",
        '{"audio": "a.wav"}',
        '{"audio": 1, "text": "x"}',
        '{"audio": "a", "text": "b", "grammar": "c"}',
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(bad, tmp_path):
    path = tmp_path / "manifest.jsonl"
    path.write_text(bad, "utf-8")
    with pytest.raises(ManifestError):
        read_manifest(path)
    result = CliRunner().invoke(evaluate, ["asr", str(path)])
    assert result.exit_code == 2 and "清单" in result.output and "Traceback" not in result.output


def test_audio_is_found_beside_its_manifest(tmp_path):
    path = tmp_path / "manifest.jsonl"
    path.write_text(json.dumps({"audio": "x/a.wav", "text": "好", "grammar": ["好"]}) + "\n\n", "utf-8")
    (line,) = read_manifest(path)
    assert line.audio == tmp_path / "x" / "a.wav" and line.grammar == ("好",)


def test_any_recording_arrives_as_telephone_audio(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(np.random.default_rng(1).integers(-9000, 9000, 2 * 22050).astype("<i2").tobytes())
    plain, coded = (telephone_pcm(path, 8000, way) for way in ("none", "pcmu"))
    assert len(plain) == len(coded) == pytest.approx(16000, abs=4)
    assert (
        plain != coded and np.corrcoef(np.frombuffer(plain, "<i2"), np.frombuffer(coded, "<i2"))[0, 1] > 0.98
    )


def test_a_file_that_is_no_audio_is_named(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"nothing")
    with pytest.raises(ManifestError, match=r"a\.wav"):
        telephone_pcm(path, 8000, "none")


def test_what_is_printed_is_exactly_the_four_figures(tmp_path):
    said = {
        "a.wav": ("查余额", ["查余额", "转人工"]),
        "b.wav": ("转人工", ["查余额", "转人工"]),
        "c.wav": ("五", None),
    }
    for name, (text, _) in said.items():
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(synthesise(text, 0.9))
    manifest = tmp_path / "manifest.jsonl"
    lines = [
        {"audio": name, "text": text} | ({"grammar": only} if only else {})
        for name, (text, only) in said.items()
    ]
    manifest.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    done = CliRunner().invoke(
        evaluate, ["asr", str(manifest), "--rate", "8000", "--codec", "pcmu", "--model", "bundled"]
    )
    assert done.exit_code == 0 and done.output.count("\n") == 1
    figures = json.loads(done.output)
    assert list(figures) == ["n", "cer", "exact", "rtf"]
    assert figures["n"] == 3 and figures["exact"] >= 2 / 3 - 0.001
    assert 0 <= figures["cer"] <= 1 and figures["rtf"] > 0
