"""Voice messages: decoded in a process of its own, heard with the telephone's ears, in the grammar of the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from bot.channels.phone.audio import FRAME_BYTES, SILENCE
from bot.channels.phone.errors import HearingFailed
from bot.channels.phone.loop import Expect, StageBroke
from bot.channels.phone.loop import Final as Whole
from bot.channels.phone.ports import Heard, Hearing
from bot.channels.wechat.amr import MAGIC, read_amr
from bot.channels.wechat.errors import DecoderFailed, EarsFailed
from bot.channels.wechat.speex import read_speex
from bot.dialogue.by_ear import ByEar
from bot.surfaces.apart import ApartFailed, Limits, apart

DECODER: Final = Path(__file__).with_name("decoder.py")
MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
CPU_S_MAX: Final = 5
DECODE_S_MAX: Final = 10.0
HEAR_S_MAX: Final = 30.0
AT_ONCE_MAX: Final = 2
PAUSE: Final = 20  # frames of silence after the end, by which the ears know that it is one
TURN_FRAMES: Final = 50  # the event loop has its turn after each second of sound


class RecordingReader:
    """A `VoiceReader`. `ears` opens the ears at the first recording; they are not those of calls, which cannot wait."""

    def __init__(self, ears: Callable[[], Awaitable[Hearing]], *, decoder: Path = DECODER) -> None:
        self._open, self._decoder = ears, decoder
        self._ears: Hearing | None = None
        self._opening, self._gate = asyncio.Lock(), asyncio.Semaphore(AT_ONCE_MAX)

    async def hear(self, recording: bytes, expect: Expect, phrases: tuple[str, ...]) -> ByEar:
        """See `VoiceReader`."""
        codec, frames = read(recording)
        async with self._gate:
            return await self._hear(await self._pcm(codec, frames), expect, phrases)

    async def close(self) -> None:
        """After the last recording."""
        if self._ears is not None:
            await self._ears.close()

    async def _pcm(self, codec: str, frames: list[bytes]) -> bytes:
        """PCM as in `bot.channels.phone.audio`. Raises DecoderFailed."""
        fed, size = b"".join(bytes([len(frame)]) + frame for frame in frames), len(frames) * FRAME_BYTES
        limits = Limits(MEMORY_BYTES_MAX, CPU_S_MAX, DECODE_S_MAX, told_bytes=size)
        try:
            pcm = await apart(self._decoder, fed, codec, limits=limits)
        except ApartFailed as error:
            raise DecoderFailed(str(error)) from None
        if len(pcm) != size:
            raise DecoderFailed(f"{len(pcm)} bytes")
        return pcm

    async def _hear(self, pcm: bytes, expect: Expect, phrases: tuple[str, ...]) -> ByEar:
        async with self._opening:
            self._ears = self._ears or await self._open()
        heard: asyncio.Queue[Heard] = asyncio.Queue()
        try:
            ear = self._ears.recogniser(heard.put_nowait)
        except HearingFailed as error:
            raise EarsFailed(error.code) from None
        try:
            ear.expect(expect, phrases)
            frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)] + [
                SILENCE
            ] * PAUSE
            for number, frame in enumerate(frames, 1):
                ear.feed(frame)
                if number % TURN_FRAMES == 0:
                    await asyncio.sleep(0)
            ear.take_final()
            async with asyncio.timeout(HEAR_S_MAX):
                return await _whole(heard)
        except TimeoutError:
            raise EarsFailed("no end") from None
        finally:
            ear.close()


def read(recording: bytes) -> tuple[str, list[bytes]]:
    """The name of the codec and the frames. Raises RecordingRefused."""
    if recording.startswith(MAGIC):
        return "amrnb", read_amr(recording)
    return "speex", read_speex(recording)


async def _whole(heard: asyncio.Queue[Heard]) -> ByEar:
    while True:
        match await heard.get():
            case Whole(text, by_ear):
                return by_ear or ByEar(text.strip())
            case StageBroke():
                raise EarsFailed("broke")
