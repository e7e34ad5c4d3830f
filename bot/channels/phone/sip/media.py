"""The sound of a SIP call: what is agreed on, and RTP that only known addresses may send."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from aiortp import RtpPacket, RTPSession
from aiosipua.sdp import SdpMessage
from aiosipua.sdp_negotiate import SdpNegotiationError, build_sdp, negotiate_sdp

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.audio import CodecName, codec
from bot.channels.phone.errors import NoCommonCodec, StrangerRefused
from bot.channels.phone.sip.reorder import Reorder

PAYLOADS: Final[dict[int, CodecName]] = {0: "PCMU", 8: "PCMA"}
NO_EVENTS: Final = 0  # the offer has no telephone-event
EVENTS_USUAL: Final = 101
Take = Callable[[bytes, tuple[str, int]], None]


@dataclass(frozen=True)
class Agreed:
    """What offer and answer came to."""

    answer: SdpMessage
    payload: int
    events: int
    remote: tuple[str, int]
    held: bool  # the other side does not want to hear us now


def agree(offer: SdpMessage | None, host: str, port: int, *, payloads: Collection[int] = PAYLOADS) -> Agreed:
    """Answers an offer with one of `payloads`. Raises NoCommonCodec."""
    remote = offer.rtp_address if offer is not None else None
    if offer is None or remote is None or offer.audio is None or remote[1] == 0:
        raise NoCommonCodec
    events = next(
        (c.payload_type for c in offer.audio.codecs if c.encoding_name.lower() == "telephone-event"),
        NO_EVENTS,
    )
    try:
        answer, payload = negotiate_sdp(
            offer, host, port, supported_codecs=list(payloads), dtmf_payload_type=events
        )
    except SdpNegotiationError:
        raise NoCommonCodec from None
    if answer.audio is not None:
        answer.audio.attributes["ptime"] = ["20"]
    held = offer.audio.direction in ("sendonly", "inactive") or remote[0] == "0.0.0.0"
    return Agreed(answer, payload, events, remote, held)


def our_offer(host: str, port: int) -> SdpMessage:
    """What a caller is offered who offers nothing: both kinds of G.711 and keys."""
    offer = build_sdp(host, port, 8, "PCMA", dtmf_payload_type=EVENTS_USUAL)
    assert offer.audio is not None, "built with sound"
    offer.audio.formats.insert(1, "0")
    offer.audio.attributes["rtpmap"].insert(1, "0 PCMU/8000")
    return offer


class GuardedRtp(RTPSession):
    """RTP and RTCP that listen to known addresses only, and that no packet can break.

    Sound is decoded as its packets say, not as was agreed: some telephones send the other one of the two codecs.

    Of the known addresses one is the caller's: the one that was agreed on, or behind a translation of addresses the
    first to send. Nobody else is heard or sent to until the next offer.
    """

    door: Doorkeeper | None = None
    order: Reorder
    packets = 0  # of the caller, of whatever kind: a line that still has them is alive
    agreed: tuple[str, int]
    _source: tuple[str, int] | None = None  # where the caller sends from

    def agreed_anew(self, remote: tuple[str, int]) -> None:
        """After a re-INVITE: who sends first counts again. We go on sending where we did unless it names another."""
        self._source = None
        if remote != self.agreed:
            self.agreed = remote
            self.update_remote(remote)

    def _nearness(self, source: tuple[str, int] | None) -> int:
        """To what was agreed on: an address that is nearer may take the place of another, once."""
        if source is None:
            return -1
        return 2 if source == self.agreed else int(source[0] == self.agreed[0])

    def _handle_rtp(self, data: bytes, addr: tuple[str, int]) -> None:
        self._guarded(self._take_from_caller, data, addr)

    def _take_from_caller(self, data: bytes, addr: tuple[str, int]) -> None:
        source = addr[:2]
        if source != self._source:
            if self._nearness(source) <= self._nearness(self._source):
                return
            RtpPacket.parse(data)  # nothing is learned from a torn one
            self._source = source
        self.packets += 1
        self._take_rtp(data, addr)

    def _take_rtp(self, data: bytes, addr: tuple[str, int]) -> None:
        kind = data[1] & 0x7F
        name = PAYLOADS.get(kind)
        if name is None and kind not in (self._dtmf_payload_type, self._cn_payload_type):
            return  # neither sound that can be decoded nor a key
        ours = self._codec
        try:
            self._codec = codec(name) if name is not None else ours
            super()._handle_rtp(data, addr)
            while (frame := self.order.pop()) is not None:
                self._deliver_audio_frame(frame)
        finally:
            self._codec = ours

    def _handle_rtcp(self, data: bytes, addr: tuple[str, int]) -> None:
        self._guarded(self._take_rtcp, data, addr)

    def _take_rtcp(self, data: bytes, addr: tuple[str, int]) -> None:
        """Its port is another one, its host is not."""
        if addr[0] == (self._source or self.agreed)[0]:
            self.packets += 1
            super()._handle_rtcp(data, addr)

    def _guarded(self, take: Take, data: bytes, addr: tuple[str, int]) -> None:
        try:
            if self.door is not None:
                self.door.known(addr[0])
            take(data, addr)
        except (StrangerRefused, ValueError, IndexError, struct.error):
            return  # a torn packet: of an event the next one repeats it, of sound one frame is lost


async def open_rtp(
    agreed: Agreed,
    local: tuple[str, int],
    door: Doorkeeper,
    heard: Callable[[bytes], None],
    keyed: Callable[[str], None],
) -> GuardedRtp:
    """A session on `local` that reports sound and keys. Raises OSError when the port is taken."""
    session = await GuardedRtp.create(
        local_addr=local,
        remote_addr=agreed.remote,
        payload_type=agreed.payload,
        codec=codec(PAYLOADS[agreed.payload]),
        dtmf_payload_type=agreed.events or EVENTS_USUAL,
        symmetric_rtp=True,
    )
    assert isinstance(session, GuardedRtp), "create makes its own class"
    session.door, session.agreed = door, agreed.remote
    session.order = Reorder()
    session._jitter_buffer = session.order  # type: ignore[assignment]  # takes what the session gives one
    session.on_audio = lambda pcm, _timestamp: heard(pcm)
    session.on_dtmf = lambda digit, _duration: keyed(digit)
    return session
