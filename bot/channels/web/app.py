"""Routes of the web channel.

GET  /                the page               POST /api/session        a session for this browser
GET  /static/{name}   its files              POST /api/login          {phone, password}
GET  /chat/ws         the web socket         POST /api/login/resend   {}
GET  /chat/call       a call's web socket    POST /api/login/verify   {challenge_id, code}
GET  /api/me          who is this            POST /api/logout         {}
GET  /chat/code/{seq} a message's QR picture POST /api/scan?client_id  a picture of a code
GET  /dev/sms         developers only        POST /api/recovery       {phone}
                                             POST /api/recovery/prove {recovery_id, code, name, id_number}
                                             POST /api/recovery/finish {recovery_id, password}
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from banking_core.errors import AuthenticationFailed, BankError, InvalidInput, ProviderUnavailable
from banking_core.identity import Origin
from bot.channels.web.calls import CallDoor
from bot.channels.web.codes import Codes
from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.devices import (
    DEVICE_COOKIE,
    DEVICE_COOKIE_AGE_S,
    device_name,
    device_of,
    new_device_token,
)
from bot.channels.web.errors import NoSession
from bot.channels.web.limits import Gates
from bot.channels.web.login import LoginService
from bot.channels.web.pages import SMS_SHOWN_MAX, WORKLET, asset_response, load_assets, sms_page, worklet
from bot.channels.web.recovery import RecoveryService
from bot.channels.web.registry import SocketRegistry
from bot.channels.web.sessions import (
    CHANNEL,
    COOKIE_NAME,
    WebSession,
    create_session,
    find_session,
)
from bot.channels.web.sockets import (
    CLOSE_NO_SESSION,
    CLOSE_TOO_MANY,
    ChatConnection,
    new_socket,
    refuse,
)
from bot.conversation.errors import ConversationError, ConversationNotFound
from bot.surfaces.bodies import json_answer, read_object
from bot.surfaces.codes import CodeReader
from bot.surfaces.errors import BadRequest, SurfaceError, TooFast
from bot.surfaces.origin import client_address, is_loopback, require_same_origin, security_headers

log = logging.getLogger(__name__)

LOGIN_TOO_FAST_TEXT = "登录操作太频繁了，请稍等一会儿再试。"
SOCKET_TOO_MANY_TEXT = "打开的窗口或重连次数太多了，请关掉多余的窗口，稍后会自动重连。"
SESSION_TOO_MANY_TEXT = "来访太频繁了，请稍等几秒再刷新页面。"
SCAN_TOO_FAST_TEXT = "扫得太快了，请稍等几秒再试。"
NO_PAGE_TEXT = "没有这个页面，请打开首页。"
NOT_SO_TEXT = "这个地址不能这样访问，请打开首页。"
BROKEN_TEXT = "系统刚才没有处理成功，请稍后再试，不会重复办理。"

RecoveryStep = Callable[[dict[str, Any], Origin], Awaitable[dict[str, Any]]]


def build_web_app(deps: WebDependencies) -> web.Application:
    """The web channel as an aiohttp application; other rooms may be mounted on it."""
    channel = WebChannel(deps)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await channel.guard(request, handler)

    app = web.Application(middlewares=[guard])
    channel.add_routes(app)
    return app


class WebChannel:
    """The handlers, and what they share: gates, open sockets, the page's files."""

    def __init__(self, deps: WebDependencies) -> None:
        self._deps = deps
        self._gates = Gates(deps.clock, deps.limits)
        self._sockets = SocketRegistry()
        self._login = LoginService(deps)
        self._recovery = RecoveryService(deps)
        self._calls = CallDoor(deps, self._gates, deps.calls) if deps.calls is not None else None
        self._codes = Codes(deps.hub, CodeReader())
        self._assets = load_assets() | {WORKLET: worklet()}

    def add_routes(self, app: web.Application) -> None:
        """Adds every route."""
        gets = {
            "/": self.page,
            "/static/{name}": self.static,
            "/api/me": self.me,
            "/chat/ws": self.chat,
            "/chat/code/{seq}": self.code,
            "/dev/sms": self.sms,
        }
        if self._calls is not None:
            gets["/chat/call"] = self.call
        posts = {
            "/api/session": self.session,
            "/api/login": self.login,
            "/api/login/resend": self.login_resend,
            "/api/login/verify": self.login_verify,
            "/api/recovery": self._recovering(self._recovery.start),
            "/api/recovery/prove": self._recovering(self._recovery.prove),
            "/api/recovery/finish": self._recovering(self._recovery.finish),
            "/api/logout": self.logout,
            "/api/scan": self.scan,
        }
        for path, get_handler in gets.items():
            app.router.add_get(path, get_handler)
        for path, post_handler in posts.items():
            app.router.add_post(path, post_handler)
        app.on_shutdown.append(self._close_sockets)

    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around everything, unknown addresses and what is mounted included.

        Whatever may change something proves its origin; refusals and faults become answers; every answer
        carries the headers, unless the room it comes from has set its own.
        """
        try:
            signed = request.path in self._deps.signed_paths
            if request.method not in ("GET", "HEAD") and not signed:
                require_same_origin(request, self._deps.trust)
            response = await handler(request)
        except web.HTTPException as error:
            text = NO_PAGE_TEXT if error.status == 404 else NOT_SO_TEXT
            response = web.Response(status=error.status, text=text)
        except ConnectionError:
            raise  # nobody is there to be answered
        except Exception as error:
            response = _error_answer(error)
        if not response.prepared:
            for name, value in self._headers(request).items():
                response.headers.setdefault(name, value)
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page itself. It makes no session, so a visit by an outside link does not replace one."""
        return asset_response(request, self._assets["index.html"])

    async def static(self, request: web.Request) -> web.StreamResponse:
        """One of the page's files."""
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return asset_response(request, asset)

    async def session(self, request: web.Request) -> web.StreamResponse:
        """The browser's session, made with a conversation if there is none.

        After a log-in inside the chat the page comes here, and gets the new token that is owed to it.
        """
        row = await self._find(request)
        with suppress(ConversationNotFound):  # a log that was cleared away: begin anew
            if row is not None:
                response = json_answer(await self._describe(await self._login.attach(row)))
                async with self._deps.db.transaction() as session:
                    fresh = await self._deps.bank.identity.sessions.renew(session, row.id)
                return self._with_device(request, self._with_cookie(response, fresh) if fresh else response)
        token, row = await self._open_session(request)
        response = self._with_cookie(json_answer(await self._describe(row)), token)
        return self._with_device(request, response)

    async def me(self, request: web.Request) -> web.StreamResponse:
        """Who this browser is; 401 without a session."""
        return json_answer(await self._describe(await self._require(request)))

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Step one: phone and password, answered with what is needed next, or with the log-in itself."""
        row = await self._require(request)
        self._count_login(row, request)
        result = await self._login.start(row, await read_object(request), self._origin(request, row))
        return await self._logged_in(row, result)

    async def login_resend(self, request: web.Request) -> web.StreamResponse:
        """Another code for the log-in under way in this browser."""
        row = await self._require(request)
        self._count_login(row, request)
        return json_answer(await self._login.resend(row, self._origin(request, row)))

    async def login_verify(self, request: web.Request) -> web.StreamResponse:
        """Every further step: the next proof, answered like the first one."""
        row = await self._require(request)
        self._count_login(row, request)
        result = await self._login.finish(row, await read_object(request), self._origin(request, row))
        return await self._logged_in(row, result)

    def _recovering(self, step: RecoveryStep) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A step on the way to a new password; slowed down like a log-in."""

        async def handler(request: web.Request) -> web.StreamResponse:
            row = await self._require(request)
            self._count_login(row, request)
            return json_answer(await step(await read_object(request), self._origin(request, row)))

        return handler

    async def _logged_in(
        self, old: WebSession, result: dict[str, Any] | tuple[str, WebSession]
    ) -> web.StreamResponse:
        """Once it is done the cookie is new, and the sockets of the old session are closed."""
        if isinstance(result, dict):
            return json_answer(result)
        token, row = result
        row = await self._login.attach(row)
        self._sockets.close_session(old.id)
        if self._calls is not None:
            self._calls.logged_in(old.id, row)
        return self._with_cookie(json_answer(await self._describe(row)), token)

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """Ends the session; logging out twice is fine."""
        row = await self._find(request)
        if row is not None:
            async with self._deps.db.transaction() as session:
                await self._deps.bank.identity.sessions.end(session, row.id, "logout")
            self._sockets.close_session(row.id)
            if self._calls is not None:
                self._calls.ended(row.id)
        response = json_answer({"authenticated": False})
        response.del_cookie(
            COOKIE_NAME, path="/", httponly=True, samesite="Strict", secure=self._deps.trust.secure
        )
        return response

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The web socket."""
        require_same_origin(request, self._deps.trust)
        socket = new_socket()
        if not socket.can_prepare(request):
            raise BadRequest("这个地址只供聊天页面连接，请打开首页。")
        row = await self._find(request)
        socket.headers.update(self._headers(request))
        await socket.prepare(request)
        if row is None:
            await refuse(socket, NoSession(), CLOSE_NO_SESSION)
            return socket
        address = self._address(request)
        wait_s = self._gates.sockets.attempt(row.id, address)
        limits, (of_session, of_address) = self._deps.limits, self._sockets.count(row.id, address)
        if of_session >= limits.open_sockets_session_max or of_address >= limits.open_sockets_address_max:
            wait_s = max(wait_s, 10.0)
        if wait_s > 0:
            await refuse(socket, TooFast(SOCKET_TOO_MANY_TEXT, retry_after_s=wait_s), CLOSE_TOO_MANY)
            return socket
        connection = ChatConnection(self._deps, self._gates, socket, row, self._origin(request, row))
        self._sockets.add(connection)
        try:
            await connection.run()
        finally:
            self._sockets.remove(connection)
        return socket

    async def call(self, request: web.Request) -> web.StreamResponse:
        """The web socket of a call."""
        assert self._calls is not None, "without calls there is no such route"
        require_same_origin(request, self._deps.trust)
        socket = self._calls.new_socket(request)
        row = await self._find(request)
        socket.headers.update(self._headers(request))
        await socket.prepare(request)
        await self._calls.serve(socket, row, self._origin(request, row) if row is not None else None)
        with suppress(ConnectionError):
            await socket.close()
        return socket

    async def code(self, request: web.Request) -> web.StreamResponse:
        """The QR picture of a message of this browser's conversation."""
        return await self._codes.picture(await self._require(request), request.match_info["seq"])

    async def scan(self, request: web.Request) -> web.StreamResponse:
        """A picture of a receiving code."""
        row = await self._require(request)
        wait_s = self._gates.scans.attempt(row.id, self._address(request))
        if wait_s > 0:
            raise TooFast(SCAN_TOO_FAST_TEXT, retry_after_s=wait_s)
        await self._codes.scan(row, request, self._origin(request, row))
        return json_answer({"ok": True})

    async def sms(self, request: web.Request) -> web.StreamResponse:
        """The SMS sandbox; to anyone but a developer on this machine the page does not exist."""
        if not self._deps.developer_pages or self._deps.sms_recent is None or not is_loopback(request):
            raise web.HTTPNotFound
        return sms_page(await self._deps.sms_recent(SMS_SHOWN_MAX))

    async def _find(self, request: web.Request) -> WebSession | None:
        token = request.cookies.get(COOKIE_NAME, "")
        async with self._deps.db.snapshot() as session:
            return await find_session(session, self._deps.bank.identity.sessions, token)

    async def _require(self, request: web.Request) -> WebSession:
        row = await self._find(request)
        if row is None:
            raise NoSession()
        return row

    async def _open_session(self, request: web.Request) -> tuple[str, WebSession]:
        wait_s = self._gates.sessions.attempt("", self._address(request))
        if wait_s > 0:
            raise TooFast(SESSION_TOO_MANY_TEXT, retry_after_s=wait_s)
        conversation_id = await self._deps.hub.open("web")
        async with self._deps.db.transaction() as session:
            return await create_session(
                session, self._deps.bank.identity.sessions, conversation_id=conversation_id
            )

    async def _describe(self, row: WebSession) -> dict[str, Any]:
        status = await self._deps.hub.status(row.conversation_id)
        return {
            "authenticated": status.customer_id is not None,
            "customer_name": status.customer_name_masked,
            "conversation_id": row.conversation_id,
            "expires_at": row.expires_at.isoformat(),
            "text_chars_max": self._deps.limits.text_chars_max,
            "developer_pages": self._deps.developer_pages,
            "calls": self._calls is not None,
        }

    def _count_login(self, row: WebSession, request: web.Request) -> None:
        wait_s = self._gates.logins.attempt(row.id, self._address(request))
        if wait_s > 0:
            raise TooFast(LOGIN_TOO_FAST_TEXT, retry_after_s=wait_s)

    def _with_cookie(self, response: web.Response, token: str) -> web.Response:
        response.set_cookie(
            COOKIE_NAME,
            token,
            path="/",
            max_age=int(self._deps.session_ttl_h * 3600),
            httponly=True,
            samesite="Strict",
            secure=self._deps.trust.secure,
        )
        return response

    def _with_device(self, request: web.Request, response: web.Response) -> web.Response:
        """Gives a browser its lasting pseudonym, once."""
        if not device_of(request):
            response.set_cookie(
                DEVICE_COOKIE,
                new_device_token(),
                path="/",
                max_age=DEVICE_COOKIE_AGE_S,
                httponly=True,
                samesite="Strict",
                secure=self._deps.trust.secure,
            )
        return response

    def _origin(self, request: web.Request, row: WebSession) -> Origin:
        return Origin(
            channel=CHANNEL,
            address=self._address(request),
            device=device_of(request),
            device_name=device_name(request.headers.get("User-Agent", "")),
            session_id=row.id,
        )

    def _headers(self, request: web.Request) -> dict[str, str]:
        return security_headers(request, self._deps.trust, microphone=self._calls is not None)

    def _address(self, request: web.Request) -> str:
        return client_address(request, self._deps.trust)

    async def _close_sockets(self, _app: web.Application) -> None:
        await self._sockets.close_all()
        if self._calls is not None:
            await self._calls.close()


def _error_answer(error: Exception) -> web.Response:
    if isinstance(error, SurfaceError):
        return json_answer(error.body(), status=error.status)
    if isinstance(error, BankError | ConversationError):
        body = {"error": {"code": error.code, "text": error.customer_text}}
        return json_answer(body, status=_refusal_status(error))
    place = "".join(traceback.format_tb(error.__traceback__))  # not its words: they may quote a customer
    log.error("request failed: %s\n%s", type(error).__name__, place)
    return json_answer({"error": {"code": "unavailable", "text": BROKEN_TEXT}}, status=500)


def _refusal_status(error: BankError | ConversationError) -> int:
    if isinstance(error, InvalidInput):
        return 400
    if isinstance(error, AuthenticationFailed):
        return 401
    return 503 if isinstance(error, ProviderUnavailable) else 409
