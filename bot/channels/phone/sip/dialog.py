"""One call over SIP and RTP."""

from __future__ import annotations

import asyncio
import logging
from typing import ClassVar, Final

from aiosipua.incoming_call import IncomingCall

from bot.channels.phone.audio import FRAME_BYTES
from bot.channels.phone.call import CallInfo, EndReason
from bot.channels.phone.errors import CallRefused
from bot.channels.phone.paced import PacedCall
from bot.channels.phone.sip.agent import GuardedAgent
from bot.channels.phone.sip.media import GuardedRtp
from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)

LINE: Final = "sip"
FRAME_SAMPLES: Final = FRAME_BYTES // 2
REJECTED_KEPT_S: Final = 32.0  # 64 times T1: until then a refused INVITE may be sent again
LOOK_EVERY_S: Final = 5.0
DEAD_S: Final = 30.0  # telephones that send nothing in silence do send something so often
HELD_S_MAX: Final = 900.0  # nobody has come back


class SipCall(PacedCall):
    """One call over SIP and RTP."""

    continuous: ClassVar[bool] = True
    lead_frames: ClassVar[int] = 0

    def __init__(self, info: CallInfo, incoming: IncomingCall, agent: GuardedAgent, timer: Timer) -> None:
        super().__init__(info, timer)
        self._incoming, self._agent = incoming, agent
        self._timestamp = 0
        self.rtp: GuardedRtp | None = None
        self.held = False
        self.refusal: CallRefused | None = None  # the call is refused with it at its end

    def hold(self, held: bool) -> None:
        """The other side wants to hear us no longer, or again."""
        if held != self.held:
            self.held = held
            self.on_hold(held)

    async def _read(self) -> None:
        """Sound and keys come by themselves; that nothing comes any more must be looked for."""
        seen, alive_s, held_s = -1, self._timer.now_s(), None
        while not self.over:
            now_s = self._timer.now_s()
            packets = self.rtp.packets if self.rtp is not None else 0
            if packets != seen or self.held:
                seen, alive_s = packets, now_s
            held_s = (held_s or now_s) if self.held else None
            if now_s - alive_s >= DEAD_S or (held_s is not None and now_s - held_s >= HELD_S_MAX):
                log.warning("call given up line=%s held=%s", LINE, self.held)
                return
            await self._timer.wait_until(now_s + LOOK_EVERY_S)

    async def _send_frame(self, pcm: bytes) -> None:
        if self.rtp is not None and not self.held:
            self.rtp.send_audio_pcm(pcm, self._timestamp)
        self._timestamp = (self._timestamp + FRAME_SAMPLES) % 2**32

    async def _close(self) -> None:
        if self.refusal is not None:
            self._refuse(self.refusal)
        else:
            bye = self._incoming.hangup() if self.end_reason is not EndReason.CALLER else None
            if bye is not None:
                self._agent.repeat(bye, self._incoming.source_addr)
            self._agent.forget(self.info.line_call_id)
        if self.rtp is not None:
            await self.rtp.close()

    def _refuse(self, why: CallRefused) -> None:
        """The library answers what comes for a refused call until it can come no more."""
        if self.end_reason is not EndReason.CALLER:
            self._incoming.reject(why.sip_status)
        asyncio.get_running_loop().call_later(REJECTED_KEPT_S, self._agent.forget, self.info.line_call_id)
