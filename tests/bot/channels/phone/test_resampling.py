"""Sound keeps its pitch and its level on the way to the model's rate, however it is cut."""

from __future__ import annotations

import numpy as np
import pytest

from bot.channels.phone.resampling import Resampler


def tone(hz, rate_hz, seconds=1.0):
    return (
        (8000 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype("<i2").tobytes()
    )


@pytest.mark.parametrize("to_hz", [8000, 16000])
def test_a_tone_stays_what_it_was(to_hz):
    out = np.frombuffer(Resampler(8000, to_hz).feed(tone(1000, 8000)), "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(out))
    assert len(out) == to_hz and abs(np.argmax(spectrum) - 1000) <= 2
    assert np.sqrt(np.mean(out[to_hz // 4 :] ** 2)) == pytest.approx(8000 / np.sqrt(2), rel=0.02)
    beside = np.delete(spectrum, range(980, 1021))
    assert to_hz == 8000 or beside.max() < spectrum.max() / 100


@pytest.mark.parametrize("piece", [2, 320, 1600, 4002])
def test_pieces_give_the_same_as_the_whole(piece):
    pcm = tone(700, 8000, 0.5)
    cut = Resampler(8000, 16000)
    parts = b"".join(cut.feed(pcm[at : at + piece]) for at in range(0, len(pcm), piece))
    assert parts == Resampler(8000, 16000).feed(pcm)


def test_after_a_reset_nothing_of_before_is_left():
    used = Resampler(8000, 16000)
    used.feed(tone(3000, 8000, 0.1))
    used.reset()
    assert used.feed(tone(500, 8000, 0.1)) == Resampler(8000, 16000).feed(tone(500, 8000, 0.1))
