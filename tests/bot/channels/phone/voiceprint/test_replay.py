"""A recording that was heard before is known again; the same words said anew are not taken for it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.signal import resample_poly
from threadpoolctl import threadpool_limits

from bot.channels.phone.voiceprint import replay
from tests.bot.channels.phone.voiceprint.voices import machine, needs_recordings, readers, spoken_by, through

SENTENCE = "三七二零九五一八，请说出这些数字"


@pytest.fixture(scope="module")
def former():
    return machine(SENTENCE, 0.9)


def changed(pcm):
    """What a thief's player and the line do to it."""
    wave = pcm.astype(np.float64)
    return {
        "exact": pcm,
        "another codec": through(pcm, "PCMA"),
        "quieter": np.rint(wave * 0.25).astype(np.int16),
        "later": np.concatenate([np.zeros(1777, np.int16), pcm[61:]]),
        "faster": np.rint(resample_poly(wave, 100, 106)).astype(np.int16),
        "slower": np.rint(resample_poly(wave, 100, 92)).astype(np.int16),
        "in pieces": np.concatenate(np.array_split(pcm[: len(pcm) // 4 * 4], 4)[::-1]),
    }


@pytest.mark.parametrize("how", list(changed(np.zeros(8000, np.int16))))
def test_a_former_recording_is_known_again(former, how):
    kept = [replay.fingerprint(machine("您的验证码是多少", 1.0), 8000), replay.fingerprint(former, 8000)]
    assert replay.find(changed(former)[how], 8000, kept).found


def test_other_words_of_the_same_voice_are_no_replay(former):
    kept = [replay.fingerprint(former, 8000)]
    for words in ("九一四四八零二六，请转给张山五百元", "明天下午三点我要预约柜台办理业务"):
        found = replay.find(machine(words, 0.9), 8000, kept)
        assert not found.found, found


def share_frame_by_frame(new, formers):
    """What `find` gives at its own speed, in the plainest way: every block against every place."""

    def signs(mark):
        words = np.frombuffer(mark[4:], "<u4")
        bits = (words[:, None] >> np.arange(23, dtype=np.uint32)) & 1
        return bits.astype(np.float32) * 2 - 1, words >> np.uint32(31)

    here, spoken = signs(new)
    starts = [at for at in range(0, len(here) - 29, 6) if spoken[at : at + 30].mean() >= 0.6]
    places = [kept[at : at + 30].ravel() for kept, _ in map(signs, formers) for at in range(len(kept) - 29)]
    alike = np.array([here[at : at + 30].ravel() for at in starts]) @ np.array(places).T / 690
    return float((alike.max(axis=1) >= 0.48).mean())


def test_looking_in_steps_finds_what_looking_everywhere_finds(former):
    kept = [replay.fingerprint(machine(words, 0.9), 8000) for words in (SENTENCE, "明天下午三点我要预约柜台")]
    noise = np.random.default_rng(3).normal(0.0, 1.0, len(former))
    shares = []
    for level in (0, 300, 600, 900, 1200, 2000):
        pcm = np.clip(former + level * noise, -32768, 32767).astype(np.int16)[61:]
        mark = replay.fingerprint(pcm, 8000)
        shares.append(max(replay.is_replay(mark, one).share for one in kept))
        assert shares[-1] == pytest.approx(max(share_frame_by_frame(mark, [one]) for one in kept), abs=0.03)
    assert shares[0] > 0.9 and any(0.05 < share < 0.9 for share in shares), shares


def test_four_hundred_former_recordings_leave_time_for_the_rest(former):
    kept = [replay.fingerprint(np.roll(former[::-1], 97 * turn), 8000) for turn in range(400)]
    with threadpool_limits(1):
        replay.find(former, 8000, kept[:5])
        worked = time.thread_time()
        assert not replay.find(former, 8000, kept).found
        assert time.thread_time() - worked < 0.4, "a fifth of a second where nobody else wants the core"


def test_a_fingerprint_is_small_and_the_same_every_time(former):
    first = replay.fingerprint(former, 8000)
    assert first == replay.fingerprint(former, 8000)
    assert len(first) < 260 * len(former) / 8000
    assert replay.is_replay(first, first).share == 1.0


def test_silence_and_what_is_no_fingerprint(former):
    nothing = replay.fingerprint(np.zeros(32000, np.int16), 8000)
    assert not replay.is_replay(nothing, nothing).found
    assert not replay.find(np.zeros(100, np.int16), 8000, [replay.fingerprint(former, 8000)]).found
    assert not replay.find(former, 8000, []).found
    for bad in (b"", b"ZFP1abc", b"NOPE" + bytes(8)):
        with pytest.raises(ValueError, match="not a fingerprint"):
            replay.is_replay(bad, nothing)


@needs_recordings
def test_real_speakers_replayed_are_caught_and_speaking_anew_are_not():
    caught, wrong, count = 0, 0, 0
    for paths in list(readers().values())[:6]:
        kept = [replay.fingerprint(spoken_by(path), 8000) for path in paths[:6]]
        old = spoken_by(paths[0]).astype(np.float64)
        played = through(np.clip(np.rint(old * 0.4), -32768, 32767).astype(np.int16)[97:], "PCMA")
        caught += replay.find(played, 8000, kept).found
        wrong += replay.find(spoken_by(paths[7]), 8000, kept).found
        count += 1
    assert (caught, wrong) == (count, 0)
