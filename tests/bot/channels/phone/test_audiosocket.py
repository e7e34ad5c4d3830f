"""AudioSocket: calls from Asterisk, and nothing from anybody else."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_network

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.clock import ManualClock
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.audio import SILENCE
from bot.channels.phone.audiosocket import (
    HANG_UP,
    KEY,
    SOUND,
    UNSPOKEN,
    UUID,
    WIDEBAND_HZ,
    AudioSocketCall,
    AudioSocketLine,
    frame,
    read_frame,
)
from bot.channels.phone.call import CallInfo, Ended, EndReason, Key, Played, Sound
from bot.channels.phone.errors import MalformedMessage
from tests.bot.channels.phone.manual import ManualTimer, settle, tone

CALL_ID = uuid.UUID("00000000-0000-4000-8000-000000000001")


async def busy_words(_why):
    return tone(5, value=3000)


class Exchange:
    """A running line, and Asterisk's side of connections to it."""

    def __init__(self, **limits):
        self.timer = ManualTimer()
        clock = ManualClock(datetime(2026, 11, 2, tzinfo=UTC))
        self.door = Doorkeeper(clock, LineLimits(**limits))
        self.line = AudioSocketLine(
            self.door,
            self.answer,
            self.timer,
            callers={CALL_ID: "13800000004"}.__getitem__,
            refusal=busy_words,
            uuid_wait_s=0.2,
        )
        self.calls, self.seen = [], []
        self.picked_up, self.ended = asyncio.Event(), asyncio.Event()
        self.writers = []

    async def answer(self, call):
        self.calls.append(call)
        self.picked_up.set()
        async for event in call.events():
            self.seen.append(event)
        self.ended.set()

    async def dial(self, first=None):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(frame(UUID, CALL_ID.bytes) if first is None else first)
        return reader, writer


@asynccontextmanager
async def exchange(**limits):
    made = Exchange(**limits)
    async with asyncio.timeout(10):
        made.port = await made.line.start("127.0.0.1", 0)
        try:
            yield made
        finally:
            await made.line.stop()
            for writer in made.writers:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()


async def test_a_call_brings_its_caller_its_sound_its_keys_and_its_end():
    async with exchange() as line:
        _, writer = await line.dial()
        writer.write(frame(SOUND, tone(2, value=7)) + frame(KEY, b"5") + frame(KEY, b"x") + frame(0x55, b"?"))
        writer.write(frame(HANG_UP))
        await line.ended.wait()
        assert line.seen == [Sound(tone(1, value=7))] * 2 + [Key("5"), Ended(EndReason.CALLER)]
        info = line.calls[0].info
        assert (info.caller, info.line_call_id, info.address) == ("13800000004", str(CALL_ID), "127.0.0.1")


async def test_speech_and_silence_go_out_at_one_pace_and_the_mark_follows_the_speech():
    async with exchange() as line:
        reader, writer = await line.dial()
        await line.picked_up.wait()
        call = line.calls[0]
        call.say(tone(3, value=9))
        call.mark("m")
        await line.timer.advance(0.2)
        frames = [await read_frame(reader) for _ in range(10)]
        bodies = [body for kind, body in frames if kind == SOUND]
        assert len(bodies) == 10 and bodies.count(tone(1, value=9)) == 3 and bodies.count(SILENCE) == 7
        writer.write(frame(HANG_UP))
        await line.ended.wait()
        assert line.seen == [Played("m"), Ended(EndReason.CALLER)]


async def test_hanging_up_tells_asterisk_and_closes():
    async with exchange() as line:
        reader, _ = await line.dial()
        await line.picked_up.wait()
        await line.calls[0].hang_up()
        kinds = []
        with suppress(EOFError):
            while True:
                kinds.append((await read_frame(reader))[0])
        assert kinds[-1] == HANG_UP and set(kinds) <= {SOUND, HANG_UP}


@pytest.mark.parametrize("ending", [b"", b"\x10\x01", frame(0xFF, b"\x01"), b"\x10\xff\xff"])
async def test_a_connection_that_breaks_or_lies_ends_the_call_and_frees_the_line(ending):
    async with exchange() as line:
        _, writer = await line.dial()
        await line.picked_up.wait()
        writer.write(ending)
        writer.write_eof()
        await line.ended.wait()
        assert line.seen == [Ended(EndReason.LOST)]
        await settle()
        assert line.door.calls == 0


@pytest.mark.parametrize(
    "first", [frame(SOUND, b"12"), frame(UUID, b"short"), b"GET / HTTP/1.1\r\n\r\n", b"\x01"]
)
async def test_who_does_not_begin_with_a_uuid_is_cut_off(first):
    async with exchange() as line:
        reader, _ = await line.dial(first)
        assert await reader.read() == b""
        assert line.calls == []


async def test_a_stranger_is_cut_off_before_a_word_is_read():
    async with exchange(allowed=(ip_network("10.0.0.0/8"),)) as line:
        reader, _ = await line.dial()
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert line.calls == []


async def test_the_caller_of_a_busy_line_hears_so_before_it_is_cut_off():
    async with exchange(calls_max=1) as line:
        await line.dial()
        await line.picked_up.wait()
        reader, _ = await line.dial()
        await settle()
        await line.timer.advance(1.0)
        frames = []
        with suppress(EOFError):
            while True:
                frames.append(await read_frame(reader))
        assert frames.count((SOUND, tone(1, value=3000))) == 5 and frames[-1] == (HANG_UP, b"")
        assert len(line.calls) == 1 and line.door.calls == 1


@pytest.mark.parametrize("kind", WIDEBAND_HZ)
async def test_sound_at_another_rate_is_heard_as_what_it_was(kind, caplog):
    rate_hz = WIDEBAND_HZ[kind]
    wave = 8000 * np.sin(2 * np.pi * 1000 * np.arange(rate_hz) / rate_hz)
    pcm, size = wave.astype("<i2").tobytes(), rate_hz // 50 * 2
    caplog.set_level("INFO")
    async with exchange() as line:
        _, writer = await line.dial()
        for at in range(0, len(pcm) // 2, size):
            writer.write(frame(kind, pcm[at : at + size]))
        writer.write(frame(HANG_UP))
        await line.ended.wait()
        heard = b"".join(event.pcm for event in line.seen if isinstance(event, Sound))
        spectrum = np.abs(np.fft.rfft(np.frombuffer(heard, "<i2")))
        assert len(heard) == 8000 and abs(np.argmax(spectrum) - 500) <= 1, "half a second: bins of 2 Hz"
    assert caplog.text.count(f"sends {rate_hz} Hz") == 1


async def test_what_cannot_be_heard_is_said_once_and_not_passed_over(caplog):
    async with exchange() as line:
        _, writer = await line.dial()
        writer.write(frame(0x55, b"?") * 3 + frame(UNSPOKEN, bytes(1764)))
        await line.ended.wait()
        assert line.seen == [Ended(EndReason.LOST)]
    assert caplog.text.count("frames ignored kind=0x55") == 1 and "44.1 kHz" in caplog.text


async def test_stopping_the_line_ends_its_calls():
    async with exchange() as line:
        await line.dial()
        await line.picked_up.wait()
        await line.line.stop()
        assert line.seen == [Ended(EndReason.LOST)] and line.door.calls == 0


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=400))
async def test_any_bytes_end_the_call_or_are_ignored(wire: bytes):
    reader = asyncio.StreamReader()
    reader.feed_data(wire)
    reader.feed_eof()
    call = AudioSocketCall(CallInfo("audiosocket", "1"), reader, None, ManualTimer())  # type: ignore[arg-type]
    await call._listen()
    events = [event async for event in call.events()]
    assert isinstance(events[-1], Ended) and all(not isinstance(event, Ended) for event in events[:-1])


async def test_a_frame_longer_than_a_second_is_refused():
    reader = asyncio.StreamReader()
    reader.feed_data(frame(SOUND, bytes(16_001)))
    with pytest.raises(MalformedMessage):
        await read_frame(reader)
