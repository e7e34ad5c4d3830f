"""The SIP line: INVITE to BYE over UDP, sound over RTP in PCMU or PCMA, keys by RFC 4733 and INFO."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiortp import PortAllocator
from aiosipua.incoming_call import IncomingCall
from aiosipua.message import SipRequest
from aiosipua.sdp import SdpMessage, parse_sdp
from aiosipua.uac import SipUAC

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.call import Answer, CallInfo, EndReason, clean_number
from bot.channels.phone.errors import (
    CallRefused,
    LineBusy,
    NoCommonCodec,
    PhoneError,
    StrangerRefused,
)
from bot.channels.phone.refusing import Refusals, SpokenRefusal
from bot.channels.phone.sip.agent import GuardedAgent, RememberingTransport, Reports, required
from bot.channels.phone.sip.dialog import LINE, SipCall
from bot.channels.phone.sip.media import Agreed, agree, open_rtp, our_offer
from bot.channels.phone.sip.trunk import Trunk, TrunkSettings
from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SipSettings:
    """Where to listen. `advertised` is the address in answers, when it is another than `host`."""

    host: str
    port: int = 5060
    rtp_ports: tuple[int, int] = (20_000, 20_400)
    advertised: str = ""
    trunk: TrunkSettings | None = None


class SipLine:
    """The server. `refusal` makes the sound that a caller hears, before the call, when it is refused for now."""

    def __init__(
        self,
        settings: SipSettings,
        doorkeeper: Doorkeeper,
        answer: Answer,
        timer: Timer,
        *,
        refusal: SpokenRefusal | None = None,
    ) -> None:
        self._settings, self._door, self._answer, self._timer = settings, doorkeeper, answer, timer
        self._refusals = Refusals(refusal)
        self._transport = RememberingTransport((settings.host, settings.port))
        reports = Reports(self._keyed, self._acked, lambda call_id: self._over(call_id, EndReason.LOST))
        self._agent = GuardedAgent(self._transport, doorkeeper, timer, reports)
        self._agent.uac = SipUAC(self._transport)
        self._agent.on_invite = self._invited
        self._agent.on_update = self._updated
        self._agent.on_session_expired = lambda call: self._over(call.call_id, EndReason.LOST)
        self._agent.on_bye = lambda call, _request: self._over(call.call_id, EndReason.CALLER)
        self._agent.on_cancel = self._cancelled
        self._agent.on_reinvite = self._reinvited
        self._agent.on_ack_timeout = lambda call: self._over(call.call_id, EndReason.LOST)
        self._ports = PortAllocator(settings.rtp_ports)
        self._calls: dict[str, SipCall] = {}
        self._answers: dict[str, asyncio.Future[str]] = {}  # to our offers, on their way in an ACK
        self._tasks: set[asyncio.Task[None]] = set()
        self._trunk: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listens; returns the port, which matters when 0 was asked for."""
        await self._agent.start()
        port = self._transport.port
        here = (self._settings.advertised or self._settings.host, port)
        assert self._agent.uac is not None, "made with the agent"
        self._agent.advertised_addr = self._agent.uac.advertised_addr = here
        if self._settings.trunk is not None:
            self._trunk = asyncio.create_task(Trunk(self._settings.trunk, self._agent.uac, self._timer).run())
        return port

    async def stop(self) -> None:
        """Takes no more calls and ends those that go on."""
        if self._trunk is not None:
            self._trunk.cancel()
            await asyncio.gather(self._trunk, return_exceptions=True)
        for call_id, call in list(self._calls.items()):
            await call.hang_up()
            self._acked(call_id, "")
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
            with self._door.admitted(call.info.caller, call.info.address):
                await self._talk(call, incoming)
        except CallRefused as error:
            log.warning("call refused line=%s code=%s", LINE, error.code)
            call.refusal = error
            await self._say_why(call, incoming, error)
            await call.hang_up()
        finally:
            self._calls.pop(incoming.call_id, None)

    async def _talk(self, call: SipCall, incoming: IncomingCall) -> None:
        if not incoming.invite.body:
            await self._offer(call, incoming)
            return
        async with self._sound(call, incoming) as agreed:
            if call.over:  # cancelled meanwhile
                await call.hang_up()
                return
            incoming.accept(agreed.answer)
            await call.serve(self._answer)

    async def _offer(self, call: SipCall, incoming: IncomingCall) -> None:
        """Who offers nothing is offered something in the 200, and answers in the ACK (RFC 3261, 13.2.1)."""
        call_id = incoming.call_id
        async with self._port(call) as port:
            if call.over:  # cancelled meanwhile
                await call.hang_up()
                return
            answer = self._answers[call_id] = asyncio.get_running_loop().create_future()
            try:
                incoming.accept(our_offer(self._host, port))
                body = await answer
            finally:
                del self._answers[call_id]
            try:
                agreed = self._safe(agree(parse_sdp(body), self._host, port), incoming)
                await self._open(call, agreed, port)
                incoming.sdp_answer = agreed.answer
            except (
                CallRefused,
                ValueError,
            ) as error:  # it has been accepted already: a BYE is all that is left
                log.warning("call given up line=%s kind=%s", LINE, type(error).__name__)
                await call.hang_up()
                return
            await call.serve(self._answer)

    async def _say_why(self, call: SipCall, incoming: IncomingCall, why: CallRefused) -> None:
        """Early media: a caller who comes at a bad time hears a sentence, at no cost to anybody."""
        if "100rel" in required(incoming.invite) or call.over:
            return
        try:
            async with self._refusals.answer(why) as answer:
                if answer is None:
                    return
                async with self._sound(call, incoming) as agreed:
                    if not call.over:
                        incoming.ringing(early_sdp=agreed.answer)
                        await call.serve(answer)
        except PhoneError as error:
            log.warning("refusal not spoken line=%s code=%s", LINE, error.code)

    @property
    def _host(self) -> str:
        """Where our sound is to be sent to."""
        return self._settings.advertised or self._settings.host

    @asynccontextmanager
    async def _sound(self, call: SipCall, incoming: IncomingCall) -> AsyncIterator[Agreed]:
        """What was agreed on, with its RTP open. Raises NoCommonCodec or LineBusy."""
        agree(incoming.sdp_offer, self._host, 9)  # refused before a port is taken
        async with self._port(call) as port:
            agreed = self._safe(agree(incoming.sdp_offer, self._host, port), incoming)
            await self._open(call, agreed, port)
            yield agreed

    @asynccontextmanager
    async def _port(self, call: SipCall) -> AsyncIterator[int]:
        """A port for the sound of a call; what is open on it is closed afterwards. Raises LineBusy."""
        try:
            port, _ = await self._ports.allocate()
        except RuntimeError:
            raise LineBusy from None
        try:
            yield port
        finally:
            if call.rtp is not None:
                await call.rtp.close()
            await self._ports.release(port)

    async def _open(self, call: SipCall, agreed: Agreed, port: int) -> None:
        """Opens the RTP of a call. Raises LineBusy."""
        local = (self._settings.host, port)
        try:
            call.rtp = await open_rtp(agreed, local, self._door, call.heard, call.keyed)
        except OSError:  # another program has taken the port since
            raise LineBusy from None
        call.hold(agreed.held)

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
        answer = self._agree_anew(call, incoming, incoming.sdp_offer)
        if answer is None:
            self._agent._send_error(incoming.invite, NoCommonCodec.sip_status, "Not Acceptable Here")
        else:
            incoming.accept(answer)

    def _updated(self, incoming: IncomingCall, request: SipRequest) -> SdpMessage | None:
        """An UPDATE with an offer does what a re-INVITE does."""
        call = self._calls.get(incoming.call_id)
        if call is None or call.over or not request.body:
            return None
        return self._agree_anew(call, incoming, parse_sdp(request.text))

    def _agree_anew(
        self, call: SipCall, incoming: IncomingCall, offer: SdpMessage | None
    ) -> SdpMessage | None:
        """Answers an offer within the call; None when it cannot be agreed to and everything stays as it is."""
        before = incoming.sdp_answer.audio if incoming.sdp_answer is not None else None
        if call.rtp is None or before is None:
            return None
        try:
            # The codec stays, wherever it stands in the new list.
            codec = int(before.formats[0])
            agreed = self._safe(agree(offer, self._host, before.port, payloads=(codec,)), incoming)
        except NoCommonCodec:
            return None
        call.hold(agreed.held)
        if not agreed.held:
            call.rtp.agreed_anew(agreed.remote)
        return agreed.answer

    def _cancelled(self, request: SipRequest, _addr: tuple[str, int]) -> None:
        self._over(request.call_id or "", EndReason.CALLER)

    def _keyed(self, call_id: str, digit: str) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            call.keyed(digit)

    def _acked(self, call_id: str, body: str) -> None:
        answer = self._answers.get(call_id)
        if answer is not None and not answer.done():
            answer.set_result(body)

    def _over(self, call_id: str, why: EndReason) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            call.ended(why)
        self._acked(call_id, "")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
