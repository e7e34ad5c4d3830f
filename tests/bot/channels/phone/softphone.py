"""Unmodified telephones: baresip, which speaks a wav and records what it hears, and sipp, which plays scenarios."""

from __future__ import annotations

import asyncio
import json
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np

from bot.channels.phone.audio import SAMPLE_RATE_HZ
from bot.running.premises import free_port
from tests.needs import missing

WAV_HEADER_BYTES = 44
STOP_WAIT_S = 5.0
MODULES = Path("/usr/lib/baresip/modules")
CONFIG = """poll_method epoll
sip_listen 127.0.0.1:0
sip_transports udp
call_max_calls 4
audio_player aufile,{folder}/unused.wav
audio_source aufile,{folder}/said.wav
audio_alert aufile,{folder}/unused.wav
rtp_ports {first}-{last}
jitter_buffer_delay 5-10
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
net_af ipv4
"""


def program(name: str) -> str:
    """Where a program is; the test ends where it is not installed."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed")
    return found


def sine(hz: float, seconds: float) -> bytes:
    """A tone."""
    at = np.arange(int(SAMPLE_RATE_HZ * seconds)) / SAMPLE_RATE_HZ
    return (np.sin(2 * np.pi * hz * at) * 9000).astype("<i2").tobytes()


def pitches(pcm: bytes, *, part_s: float = 0.1) -> list[int]:
    """The strongest frequency of each part, to 10 Hz; 0 where it is quiet."""
    length = int(SAMPLE_RATE_HZ * part_s)
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(float)
    found = []
    for at in range(0, len(samples) - length + 1, length):
        part = samples[at : at + length]
        loud = np.sqrt(np.mean(part**2)) > 300
        found.append(round(float(np.argmax(np.abs(np.fft.rfft(part)))) / part_s, -1) if loud else 0)
    return [int(hz) for hz in found]


class Baresip:
    """One running softphone."""

    def __init__(
        self, folder: Path, *, said: bytes, codec: str = "PCMU", number: str = "13800000004"
    ) -> None:
        self._folder, self._control = folder, free_port()
        first = 41_000 + self._control % 4000
        config = CONFIG.format(
            folder=folder, first=first, last=first + 40, modules=MODULES, control=self._control
        )
        account = f"<sip:{number}@127.0.0.1>;regint=0;audio_codecs={codec}/8000/1\n"
        for name, text in (("config", config), ("accounts", account), ("contacts", "")):
            (folder / name).write_text(text)
        for name, pcm in (("said.wav", said), ("unused.wav", bytes(1600))):
            with wave.open(str(folder / name), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATE_HZ)
                file.writeframes(pcm)
        self.events: asyncio.Queue[str] = asyncio.Queue()

    async def start(self) -> None:
        """Returns when it takes commands."""
        self._process = await asyncio.create_subprocess_exec(
            program("baresip"),
            "-f",
            str(self._folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        while b"is ready" not in (line := await self._process.stdout.readline()):
            assert line, "baresip ended"
        self._printing = asyncio.create_task(self._process.stdout.read())
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._control)
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                size = await self._reader.readuntil(b":")
                body = await self._reader.readexactly(int(size[:-1]) + 1)
                told = json.loads(body[:-1])
                self.events.put_nowait(told.get("type", told.get("token", "")))

    async def do(self, command: str, parameter: str = "") -> None:
        """A command, carried out."""
        message = json.dumps({"command": command, "params": parameter, "token": f"done:{command}"}).encode()
        self._writer.write(str(len(message)).encode() + b":" + message + b",")
        await self.until(f"done:{command}")

    async def until(self, event: str) -> None:
        """Waits for an event of the softphone."""
        while await self.events.get() != event:
            pass

    async def stop(self) -> None:
        """Ends it."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_WAIT_S)
        except TimeoutError:  # it would wait for the answer to a BYE for half a minute
            self._process.kill()
            await self._process.wait()
        await self._printing
        self._writer.close()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    def heard(self) -> bytes:
        """What came out of its earpiece so far. The header of the file knows its length only in the end."""
        files = sorted(self._folder.glob("dump-*dec.wav"))
        assert files, sorted(path.name for path in self._folder.iterdir())
        return files[-1].read_bytes()[WAV_HEADER_BYTES:]


@asynccontextmanager
async def baresip(folder: Path, **how: object) -> AsyncIterator[Baresip]:
    """A softphone for the time of a test."""
    program("baresip")
    phone = Baresip(folder, **how)  # type: ignore[arg-type]
    await phone.start()
    try:
        yield phone
    finally:
        await phone.stop()
