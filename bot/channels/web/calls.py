"""Calls from the page: who may call, how often, and what ends a call when the session behind it changes."""

from __future__ import annotations

import logging
from contextlib import suppress

from aiohttp import web

from banking_core.identity import Origin
from bot.channels.phone.alongside import Visitor
from bot.channels.phone.browser import MESSAGE_BYTES_MAX
from bot.channels.phone.errors import CallRefused
from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.errors import NoSession
from bot.channels.web.limits import Gates
from bot.channels.web.ports import CallsPort
from bot.channels.web.registry import CLOSE_SESSION_CHANGED, SocketRegistry, in_background
from bot.channels.web.sessions import WebSession
from bot.channels.web.sockets import CLOSE_NO_SESSION, CLOSE_TOO_MANY, CLOSE_WAIT_S, HEARTBEAT_S, refuse
from bot.surfaces.errors import BadRequest, TooFast

log = logging.getLogger(__name__)

NO_SUCH_PAGE_TEXT = "这个地址只供聊天页面通话使用，请打开首页。"
CALLED_TOO_OFTEN_TEXT = "拨得太频繁了，请过一会儿再拨，也可以直接打字。"
CALL_GOES_ON_TEXT = "您已经在另一个窗口里通话了，请先挂断那边。"
ALL_LINES_BUSY_TEXT = "现在打进来的人比较多，请过几分钟再拨，也可以直接打字。"
BUSY_RETRY_S = 60.0


class PageCall:
    """A call under way, as the registry knows it."""

    def __init__(
        self, deps: WebDependencies, socket: web.WebSocketResponse, session: WebSession, origin: Origin
    ) -> None:
        self.session, self.address = session, origin.address
        self._deps, self._socket = deps, socket
        self.visitor = Visitor(
            session.conversation_id, origin, f"web:{session.customer_id or session.id}", self.present
        )

    async def present(self) -> bool:
        """Whether the session is still good, in whichever process it may have ended; a word in the call is use of it.
        A call whose session has ended is closed.
        """
        async with self._deps.db.transaction() as session:
            live = await self._deps.bank.identity.sessions.live(session, self.session.id)
            if live:
                await self._deps.bank.identity.sessions.touch(session, self.session.id)
        if not live:
            in_background(self.close(CLOSE_NO_SESSION))
        return live

    async def close(self, code: int) -> None:
        """Ends the call; harmless when it has ended."""
        with suppress(ConnectionError):
            await self._socket.close(code=code)


class CallDoor:
    """Lets the page of a session call, in that session's conversation and in no other."""

    def __init__(self, deps: WebDependencies, gates: Gates, calls: CallsPort) -> None:
        self._deps, self._gates, self._calls = deps, gates, calls
        self._open = SocketRegistry()

    def new_socket(self, request: web.Request) -> web.WebSocketResponse:
        """A socket for sound: not compressed, its frames bounded. Raises BadRequest."""
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, timeout=CLOSE_WAIT_S, max_msg_size=MESSAGE_BYTES_MAX, compress=False
        )
        if not socket.can_prepare(request):
            raise BadRequest(NO_SUCH_PAGE_TEXT)
        return socket

    async def serve(
        self, socket: web.WebSocketResponse, session: WebSession | None, origin: Origin | None
    ) -> None:
        """One call over an open socket, or the reason why not."""
        if session is None or origin is None:
            await refuse(socket, NoSession(), CLOSE_NO_SESSION)
            return
        refusal = self._refusal(session, origin.address)
        if refusal is not None:
            await refuse(socket, refusal, CLOSE_TOO_MANY)
            return
        call = PageCall(self._deps, socket, session, origin)
        self._open.add(call)
        try:
            await self._calls.serve(socket, call.visitor)
        except CallRefused as error:
            log.warning("call refused line=browser code=%s", error.code)
            busy = TooFast(ALL_LINES_BUSY_TEXT, retry_after_s=BUSY_RETRY_S)
            await refuse(socket, busy, CLOSE_TOO_MANY)
        finally:
            self._open.remove(call)

    def _refusal(self, session: WebSession, address: str) -> TooFast | None:
        limits = self._deps.limits
        of_session, of_address = self._open.count(session.id, address)
        if of_session >= limits.open_calls_session_max:
            return TooFast(CALL_GOES_ON_TEXT, retry_after_s=BUSY_RETRY_S)
        wait_s = self._gates.calls.attempt(session.id, address)
        if of_address >= limits.open_calls_address_max:
            wait_s = max(wait_s, BUSY_RETRY_S)
        return TooFast(CALLED_TOO_OFTEN_TEXT, retry_after_s=wait_s) if wait_s > 0 else None

    def logged_in(self, old_id: str, session: WebSession) -> None:
        """The page has logged in: its call goes on in the new session where the conversation is the same."""
        for call in self._open.of_session(old_id):
            if session.conversation_id == call.session.conversation_id and isinstance(call, PageCall):
                self._open.remove(call)
                call.session = session
                self._open.add(call)
            else:
                in_background(call.close(CLOSE_SESSION_CHANGED))

    def ended(self, session_id: str) -> None:
        """The session is over, and with it its call."""
        self._open.close_session(session_id)

    async def close(self) -> None:
        """The server goes down."""
        await self._open.close_all()
