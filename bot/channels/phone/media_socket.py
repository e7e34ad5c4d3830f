"""The media web socket: the carrier calls our address, is told where to send the sound, and sends it.

POST {path}/answer   signed; tells who calls, and says with TwiML that the call goes to the socket, or why it does not
GET  {path}/media    signed; the sound of one call

The handshake's signature is the same for every call, so it proves no call. What does is a token: it goes out with the
answer, comes back in the start message, opens one call within a minute, and brings the numbers that the signed
request told. So nobody can make one up, or send the sound of a call that was not announced.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from aiohttp import WSMsgType, web

from bot.channels.phone import media_messages as wire
from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.audio import codec
from bot.channels.phone.call import Answer, CallInfo, EndReason, clean_number
from bot.channels.phone.errors import CallRefused, LineBusy, MalformedMessage
from bot.channels.phone.loop.manner import ALL_BUSY
from bot.channels.phone.marked import MarkedCall
from bot.channels.phone.one_time import Numbers, OneTimeTokens
from bot.channels.phone.refusing import Refusals, SpokenRefusal, let_in
from bot.channels.phone.signature import SIGNATURE_HEADER, require_signature
from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)

LINE: Final = "media_socket"
MALFORMED_MAX: Final = 20  # then the other side is no carrier
FORM_BYTES_MAX: Final = 16 * 1024
CLOSE_WAIT_S: Final = 3.0
HEARTBEAT_S: Final = 20.0
REJECTED: Final = '<Reject reason="busy"/>'  # nobody pays for a call that was never answered


@dataclass(frozen=True)
class MediaSocketSettings:
    """`public_url` is what the carrier calls, e.g. https://bank.example/phone; `secret` its auth token."""

    public_url: str
    secret: str
    start_wait_s: float = 10.0

    def socket_url(self) -> str:
        """The address of the sound, as the carrier connects to it."""
        return self.public_url.replace("http", "ws", 1).removesuffix("/") + "/media"

    def answer_url(self) -> str:
        """The address of the answer."""
        return self.public_url.removesuffix("/") + "/answer"


class MediaSocketCall(MarkedCall):
    """One call over a media web socket."""

    def __init__(
        self, info: CallInfo, start: wire.Start, socket: web.WebSocketResponse, timer: Timer
    ) -> None:
        super().__init__(info, timer)
        self._stream_id, self._socket = start.stream_id, socket
        self._codec = codec(start.codec)

    async def _read(self) -> None:
        malformed = 0
        async for message in self._socket:
            try:
                if message.type is not WSMsgType.TEXT:
                    raise MalformedMessage("not text")
                self._take(wire.parse_message(message.data))
            except (MalformedMessage, CallRefused) as error:
                malformed += 1
                if malformed > MALFORMED_MAX:
                    log.warning("media socket gave up code=%s", error.code)
                    break
            if self.over:
                break

    def _take(self, message: wire.Message) -> None:
        match message:
            case wire.Media(payload):
                self.heard(self._codec.decode(payload))
            case wire.Dtmf(digit):
                self.keyed(digit)
            case wire.MarkPlayed(name):
                self.echoed(name)
            case wire.Stop():
                self.ended(EndReason.CALLER)

    async def _send_frame(self, pcm: bytes) -> None:
        await self._socket.send_str(wire.media_message(self._stream_id, self._codec.encode(pcm)))

    async def _pass_mark(self, name: str) -> None:
        await self._socket.send_str(wire.mark_message(self._stream_id, name))

    async def _send_clear(self) -> None:
        await self._socket.send_str(wire.clear_message(self._stream_id))

    async def _close(self) -> None:
        await super()._close()
        with suppress(OSError):
            await self._socket.close()


class MediaSocketLine:
    """The two routes of the line. `refusal` makes the sound that a caller hears who is not let in after all."""

    def __init__(
        self,
        settings: MediaSocketSettings,
        doorkeeper: Doorkeeper,
        answer: Answer,
        timer: Timer,
        *,
        refusal: SpokenRefusal | None = None,
    ) -> None:
        self._settings, self._door, self._answer, self._timer = settings, doorkeeper, answer, timer
        self._tokens, self._refusals = OneTimeTokens(timer), Refusals(refusal)

    def add_routes(self, app: web.Application, path: str) -> None:
        """Adds them below `path`."""
        app.router.add_post(f"{path}/answer", self.answer)
        app.router.add_get(f"{path}/media", self.media)

    async def answer(self, request: web.Request) -> web.Response:
        """Tells the carrier to connect the call to the socket, or what to tell the caller instead."""
        form = await _form_of(request)
        self._require_signature(request, self._settings.answer_url(), form)
        call = Numbers(clean_number(form.get("From", "")), clean_number(form.get("To", "")))
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{self._verdict(call, request)}</Response>'
        return web.Response(text=body, content_type="text/xml")

    def _verdict(self, call: Numbers, request: web.Request) -> str:
        """To the socket; or a sentence while all lines are taken, or nothing at all for who calls too fast."""
        try:
            self._door.room_for(call.caller, request.remote or "")
        except CallRefused as error:
            log.warning("call refused line=%s code=%s", LINE, error.code)
            if not isinstance(error, LineBusy):
                return REJECTED
            return f'<Say language="zh-CN">{escape("".join(ALL_BUSY))}</Say><Hangup/>'
        url, token = quoteattr(self._settings.socket_url()), quoteattr(self._tokens.give(call))
        parameter = f"<Parameter name={quoteattr(wire.TOKEN)} value={token}/>"
        return f"<Connect><Stream url={url}>{parameter}</Stream></Connect>"

    async def media(self, request: web.Request) -> web.StreamResponse:
        """Serves one call."""
        self._require_signature(request, self._settings.socket_url(), None)
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, timeout=CLOSE_WAIT_S, max_msg_size=wire.MESSAGE_CHARS_MAX
        )
        await socket.prepare(request)
        try:
            async with asyncio.timeout(self._settings.start_wait_s):
                start = await _start_of(socket)
            numbers = self._tokens.take(start.token)
            info = CallInfo(LINE, start.call_id, numbers.caller, numbers.called, request.remote or "")
            call = MediaSocketCall(info, start, socket, self._timer)
            await let_in(call, self._door, self._answer, self._refusals)
        except (CallRefused, MalformedMessage) as error:
            log.warning("call refused line=%s code=%s", LINE, error.code)
        except TimeoutError:
            log.warning("call refused line=%s code=no_start", LINE)
        with suppress(OSError):
            await socket.close()
        return socket

    def _require_signature(self, request: web.Request, url: str, form: dict[str, str] | None) -> None:
        given = request.headers.get(SIGNATURE_HEADER, "")
        try:
            require_signature(self._settings.secret, url, given, form)
        except CallRefused as error:
            log.warning("call refused line=%s code=%s", LINE, error.code)
            raise web.HTTPForbidden(text=error.code) from None


async def _form_of(request: web.Request) -> dict[str, str]:
    """What a carrier posts. Raises HTTPBadRequest for what is no form."""
    if (request.content_length or 0) > FORM_BYTES_MAX:
        raise web.HTTPRequestEntityTooLarge(FORM_BYTES_MAX, request.content_length or 0)
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPBadRequest(text="malformed_form")
    try:
        return {name: str(value) for name, value in (await request.post()).items()}
    except (ValueError, LookupError, web.RequestPayloadError):
        raise web.HTTPBadRequest(text="malformed_form") from None


async def _start_of(socket: web.WebSocketResponse) -> wire.Start:
    """The start message; at most a few others may come before it."""
    for _ in range(MALFORMED_MAX):
        received = await socket.receive()
        if received.type is not WSMsgType.TEXT:
            break
        message = wire.parse_message(received.data)
        if isinstance(message, wire.Start):
            return message
    raise MalformedMessage("no start")
