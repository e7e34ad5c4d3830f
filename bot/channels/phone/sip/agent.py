"""The library's user agent, guarded: strangers are refused, an INVITE sent again is answered again, INFO is heard.

The library (0.7.1) takes an INVITE that is sent again for another call, and knows no INFO.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from aiosipua.message import SipRequest, SipResponse
from aiosipua.transport import UdpSipTransport
from aiosipua.uas import SipUAS

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.call import KEYS
from bot.channels.phone.errors import StrangerRefused

ANSWERS_KEPT_MAX: Final = 1000
_SIGNAL = re.compile(r"^\s*Signal\s*=\s*([0-9*#A-D])\s*$", re.MULTILINE | re.IGNORECASE)


class RememberingTransport(UdpSipTransport):
    """UDP that keeps the last answer to each INVITE: what is sent again is answered again (RFC 3261, 17.2.1)."""

    def __init__(self, local_addr: tuple[str, int]) -> None:
        super().__init__(local_addr=local_addr)
        self._answers: OrderedDict[str, SipResponse] = OrderedDict()

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


class GuardedAgent(SipUAS):
    """A user agent server behind the doorkeeper."""

    def __init__(
        self, transport: RememberingTransport, door: Doorkeeper, on_key: Callable[[str, str], None]
    ) -> None:
        super().__init__(transport, user_agent="Zhanggui")
        self._door, self._on_key, self._memory = door, on_key, transport
        self._handlers["INFO"] = self._info

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
            self._on_key(call.call_id, digit)


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
