"""The SIP line: INVITE to BYE over UDP, sound over RTP in PCMU or PCMA, keys by RFC 4733 and INFO."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from aiortp import PortAllocator
from aiosipua.incoming_call import IncomingCall
from aiosipua.message import SipRequest

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.audio import FRAME_BYTES
from bot.channels.phone.call import Answer, CallInfo, EndReason, clean_number
from bot.channels.phone.errors import CallRefused, LineBusy, NoCommonCodec, StrangerRefused
from bot.channels.phone.paced import PacedCall
from bot.channels.phone.sip.agent import GuardedAgent, RememberingTransport
from bot.channels.phone.sip.media import Agreed, GuardedRtp, agree, open_rtp
from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)

LINE: Final = "sip"
FRAME_SAMPLES: Final = FRAME_BYTES // 2
REJECTED_KEPT_S: Final = 32.0  # 64 times T1: until then a refused INVITE may be sent again


@dataclass(frozen=True)
class SipSettings:
    """Where to listen. `advertised` is the address in answers, when it is another than `host`."""

    host: str
    port: int = 5060
    rtp_ports: tuple[int, int] = (20_000, 20_400)
    advertised: str = ""


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

    async def _send_frame(self, pcm: bytes) -> None:
        if self.rtp is not None and not self.held:
            self.rtp.send_audio_pcm(pcm, self._timestamp)
        self._timestamp = (self._timestamp + FRAME_SAMPLES) % 2**32

    async def _close(self) -> None:
        if self.end_reason is not EndReason.CALLER:
            self._incoming.hangup()
        self._agent.forget(self.info.line_call_id)
        if self.rtp is not None:
            await self.rtp.close()


class SipLine:
    """The server."""

    def __init__(self, settings: SipSettings, doorkeeper: Doorkeeper, answer: Answer, timer: Timer) -> None:
        self._settings, self._door, self._answer, self._timer = settings, doorkeeper, answer, timer
        self._transport = RememberingTransport((settings.host, settings.port))
        self._agent = GuardedAgent(self._transport, doorkeeper, self._keyed)
        self._agent.on_invite = self._invited
        self._agent.on_bye = lambda call, _request: self._over(call.call_id, EndReason.CALLER)
        self._agent.on_cancel = self._cancelled
        self._agent.on_reinvite = self._reinvited
        self._agent.on_ack_timeout = lambda call: self._over(call.call_id, EndReason.LOST)
        self._ports = PortAllocator(settings.rtp_ports)
        self._calls: dict[str, SipCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listens; returns the port, which matters when 0 was asked for."""
        await self._agent.start()
        return self._transport.port

    async def stop(self) -> None:
        """Takes no more calls and ends those that go on."""
        for call in list(self._calls.values()):
            await call.hang_up()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._agent.stop()

    def _invited(self, incoming: IncomingCall) -> None:
        caller = clean_number(incoming.caller)
        info = CallInfo(
            LINE, incoming.call_id, caller, clean_number(incoming.callee), incoming.source_addr[0]
        )
        call = SipCall(info, incoming, self._agent, self._timer)
        self._calls[incoming.call_id] = call
        self._spawn(self._serve(call, incoming))

    async def _serve(self, call: SipCall, incoming: IncomingCall) -> None:
        try:
            with self._door.admitted(call.info.caller):
                await self._talk(call, incoming)
        except CallRefused as error:
            log.warning("call refused line=%s code=%s", LINE, error.code)
            if not call.over:
                incoming.reject(error.sip_status)
                call.ended(EndReason.US)
            # The library answers what comes for it until then.
            asyncio.get_running_loop().call_later(REJECTED_KEPT_S, self._agent.forget, incoming.call_id)
        finally:
            self._calls.pop(incoming.call_id, None)

    async def _talk(self, call: SipCall, incoming: IncomingCall) -> None:
        host = self._settings.advertised or self._settings.host
        agree(incoming.sdp_offer, host, 9)  # refused before a port is taken
        try:
            port, _ = await self._ports.allocate()
        except RuntimeError:
            raise LineBusy from None
        try:
            agreed = self._safe(agree(incoming.sdp_offer, host, port), incoming)
            local = (self._settings.host, port)
            try:
                call.rtp = await open_rtp(agreed, local, self._door, call.heard, call.keyed)
            except OSError:  # another program has taken the port since
                raise LineBusy from None
            call.held = agreed.held
            if call.over:  # cancelled meanwhile
                await call.rtp.close()
                return
            incoming.accept(agreed.answer)
            await call.serve(self._answer)
        finally:
            await self._ports.release(port)

    def _safe(self, agreed: Agreed, incoming: IncomingCall) -> Agreed:
        """Sound goes to known addresses only, whatever an offer says: nobody points us at a third party."""
        try:
            self._door.known(agreed.remote[0])
            return agreed
        except StrangerRefused:
            remote = (incoming.source_addr[0], agreed.remote[1])
            return Agreed(agreed.answer, agreed.payload, agreed.events, remote, agreed.held)

    def _reinvited(self, incoming: IncomingCall) -> None:
        """Hold, resume, or a new address for the sound; the codec stays."""
        call = self._calls.get(incoming.call_id)
        if call is None or call.rtp is None or call.over or incoming.sdp_answer is None:
            self._agent._send_error(incoming.invite, 491, "Request Pending")
            return
        if not incoming.invite.body:  # asks for our offer: what was agreed on still holds
            incoming.accept(incoming.sdp_answer)
            return
        audio = incoming.sdp_answer.audio
        try:
            host = self._settings.advertised or self._settings.host
            agreed = self._safe(agree(incoming.sdp_offer, host, audio.port if audio else 0), incoming)
            if audio is None or str(agreed.payload) != audio.formats[0]:
                raise NoCommonCodec
        except NoCommonCodec as error:
            self._agent._send_error(incoming.invite, error.sip_status, "Not Acceptable Here")
            return
        call.held = agreed.held
        if not agreed.held:
            call.rtp.update_remote(agreed.remote)
        incoming.accept(agreed.answer)

    def _cancelled(self, request: SipRequest, _addr: tuple[str, int]) -> None:
        self._over(request.call_id or "", EndReason.CALLER)

    def _keyed(self, call_id: str, digit: str) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            call.keyed(digit)

    def _over(self, call_id: str, why: EndReason) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            call.ended(why)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
