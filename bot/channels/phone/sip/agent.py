"""The library's user agent, guarded and completed: strangers are refused, what is sent again is answered again.

The library (0.7.1) takes an INVITE that is sent again for another call, knows no INFO, asks for no extension that
it lacks, and sends a BYE only once.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiosipua.dialog import dialog_matches
from aiosipua.message import SipRequest, SipResponse
from aiosipua.transport import UdpSipTransport
from aiosipua.uas import SipUAS

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.call import KEYS
from bot.channels.phone.errors import StrangerRefused
from bot.channels.phone.timing import Timer

ANSWERS_KEPT_MAX: Final = 1000
SESSION_S: Final = 1800  # a dialog that nobody refreshes within it is dead (RFC 4028)
EXTENSIONS: Final = frozenset(
    {"timer", "100rel"}
)  # the latter costs nothing: no provisional answer of ours needs it
T1_S: Final = 0.5
T2_S: Final = 4.0
REPEAT_S: Final = 64 * T1_S
GONE: Final = (408, 481)
_SIGNAL = re.compile(r"^\s*Signal\s*=\s*([0-9*#A-D])\s*$", re.MULTILINE | re.IGNORECASE)


class _Datagrams(asyncio.DatagramProtocol):
    """The library's own protocol insists on a base class that Python 3.11's transports do not have."""

    def __init__(self, owner: RememberingTransport) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._owner._dispatch(data, (str(addr[0]), int(addr[1])))


class RememberingTransport(UdpSipTransport):
    """UDP that keeps the last answer to each INVITE: what is sent again is answered again (RFC 3261, 17.2.1)."""

    def __init__(self, local_addr: tuple[str, int]) -> None:
        super().__init__(local_addr=local_addr)
        self._answers: OrderedDict[str, SipResponse] = OrderedDict()

    async def start(self) -> None:
        """Binds. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._udp_transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=self.local_addr
        )

    @property
    def port(self) -> int:
        """The port in use; after the start."""
        assert self._udp_transport is not None, "started"
        return int(self._udp_transport.get_extra_info("sockname")[1])

    def send_reply(self, response: SipResponse) -> None:
        """Sends, and remembers the answers to INVITEs."""
        branch = branch_of(response)
        if branch and (response.get_header("cseq") or "").upper().endswith("INVITE"):
            self._answers[branch] = response
            self._answers.move_to_end(branch)
            if len(self._answers) > ANSWERS_KEPT_MAX:
                self._answers.popitem(last=False)
        super().send_reply(response)

    def answer_again(self, request: SipRequest) -> bool:
        """True when this INVITE has been answered before; it has been answered again."""
        answer = self._answers.get(branch_of(request) or "")
        if answer is not None:
            super().send_reply(answer)
        return answer is not None


@dataclass(frozen=True, slots=True)
class Reports:
    """What the agent tells the line: a call's key, the body of its ACK, that the other side knows it no longer."""

    key: Callable[[str, str], None]
    acked: Callable[[str, str], None]
    gone: Callable[[str], None]


class GuardedAgent(SipUAS):
    """A user agent server behind the doorkeeper."""

    def __init__(
        self, transport: RememberingTransport, door: Doorkeeper, timer: Timer, reports: Reports
    ) -> None:
        super().__init__(transport, user_agent="Zhanggui", session_expires=SESSION_S)
        self._door, self._timer, self._reports, self._memory = door, timer, reports, transport
        self._handlers["INFO"] = self._info
        self._confirm = self._handlers["ACK"]
        self._handlers["ACK"] = self._ack
        self._repeating: dict[str, asyncio.Task[None]] = {}

    async def stop(self) -> None:
        """Sends nothing any more."""
        for task in self._repeating.values():
            task.cancel()
        await asyncio.gather(*self._repeating.values(), return_exceptions=True)
        await super().stop()

    def repeat(self, request: SipRequest, addr: tuple[str, int]) -> None:
        """Sends again what was sent once, until it is answered or given up (RFC 3261, 17.1.2)."""
        branch = branch_of(request)
        if branch and branch not in self._repeating:
            task = asyncio.create_task(self._repeat(request, addr))
            self._repeating[branch] = task
            task.add_done_callback(lambda _: self._repeating.pop(branch, None))

    async def _repeat(self, request: SipRequest, addr: tuple[str, int]) -> None:
        begun_s, pause_s = self._timer.now_s(), T1_S
        while self._timer.now_s() + pause_s < begun_s + REPEAT_S:
            await self._timer.wait_until(self._timer.now_s() + pause_s)
            self.transport.send(request, addr)
            pause_s = min(2 * pause_s, T2_S)

    def _on_message(self, msg: SipRequest | SipResponse, addr: tuple[str, int]) -> None:
        if isinstance(msg, SipResponse):
            self._answered(msg)
        super()._on_message(msg, addr)

    def _answered(self, response: SipResponse) -> None:
        if response.status_code < 200:
            return
        task = self._repeating.get(branch_of(response) or "")
        if task is not None:
            task.cancel()
        refreshed = (response.get_header("cseq") or "").upper().endswith("UPDATE")
        if refreshed and response.status_code in GONE:
            self._reports.gone(response.call_id or "")

    def _handle_request(self, request: SipRequest, addr: tuple[str, int]) -> None:
        invites = request.method.upper() == "INVITE"
        try:
            self._door.known(addr[0])
        except StrangerRefused:
            if invites:  # anything else from strangers is not worth an answer
                self._send_error(request, 403, "Forbidden")
            return
        if invites:
            if self._memory.answer_again(request):
                return
            lacking = required(request) - EXTENSIONS
            if lacking:
                self._send_error(
                    request, 420, "Bad Extension", extra_headers={"Unsupported": ", ".join(sorted(lacking))}
                )
                return
            call_id = request.call_id or ""
            within = request.to_addr is not None and bool(request.to_addr.tag)
            if within and self.get_call(call_id) is None:
                self._send_error(request, 481, "Call/Transaction Does Not Exist")
                return
            if not within and self.get_call(call_id) is not None:
                self._send_error(request, 482, "Loop Detected")
                return
        super()._handle_request(request, addr)

    def forget(self, call_id: str) -> None:
        """The call is over for us; the library would keep it for ever when the other side says nothing."""
        call = self._calls.pop(call_id, None)
        if call is not None:
            call._stop_retransmissions()
            self._remove_invite_transaction(call.invite)

    def _ack(self, request: SipRequest, addr: tuple[str, int]) -> None:
        self._confirm(request, addr)
        call = self.get_call(request.call_id or "")
        if call is not None and dialog_matches(call.dialog, request):
            self._reports.acked(call.call_id, request.text)

    def _info(self, request: SipRequest, _addr: tuple[str, int]) -> None:
        call = self.get_call(request.call_id or "")
        if call is None:
            self._send_error(request, 481, "Call/Transaction Does Not Exist")
            return
        if not self._validate_in_dialog(call.dialog, request):
            return
        self.transport.send_reply(call.dialog.create_response(request, 200, "OK"))
        digit = info_digit(request.content_type or "", request.text)
        if digit:
            self._reports.key(call.call_id, digit)


def required(request: SipRequest) -> set[str]:
    """The extensions that the other side insists on."""
    return {
        token.strip().lower()
        for value in request.headers.get("require")
        for token in value.split(",")
        if token.strip()
    }


def branch_of(message: SipRequest | SipResponse) -> str | None:
    """What names the transaction."""
    vias = message.via
    return vias[0].branch if vias else None


def info_digit(content_type: str, body: str) -> str:
    """The key of a SIP INFO, "" when it is about something else."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/dtmf":
        digit = body.strip().upper()
    elif kind == "application/dtmf-relay":
        match = _SIGNAL.search(body)
        digit = match.group(1).upper() if match else ""
    else:
        return ""
    return digit if digit in KEYS else ""
