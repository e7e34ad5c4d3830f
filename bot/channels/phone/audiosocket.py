"""AudioSocket: what Asterisk speaks over TCP. A frame is one byte of kind, two of length (big-endian), then the body.

    0x00 hang-up, empty        0x03 a key, one ASCII character
    0x01 the call's UUID, 16   0x10 sound, 8 kHz signed 16-bit little-endian; 0x11 to 0x18 the same at 12 to 192 kHz
    0xff an error, one byte

Sound goes out at 8 kHz, whatever comes in: a frame says itself what it is, and Asterisk makes of it what it needs.
The protocol has no secret and no caller's number: only exchanges on the allow-list may connect, and `callers`
may know the number that the dial plan has noted for the UUID.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.audio import FRAME_BYTES, SAMPLE_RATE_HZ
from bot.channels.phone.call import Answer, CallInfo, EndReason, clean_number
from bot.channels.phone.errors import CallRefused, MalformedMessage
from bot.channels.phone.paced import PacedCall
from bot.channels.phone.refusing import Refusals, SpokenRefusal, let_in
from bot.channels.phone.resampling import Resampler
from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)

LINE: Final = "audiosocket"
HANG_UP, UUID, KEY, SOUND, ERROR = 0x00, 0x01, 0x03, 0x10, 0xFF
WIDEBAND_HZ: Final = {
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
UNSPOKEN: Final = 0x15  # 44.1 kHz has next to nothing in common with 8: not worth its filter
BODY_BYTES_MAX: Final = 16_000  # one second of sound; Asterisk sends 20 ms
WRITE_BUFFER_BYTES_MAX: Final = 50 * (FRAME_BYTES + 3)  # a second behind: the other side does not read
UUID_WAIT_S: Final = 5.0

Callers = Callable[[uuid.UUID], str]


def frame(kind: int, body: bytes = b"") -> bytes:
    """A frame as it goes over the wire."""
    assert len(body) <= 0xFFFF, "the length has two bytes"
    return bytes((kind,)) + len(body).to_bytes(2, "big") + body


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next frame. Raises MalformedMessage when it is too long, EOFError at the end of the stream."""
    try:
        head = await reader.readexactly(3)
        length = int.from_bytes(head[1:], "big")
        if length > BODY_BYTES_MAX:
            raise MalformedMessage("frame too long")
        return head[0], await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise EOFError from None


class AudioSocketCall(PacedCall):
    """One call over one connection."""

    continuous: ClassVar[bool] = True  # Asterisk takes a stream without sound for a dead one

    def __init__(
        self, info: CallInfo, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timer: Timer
    ) -> None:
        super().__init__(info, timer)
        self._reader, self._writer = reader, writer
        self._wideband: dict[int, Resampler] = {}
        self._ignored: set[int] = set()

    async def _read(self) -> None:
        try:
            while not self.over:
                self._take(*await read_frame(self._reader))
        except (EOFError, MalformedMessage):
            return

    def _take(self, kind: int, body: bytes) -> None:
        if kind == SOUND:
            self.heard(body)
        elif kind == KEY:
            self.keyed(body.decode("latin-1"))
        elif kind == HANG_UP:
            self.ended(EndReason.CALLER)
        elif kind == ERROR:
            log.warning("audiosocket reports an error")
            self.ended(EndReason.LOST)
        elif kind in WIDEBAND_HZ:
            self.heard(self._narrowed(kind, body))
        elif kind == UNSPOKEN:
            log.warning("audiosocket sends 44.1 kHz, which is not spoken here: set another format")
            self.ended(EndReason.LOST)
        elif kind not in self._ignored:  # told once: it may come 50 times a second
            self._ignored.add(kind)
            log.warning("audiosocket frames ignored kind=%#04x", kind)

    def _narrowed(self, kind: int, body: bytes) -> bytes:
        """Wideband sound as PCM of `audio`."""
        if kind not in self._wideband:
            log.info("audiosocket sends %d Hz", WIDEBAND_HZ[kind])
            self._wideband[kind] = Resampler(WIDEBAND_HZ[kind], SAMPLE_RATE_HZ)
        return self._wideband[kind].feed(body[: len(body) // 2 * 2])

    async def _send_frame(self, pcm: bytes) -> None:
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > WRITE_BUFFER_BYTES_MAX:
            raise ConnectionResetError
        self._writer.write(frame(SOUND, pcm))

    async def _close(self) -> None:
        with suppress(OSError):
            if self.end_reason is EndReason.US:
                self._writer.write(frame(HANG_UP))
            self._writer.close()


class AudioSocketLine:
    """The TCP server. `refusal` makes the sound that a caller hears who is not let in for now."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        answer: Answer,
        timer: Timer,
        *,
        callers: Callers = lambda _: "",
        refusal: SpokenRefusal | None = None,
        uuid_wait_s: float = UUID_WAIT_S,
    ) -> None:
        self._door, self._answer, self._timer = doorkeeper, answer, timer
        self._callers, self._uuid_wait_s = callers, uuid_wait_s
        self._refusals = Refusals(refusal)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listens; returns the port, which matters when 0 was asked for."""
        self._server = await asyncio.start_server(self._connected, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Takes no more calls and ends those that go on."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            address = str((writer.get_extra_info("peername") or ("",))[0])
            self._door.known(address)
            async with asyncio.timeout(self._uuid_wait_s):
                call_id = await _uuid_of(reader)
            info = CallInfo(LINE, str(call_id), clean_number(self._callers(call_id)), address=address)
            call = AudioSocketCall(info, reader, writer, self._timer)
            await let_in(call, self._door, self._answer, self._refusals)
        except (CallRefused, MalformedMessage) as error:
            log.warning("call refused line=%s code=%s", LINE, error.code)
        except (EOFError, TimeoutError, OSError):
            log.warning("call refused line=%s code=no_uuid", LINE)
        finally:
            writer.close()


async def _uuid_of(reader: asyncio.StreamReader) -> uuid.UUID:
    kind, body = await read_frame(reader)
    if kind != UUID or len(body) != 16:
        raise MalformedMessage("no UUID")
    return uuid.UUID(bytes=body)
