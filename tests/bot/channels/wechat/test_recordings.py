"""Voice messages: real AMR is heard, hostile AMR harms nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.audio import FRAME_BYTES, SILENCE, codec
from bot.channels.phone.hearing import VoskHearing
from bot.channels.phone.loop import Expect, StageBroke
from bot.channels.phone.ports import Heard, Hearing, Recogniser
from bot.channels.phone.speaking.espeak import synthesise
from bot.channels.phone.switchboard import Deaf, NoHearing
from bot.channels.wechat import recordings
from bot.channels.wechat.amr import MAGIC, SPEECH_BYTES, read_amr
from bot.channels.wechat.errors import DecoderFailed, EarsFailed, RecordingRefused, RecordingTooLong
from bot.channels.wechat.framing import FRAMES_MAX
from bot.channels.wechat.recordings import RecordingReader
from bot.channels.wechat.simulator import recorded
from bot.channels.wechat.speex import BLOCK_BYTES, NARROW_BITS, WIDE_BITS, narrowband, read_speex
from tests.bot.channels.wechat.speex_recorder import FOLDER, SAID

frame = st.integers(0, len(SPEECH_BYTES) - 1).flatmap(
    lambda kind: st.binary(min_size=SPEECH_BYTES[kind], max_size=SPEECH_BYTES[kind]).map(
        lambda speech: bytes([kind << 3 | 4]) + speech
    )
)


async def ears() -> Hearing:
    return VoskHearing(threads=1)


@pytest.fixture
async def reader() -> AsyncIterator[RecordingReader]:
    reader = RecordingReader(ears)
    yield reader
    await reader.close()


def spoken(words: str) -> bytes:
    return recorded(SILENCE * 15 + synthesise(words, 0.9) + SILENCE * 10)


@pytest.mark.parametrize(
    ("words", "expect", "phrases"),
    [
        ("确认", Expect.YES_NO, ("确认", "取消")),
        ("取消", Expect.YES_NO, ("确认", "取消")),
        ("查余额", Expect.WORDS, ()),
        ("转人工", Expect.WORDS, ("查余额", "转人工")),
    ],
)
async def test_what_was_said_in_amr_is_heard(
    reader: RecordingReader, words: str, expect: Expect, phrases: tuple[str, ...]
) -> None:
    assert (await reader.hear(spoken(words), expect, phrases)).text == words


async def test_what_else_it_may_have_been_and_how_sure_it_is_comes_along(reader: RecordingReader) -> None:
    heard = await reader.hear(spoken("给李四转五百元"), Expect.WORDS, ("李四", "李思"))
    assert heard.others and len(heard.sureness) == len(heard.text)
    assert all(0.0 <= sure <= 1.0 for sure in heard.sureness)


async def test_silence_and_noise_are_nothing(reader: RecordingReader) -> None:
    noise = np.random.default_rng(7).normal(0, 30, 16000).astype("<i2").tobytes()
    for pcm in (SILENCE * 50, noise):
        assert (await reader.hear(recorded(pcm), Expect.WORDS, ())).text == ""


async def test_the_sound_that_went_in_comes_out(reader: RecordingReader) -> None:
    pcm = synthesise("您好，这里是掌柜银行。", 1.0)
    frames = read_amr(recorded(pcm))
    assert 0 <= len(frames) - -(-len(pcm) // FRAME_BYTES) <= 1  # the encoder looks ahead
    back = np.frombuffer(await reader._pcm("amrnb", frames), "<i2").astype(float)
    before = np.frombuffer(pcm, "<i2").astype(float)
    assert len(back) == 160 * len(frames)
    lags = [np.corrcoef(before[: len(before) - lag], back[lag : len(before)])[0, 1] for lag in range(80)]
    assert max(lags) > 0.8


async def test_where_the_line_was_silent_so_is_what_is_heard(reader: RecordingReader) -> None:
    speech = read_amr(spoken("查余额"))
    assert read_amr(MAGIC + bytes([8 << 3 | 4]) + bytes(5) + bytes([15 << 3 | 4]) + speech[0]) == [
        b"",
        b"",
        speech[0],
    ]
    pcm = await reader._pcm("amrnb", [speech[20], b"", b""])
    assert len(pcm) == 3 * FRAME_BYTES and not any(pcm[FRAME_BYTES:])


def blocks(name: str) -> list[bytes]:
    recording = (FOLDER / f"{name}.speex").read_bytes()
    return [recording[at : at + BLOCK_BYTES] for at in range(0, len(recording), BLOCK_BYTES)]


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("header", [False, True])
async def test_what_was_said_in_speex_is_heard_in_either_wrapping(
    reader: RecordingReader, name: str, header: bool
) -> None:
    recording = b"".join(bytes([len(block)] if header else []) + block for block in blocks(name))
    heard = await reader.hear(
        recording + recording[:20], Expect.WORDS, tuple(SAID.values())
    )  # cut off in a frame
    assert heard.text == SAID[name]


@pytest.mark.parametrize("name", SAID)
async def test_the_sound_that_went_into_speex_comes_out(reader: RecordingReader, name: str) -> None:
    frames = read_speex(b"".join(blocks(name)))
    back = np.frombuffer(await reader._pcm("speex", frames), "<i2").astype(float)
    before = np.frombuffer(codec("PCMU").decode((FOLDER / f"{name}.ulaw").read_bytes()), "<i2").astype(float)
    assert len(back) == 160 * len(frames)
    whole = min(len(before), len(back))
    lags = [np.corrcoef(before[: whole - lag], back[lag:whole])[0, 1] for lag in range(160)]
    assert max(lags) > 0.8


def test_a_speex_frame_says_how_long_it_is_and_half_a_one_is_none() -> None:
    for narrow, bits in enumerate(NARROW_BITS):
        for wide, more in enumerate(WIDE_BITS):
            octets = -(-(bits + more) // 8)
            frame = (narrow << bits - 5 << 4 | 8 | wide) << (more - 4) << (8 * octets - bits - more)
            block = frame.to_bytes(octets, "big")
            found = narrowband(block)
            assert found is not None and len(found) == -(-bits // 8) and found[0] >> 3 == narrow
            assert narrowband(block[:-1]) is None
            assert narrowband(bytes([block[0] | 0x80]) + block[1:]) is None  # no narrowband part


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_is_no_amr_is_speex_frames_or_refused(recording: bytes) -> None:
    try:
        frames = read_speex(recording)
    except RecordingRefused:
        return
    assert frames and all(0 < len(frame) <= 62 for frame in frames)


def test_more_than_a_minute_of_speex_is_too_long() -> None:
    with pytest.raises(RecordingTooLong):
        read_speex(blocks("human")[20] * (FRAMES_MAX + 1))


@settings(derandomize=True, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(lambda rest: MAGIC + rest)))
def test_whatever_comes_is_frames_or_refused(recording: bytes) -> None:
    try:
        frames = read_amr(recording)
    except RecordingRefused:
        return
    assert any(frames) and all(
        not each or len(each) == 1 + SPEECH_BYTES[each[0] >> 3 & 0xF] for each in frames
    )


@pytest.mark.parametrize(
    "recording",
    [
        b"",
        b"#!AMR",
        MAGIC,
        b"#!AMR-WB\n" + bytes(100),
        b"RIFF" + bytes(100),
        b"OggS" + bytes(100),
        MAGIC + bytes([9 << 3 | 4]) + bytes(40),
        MAGIC + b"\x80" + bytes(40),
        MAGIC + bytes([15 << 3 | 4]) * 10,
        bytes(600),
        bytes([60]) + bytes(60),
    ],
)
async def test_what_is_no_amr_reaches_no_decoder(recording: bytes) -> None:
    reader = RecordingReader(ears, decoder=Path("/nowhere"))
    with pytest.raises(RecordingRefused):
        await reader.hear(recording, Expect.WORDS, ())


async def test_more_than_a_minute_reaches_no_decoder() -> None:
    reader = RecordingReader(ears, decoder=Path("/nowhere"))
    with pytest.raises(RecordingTooLong):
        await reader.hear(MAGIC + (bytes([4]) + bytes(12)) * (FRAMES_MAX + 1), Expect.WORDS, ())


@settings(derandomize=True, deadline=None, max_examples=4)
@given(st.lists(frame, min_size=20, max_size=60))
def test_frames_that_nobody_spoke_are_as_long_as_any(frames: list[bytes]) -> None:
    async def decoded() -> bytes:
        return await RecordingReader(ears)._pcm("amrnb", frames)

    assert len(asyncio.run(decoded())) == len(frames) * FRAME_BYTES


async def test_a_minute_is_decoded_within_its_limits(reader: RecordingReader) -> None:
    frames = read_amr(recorded((synthesise("给李四转五百块。", 1.0) * 60)[: 3000 * FRAME_BYTES]))[:3000]
    began_s = time.perf_counter()
    assert len(await reader._pcm("amrnb", frames)) == 3000 * FRAME_BYTES
    assert time.perf_counter() - began_s < recordings.DECODE_S_MAX


@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(600)",
        "raise SystemExit(1)",
        "import os; os.abort()",
        "import sys; sys.stdout.buffer.write(bytes(100))",
    ],
)
async def test_a_decoder_that_hangs_or_dies_is_ended_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(recordings, "DECODE_S_MAX", 1.0)
    decoder = tmp_path / "decoder.py"
    decoder.write_text(program, "utf-8")
    with pytest.raises(DecoderFailed):
        await RecordingReader(ears, decoder=decoder)._pcm("amrnb", [bytes([4]) + bytes(12)])


async def test_the_decoder_has_no_secrets_little_memory_and_nothing_to_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHANGGUI_WECHAT_APP_SECRET", "secret")
    decoder = tmp_path / "decoder.py"
    decoder.write_text(
        f"""
import os, sys
found = [name for name in os.environ if "ZHANGGUI" in name]
try:
    bytearray({recordings.MEMORY_BYTES_MAX})
    found.append("memory")
except MemoryError:
    pass
try:
    with open({str(tmp_path / "out")!r}, "wb", buffering=0) as file:
        file.write(b"1")
    found.append("file")
except OSError:
    pass
sys.stdout.buffer.write((" ".join(found) or "nothing").encode().ljust({FRAME_BYTES}))
""",
        "utf-8",
    )
    said = await RecordingReader(ears, decoder=decoder)._pcm("amrnb", [bytes([4]) + bytes(12)])
    assert said.split() == [b"nothing"]


async def test_without_ears_it_is_told() -> None:
    async def none() -> Hearing:
        return NoHearing()

    with pytest.raises(EarsFailed):
        await RecordingReader(none).hear(spoken("查余额"), Expect.WORDS, ())


async def test_ears_that_break_are_told() -> None:
    class Breaking(NoHearing):
        def recogniser(self, tell: Callable[[Heard], None]) -> Recogniser:
            tell(StageBroke("hearing"))
            return Deaf()

    async def breaking() -> Hearing:
        return Breaking()

    with pytest.raises(EarsFailed):
        await RecordingReader(breaking).hear(spoken("查余额"), Expect.WORDS, ())
