"""Frames and codecs keep the sound."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.audio import FRAME_BYTES, Framer, codec, duration_ms
from bot.channels.phone.call import clean_number

ALL_SAMPLES = np.arange(-32768, 32768, dtype="<i2").tobytes()


@settings(derandomize=True)
@given(st.lists(st.binary(max_size=1000), max_size=20))
def test_frames_are_whole_and_nothing_is_lost(pieces: list[bytes]):
    framer = Framer()
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    rest = framer.flush()
    assert all(len(frame) == FRAME_BYTES for frame in [*frames, *rest])
    whole = b"".join(pieces)
    assert b"".join([*frames, *rest])[: len(whole) // 2 * 2] == whole[: len(whole) // 2 * 2]
    assert len(rest) <= 1


@pytest.mark.parametrize("name", ["PCMU", "PCMA"])
def test_g711_is_within_its_quantising_error_and_stable_from_the_second_pass_on(name):
    g711 = codec(name)
    once = g711.decode(g711.encode(ALL_SAMPLES))
    before, after = (np.frombuffer(pcm, "<i2").astype(int) for pcm in (ALL_SAMPLES, once))
    assert np.all(np.abs(after - before) <= np.maximum(16, np.abs(before) // 16 + 8))
    assert g711.decode(g711.encode(once)) == once


@pytest.mark.parametrize(
    ("name", "encode", "decode"), [("PCMU", "lin2ulaw", "ulaw2lin"), ("PCMA", "lin2alaw", "alaw2lin")]
)
def test_g711_decodes_every_byte_as_the_standard_library_did(name, encode, decode):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    every = bytes(range(256))
    assert codec(name).decode(every) == getattr(audioop, decode)(every, 2)
    assert (
        codec(name).encode(getattr(audioop, decode)(every, 2))[1:]
        == getattr(audioop, encode)(getattr(audioop, decode)(every, 2), 2)[1:]
    )


def test_duration_is_counted_in_samples():
    assert duration_ms(bytes(320)) == 20
    assert duration_ms(bytes(16001)) == 1000


@pytest.mark.parametrize(
    ("reported", "number"),
    [
        ("sip:13800000004@10.0.0.9", "13800000004"),
        ("<sip:+8613800000004@host;user=phone>", "+8613800000004"),
        ("tel:+86-138-0000-0004", "+8613800000004"),
        ("13800000004", "13800000004"),
        ("sip:anonymous@anonymous.invalid", ""),
        ("sip:1380000'; DROP@x", ""),
        ("", ""),
        ("9" * 30, ""),
    ],
)
def test_a_caller_number_is_a_number_or_nothing(reported, number):
    assert clean_number(reported) == number
