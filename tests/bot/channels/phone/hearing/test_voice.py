"""Voice is told from silence, hum and hiss, early enough and not too often."""

from __future__ import annotations

import numpy as np
import pytest

from bot.channels.phone.audio import FRAME_BYTES, SILENCE
from bot.channels.phone.hearing import WebRtcDetector
from bot.channels.phone.loop import VoiceStarted, VoiceStopped
from bot.channels.phone.speaking.espeak import synthesise


def frames(pcm):
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


def changes(detector, pcm):
    """(frame number, event) for every change."""
    told = [(at, detector.feed(frame)) for at, frame in enumerate(frames(pcm))]
    return [(at, event) for at, event in told if event is not None]


def test_a_sentence_starts_once_and_stops_once():
    quiet = SILENCE * 50
    found = changes(WebRtcDetector(), quiet + synthesise("确认转账", 1.0) + quiet)
    assert [type(event) for _, event in found] == [VoiceStarted, VoiceStopped]
    started, (stopped_at, stopped) = found[0][0], found[1]
    assert 50 <= started <= 65 and stopped.silence_s == pytest.approx(0.24) and stopped_at > started


@pytest.mark.parametrize("level", [0, 20, 50])
def test_a_quiet_line_says_nothing(level):
    hiss = np.random.default_rng(3).normal(0, level, 8000 * 5).astype("<i2").tobytes()
    assert changes(WebRtcDetector(), hiss) == []


def test_speech_over_steady_noise_is_still_heard():
    rng = np.random.default_rng(4)
    said = np.frombuffer(synthesise("我要转五百块钱", 1.0), "<i2").astype(float)
    wave = np.concatenate([np.zeros(16000), said, np.zeros(8000)])
    noisy = np.clip(wave + rng.normal(0, 150, len(wave)), -32768, 32767).astype("<i2").tobytes()
    found = changes(WebRtcDetector(), noisy)
    assert any(isinstance(event, VoiceStarted) and 95 <= at <= 140 for at, event in found)
    assert isinstance(found[-1][1], VoiceStopped)
