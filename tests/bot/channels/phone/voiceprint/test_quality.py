"""What no voice should be judged on is named before it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bot.channels.phone.voiceprint.listener import Voiceprint
from bot.channels.phone.voiceprint.quality import measure
from tests.bot.channels.phone.speakers import MOODS, as_spoken, on_the_line
from tests.bot.channels.phone.voiceprint.voices import machine, needs_recordings, readers, spoken_by

SENTENCE = "三七二零九五一八，请说出这些数字"
TIME = np.arange(32000) / 8000


def speech():
    return machine(SENTENCE, 0.9).astype(np.float64)


def chords(beat_s=1.0):
    """Music as it is played to those who wait."""
    rng, wave = np.random.default_rng(1), np.zeros(len(TIME))
    for beat in range(int(4 / beat_s)):
        since = TIME - beat * beat_s
        on = since >= 0
        for tone in rng.choice([220, 262, 330, 392, 440], 3, replace=False):
            wave[on] += np.sin(2 * np.pi * tone * since[on]) * np.exp(-2 * since[on])
    return wave / np.abs(wave).max() * 9000


def test_clear_speech_is_good():
    found = measure(speech().astype(np.int16), 8000)
    assert found.good and found.speech_s > 2


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("too_short", lambda: np.zeros(32000)),
        ("too_short", lambda: np.zeros(0)),
        ("too_short", lambda: speech()[:8000]),
        ("too_quiet", lambda: speech() * 0.003),
        ("clipped", lambda: np.clip(speech() * 20, -32768, 32767)),
        ("noisy", lambda: speech() * 0.5 + np.random.default_rng(1).standard_normal(len(speech())) * 1300),
        ("not_speech", chords),
        ("not_speech", lambda: 8000 * np.sin(2 * np.pi * 440 * TIME)),
        ("not_speech", lambda: 3000 * np.random.default_rng(1).standard_normal(32000)),
    ],
)
def test_each_fault_is_named(code, make):
    assert measure(np.rint(make()).astype(np.int16), 8000).code == code


@pytest.mark.parametrize("loudness", [900, 3000])
def test_noise_between_silences_is_no_speech(loudness):
    rng = np.random.default_rng(1)
    noise, quiet = loudness * rng.standard_normal(24000), 10 * rng.standard_normal(6000)
    found = measure(np.rint(np.concatenate([quiet, noise, quiet])).astype(np.int16), 8000)
    assert found.code == "not_speech" and found.swing_db > 2.2, "its edges swing like syllables"


@pytest.mark.parametrize("beat_s", [0.2, 0.35, 0.5, 1.0, 2.0])
def test_music_is_never_good(beat_s):
    assert not measure(np.rint(chords(beat_s)).astype(np.int16), 8000).good


def test_digits_begun_by_one_voice_and_ended_by_another_are_two_voices():
    listener, alone, spliced = Voiceprint.load(), [], []
    for take, mood in enumerate(MOODS):
        mine, theirs = (
            on_the_line(as_spoken(voice, "三七二零，九五一八。", mood), take) for voice in ("f4", "m8")
        )
        both = mine[: len(mine) // 4 * 2] + theirs[len(theirs) // 4 * 2 :]
        alone += [listener.quality(np.frombuffer(one, "<i2"), 8000).code for one in (mine, theirs)]
        spliced.append(listener.quality(np.frombuffer(both, "<i2"), 8000).code)
    assert set(alone) == {"ok"}
    assert spliced.count("two_voices") >= 5, spliced


@needs_recordings
def test_two_real_speakers_are_told_from_one():
    listener, found, good = Voiceprint.load(), [], []
    speakers = list(readers().values())
    for mine, theirs in itertools.pairwise(speakers[:9]):
        first, second, foreign = (spoken_by(path) for path in (mine[0], mine[1], theirs[0]))
        found.append(listener.quality(np.concatenate([first, foreign]), 8000).code)
        good.append(listener.quality(np.concatenate([first, second]), 8000).code)
    assert found.count("two_voices") >= 6, found
    assert good.count("two_voices") <= 1, "even where one speaker's two recordings are joined"


@needs_recordings
def test_real_recordings_are_good():
    codes = [measure(spoken_by(path), 8000).code for paths in readers().values() for path in paths[:2]]
    assert codes.count("ok") >= 0.9 * len(codes)
