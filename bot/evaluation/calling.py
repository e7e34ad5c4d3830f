"""A synthetic caller over SIP and RTP: speaks or keys, listens, and notes when it hears something."""

from __future__ import annotations

import asyncio
from time import perf_counter

import numpy as np
from aiortp import RTPSession
from aiosipua.outgoing_call import OutgoingCall
from aiosipua.sdp_negotiate import build_sdp
from aiosipua.uac import SipUAC
from aiosipua.uas import SipUAS

from bot.channels.phone.audio import FRAME_BYTES, FRAME_S, SILENCE, codec
from bot.channels.phone.sip.agent import RememberingTransport

HOST = "127.0.0.1"
LOUD = 200.0  # root mean square of 20 ms of voice
LATE_S = 0.06  # a packet so long after the one before it is heard as a gap
PCMU = 0


class Caller:
    """One telephone. `loud_s` is when it last heard a voice."""

    def __init__(self, number: str, rtp_port: int) -> None:
        self._number, self._rtp_port = number, rtp_port
        self._transport = RememberingTransport((HOST, 0))
        self._uac = SipUAC(self._transport)
        self._uas = SipUAS(self._transport, uac=self._uac)
        self._call: OutgoingCall | None = None
        self._rtp: RTPSession | None = None
        self._pacing: asyncio.Task[None] | None = None
        self._to_say: list[bytes] = []
        self._timestamp = 0
        self._said = asyncio.Event()
        self._heard = asyncio.Event()
        self.gaps = self.frames = 0
        self.loud_s = self._last_s = float("-inf")

    async def dial(self, port: int) -> None:
        """Calls, and begins to send and to listen. Raises when the call is refused."""
        await self._uas.start()
        here = (HOST, self._transport.port)
        self._uac.advertised_addr = self._uas.advertised_addr = here
        offer = build_sdp(HOST, self._rtp_port, PCMU, "PCMU")
        self._call = self._uac.send_invite(
            f"sip:{self._number}@{HOST}", f"sip:95000@{HOST}", (HOST, port), offer
        )
        await self._call.wait_answered()
        answer = self._call.sdp_answer
        assert answer is not None and answer.rtp_address is not None, "an answered call has an address"
        self._rtp = await RTPSession.create(
            (HOST, self._rtp_port), answer.rtp_address, PCMU, codec=codec("PCMU"), jitter_prefetch=0
        )
        self._rtp.on_audio = lambda pcm, _timestamp: self._take(pcm)
        self._pacing = asyncio.create_task(self._pace(self._rtp))

    async def say(self, pcm: bytes) -> float:
        """Speaks; returns the time at which the last 20 ms left."""
        self._to_say = [
            pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(pcm), FRAME_BYTES)
        ]
        self._said.clear()
        await self._said.wait()
        return perf_counter()

    async def key(self, digit: str) -> float:
        """Presses a key; returns the time of its end."""
        assert self._rtp is not None, "dialled"
        self._rtp.send_dtmf(digit, 100, self._timestamp)  # two keys with one time would be one key
        await asyncio.sleep(0.1)
        return perf_counter()

    async def next_loud_s(self, wait_s: float) -> float:
        """The time at which a voice is heard next; after `wait_s` that of giving up."""
        self._heard.clear()
        try:
            await asyncio.wait_for(self._heard.wait(), wait_s)
        except TimeoutError:
            return perf_counter()
        return self.loud_s

    async def hang_up(self) -> None:
        """Ends the call."""
        if self._pacing is not None:
            self._pacing.cancel()
            await asyncio.gather(self._pacing, return_exceptions=True)
        if self._call is not None:
            self._call.hangup(self._uac)
            await asyncio.sleep(FRAME_S)
        if self._rtp is not None:
            await self._rtp.close()
        await self._uas.stop()

    def _take(self, pcm: bytes) -> None:
        now_s = perf_counter()
        self.frames += 1
        self.gaps += self.frames > 1 and now_s - self._last_s > LATE_S
        self._last_s = now_s
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        if len(samples) and float(np.sqrt(np.mean(samples**2))) > LOUD:
            self.loud_s = now_s
            self._heard.set()

    async def _pace(self, rtp: RTPSession) -> None:
        next_s = perf_counter()
        while True:
            frame = self._to_say.pop(0) if self._to_say else SILENCE
            rtp.send_audio_pcm(frame, self._timestamp)
            if not self._to_say:
                self._said.set()
            self._timestamp = (self._timestamp + FRAME_BYTES // 2) % 2**32
            next_s = max(next_s + FRAME_S, perf_counter() - FRAME_S)
            await asyncio.sleep(max(0.0, next_s - perf_counter()))
