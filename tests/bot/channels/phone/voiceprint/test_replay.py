"""A recording that was heard before is known again; the same words said anew are not taken for it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt
from threadpoolctl import threadpool_limits

from bot.channels.phone.voiceprint import replay
from bot.channels.phone.voiceprint.speech import active
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


def in_a_room(pcm, seed, noise=0.05):
    """Played through a small loudspeaker into a room, some noise in it."""
    rng, wave = np.random.default_rng(seed), pcm.astype(np.float64)
    small = sosfilt(butter(2, [400, 3000], "bandpass", fs=8000, output="sos"), wave)
    echoes = rng.standard_normal(1600) * np.exp(-np.arange(1600) / 350) * 0.04
    echoes[0] = 1.0
    heard = fftconvolve(small, echoes)[: len(wave)]
    heard += rng.standard_normal(len(wave)) * heard.std() * noise
    return through(np.clip(np.rint(heard), -32768, 32767).astype(np.int16))


def shuffled(recordings, seed, size=4000):
    """Half-seconds of several recordings in another order."""
    cut = [one[at : at + size] for one in recordings for at in range(2000, len(one) - size, size)]
    return np.concatenate([cut[at] for at in np.random.default_rng(seed).permutation(len(cut))[:8]])


@pytest.mark.parametrize("seed", range(6))
def test_pieces_of_former_recordings_are_known_again_through_a_loudspeaker(former, seed):
    formers = [former, machine("您的验证码是多少，请再说一遍", 1.0), machine("明天下午三点我要预约柜台", 0.9)]
    kept = [replay.fingerprint(one, 8000) for one in formers]
    assert replay.find(in_a_room(shuffled(formers, seed), seed), 8000, kept).found


def test_what_was_played_several_times_is_still_known_again(former):
    """Each time leaves a fingerprint of its own, and the likest place is now in one of them, now in another."""
    kept = [replay.fingerprint(in_a_room(former, seed), 8000) for seed in range(6)]
    assert replay.find(in_a_room(former, 6), 8000, [*kept, replay.fingerprint(former, 8000)]).found
    assert replay.find(former, 8000, [replay.fingerprint(former, 8000)] * 4).share > 0.9


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
    assert replay.find(former, 8000, [first]) == replay.Replay(1.0, 100)


def fingerprint_as_first_defined(pcm):
    """The format `ZFP1` in the plainest way: rows that are kept were made so."""
    edges = np.linspace(250 / 2210, 3400 / 5360, 25)
    bins = np.fft.rfftfreq(1024, 1 / 8000)
    band = np.digitize(bins / (bins + 1960.0), edges) - 1
    energies = []
    for at in range(0, len(pcm) - 1023, 128):
        power = np.abs(np.fft.rfft(pcm[at : at + 1024] * np.hanning(1024))) ** 2
        energies.append([np.log(power[band == one].sum() + 1.0) for one in range(24)])
    slope = np.diff(np.array(energies), axis=1)
    rising = slope[6:] > slope[:-6]
    spoken = active(pcm)
    words = [
        sum(1 << bit for bit in np.flatnonzero(row)) | int(spoken[((at + 6) * 128 + 128) // 160]) << 31
        for at, row in enumerate(rising)
    ]
    return b"ZFP1" + np.array(words, "<u4").tobytes()


def test_fingerprints_that_are_kept_stay_readable(former):
    kept, now = fingerprint_as_first_defined(former), replay.fingerprint(former, 8000)
    assert len(kept) == len(now)
    differing = np.unpackbits(np.frombuffer(kept, np.uint8) ^ np.frombuffer(now, np.uint8))
    assert differing.mean() < 0.001
    assert replay.find(former, 8000, [kept]).share > 0.95


def test_silence_and_what_is_no_fingerprint(former):
    nothing = replay.fingerprint(np.zeros(32000, np.int16), 8000)
    assert not replay.find(np.zeros(32000, np.int16), 8000, [nothing]).found
    assert not replay.find(np.zeros(100, np.int16), 8000, [replay.fingerprint(former, 8000)]).found
    assert not replay.find(former, 8000, []).found
    for bad in (b"", b"ZFP1abc", b"NOPE" + bytes(8)):
        with pytest.raises(ValueError, match="not a fingerprint"):
            replay.find(former, 8000, [nothing, bad])


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


@needs_recordings
def test_real_speakers_pieces_through_a_loudspeaker_are_caught():
    found, wrong = [], []
    for seed, paths in enumerate(list(readers().values())[:10]):
        formers = [spoken_by(path) for path in paths[:5]]
        kept = [replay.fingerprint(one, 8000) for one in formers]
        found.append(replay.find(in_a_room(shuffled(formers, seed), seed), 8000, kept).found)
        wrong.append(replay.find(spoken_by(paths[8]), 8000, kept).found)
    assert sum(found) >= 9 and not any(wrong)
