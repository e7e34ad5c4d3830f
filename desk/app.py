"""The desk as an aiohttp application, mounted at /desk.

GET  /desk/                    the page            POST /desk/api/login      {username, password}
GET  /desk/static/{name}       its files           POST /desk/api/logout     {}
GET  /desk/api/ws              live lists          POST /desk/api/presence   {state}
GET  /desk/api/conversations/{id}/sound            the sound of a telephone call, a web socket
GET  /desk/api/me|queue|mine                       GET  /desk/api/tickets[?status=done]
GET  /desk/api/conversations/{id}[?after_seq=n]    transcript and facts, for the agent who holds it
POST /desk/api/conversations/{id}/claim|say|typing|hand-back|close
GET  /desk/api/conversations/{id}/card|suggestions                 POST .../{id}/unmask|note|propose|transfer
GET  /desk/api/colleagues|replies|replies/kept     POST /desk/api/replies, .../{id}, .../{id}/retire|restore|move
GET  /desk/api/floor, /desk/api/conversations/{id}/watch           POST .../{id}/whisper|take-over
POST /desk/api/tickets/{number}/finish|phone|put-back
GET  /desk/api/board[?day=2026-11-20]|board.csv|alerts             POST /desk/api/conversations/{id}/pass
GET  /desk/api/trail[?agent=...&area=...&day=...]  the audit trail
GET  /desk/api/complaints[?status=...&whose=...], /desk/api/complaints/{number}, .../{number}/agents
POST /desk/api/complaints/{number}/take|assign|note|category|answer

What a role may do is in `desk.roles`.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from banking_core.audit import acting
from bot.surfaces.bodies import BODY_BYTES_MAX, json_answer
from bot.surfaces.errors import BadRequest, TooFast
from bot.surfaces.origin import require_same_origin, security_headers
from desk.api import DeskApi
from desk.assets import load_assets
from desk.board_api import BoardApi
from desk.calls import CallDoor
from desk.complaints_api import ComplaintsApi
from desk.custody import Custody
from desk.dependencies import DeskDependencies
from desk.errors import NoSession, NotThere, Unavailable
from desk.limits import Limiters
from desk.live import CLOSE_NO_SESSION, CLOSE_TOO_MANY, DeskConnection, LiveSeats, new_socket, refuse
from desk.refusals import refusal_of
from desk.replies_api import RepliesApi
from desk.staff_api import StaffApi
from desk.trail_api import TrailApi

log = logging.getLogger(__name__)


def build_desk_app(deps: DeskDependencies) -> web.Application:
    """The desk's application; mount it with `app.add_subapp("/desk", ...)`: its cookie belongs there."""
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_guard(deps)])
    limiters, custody, live = Limiters(deps.clock, deps.limits), Custody(deps), LiveSeats(deps.hub.events)
    api = DeskApi(deps, limiters, custody, live)
    assets = load_assets()

    async def to_page(request: web.Request) -> web.StreamResponse:
        return web.Response(status=308, headers={"Location": f"{request.rel_url.path}/"})

    async def page(request: web.Request) -> web.StreamResponse:
        return assets["index.html"].answer(request)

    async def static(request: web.Request) -> web.StreamResponse:
        asset = assets.get(request.match_info["name"])
        if asset is None:
            raise NotThere("没有这个文件。")
        return asset.answer(request)

    app.router.add_get("", to_page)
    app.router.add_get("/", page)
    app.router.add_get("/static/{name}", static)
    app.router.add_get("/api/ws", LiveDoor(deps, api, limiters, custody, live).open)
    sound = "/api/conversations/{conversation_id}/sound"
    app.router.add_get(sound, CallDoor(deps, api, custody).open)
    api.add_routes(app)
    StaffApi(deps, api, limiters, custody).add_routes(app)
    TrailApi(deps, api, limiters).add_routes(app)
    RepliesApi(deps, api, limiters).add_routes(app)
    BoardApi(deps, api, limiters).add_routes(app)
    if deps.complaints is not None:
        ComplaintsApi(deps, deps.complaints, api, limiters, live).add_routes(app)

    async def close_sockets(_app: web.Application) -> None:
        await live.close_all()

    async def watch_absent(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_look_after_queue_for_ever(deps, custody, live))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    app.on_shutdown.append(close_sockets)
    app.cleanup_ctx.append(watch_absent)
    return app


class LiveDoor:
    """Lets a page's web socket in."""

    def __init__(
        self, deps: DeskDependencies, api: DeskApi, limiters: Limiters, custody: Custody, live: LiveSeats
    ) -> None:
        self._deps, self._api, self._limiters, self._custody, self._live = deps, api, limiters, custody, live

    async def open(self, request: web.Request) -> web.StreamResponse:
        """The socket of GET /api/ws; a page without a seat is told so on the socket."""
        require_same_origin(request, self._deps.trust)
        socket = new_socket()
        if not socket.can_prepare(request):
            raise BadRequest("这个地址只供坐席页面连接。")
        seat = await self._api.seat_of(request)
        socket.headers.update(security_headers(request, self._deps.trust, microphone=True))
        await socket.prepare(request)
        if seat is None:
            await refuse(socket, NoSession(), CLOSE_NO_SESSION)
            return socket
        wait_s = self._limiters.sockets.attempt(seat.agent_id)
        if wait_s > 0 or self._live.count(seat.agent_id) >= self._deps.limits.open_sockets_agent_max:
            error = TooFast("打开的窗口太多了，请关掉多余的窗口。", retry_after_s=max(wait_s, 10.0))
            await refuse(socket, error, CLOSE_TOO_MANY)
            return socket
        connection = DeskConnection(self._deps, self._custody, socket, seat)
        self._live.add(connection)
        try:
            with acting(self._api.who(request, seat.agent_id)):
                await connection.run()
        finally:
            self._live.remove(connection)
        return socket


async def _look_after_queue_for_ever(deps: DeskDependencies, custody: Custody, live: LiveSeats) -> None:
    while True:
        await asyncio.sleep(deps.beat_s)
        try:
            await custody.release_absent()
            if await custody.offer_again():
                live.refresh_all()
        except Exception as error:
            log.error("looking after the queue failed: %s", type(error).__name__)


def _guard(deps: DeskDependencies) -> Middleware:
    """Same-origin proof for every POST, error answers as JSON, and headers on everything, 404s included."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.method not in ("GET", "HEAD"):
                require_same_origin(request, deps.trust)
            response = await handler(request)
        except web.HTTPException as error:
            text = "没有这个地址。" if error.status == 404 else "这个地址不能这样访问。"
            response = json_answer({"error": {"code": "http", "text": text}}, status=error.status)
        except Exception as error:
            response = _error_answer(error)
        if not response.prepared:
            for name, value in security_headers(request, deps.trust, microphone=True).items():
                response.headers.setdefault(name, value)
        return response

    return guard


def _error_answer(error: Exception) -> web.Response:
    refusal = refusal_of(error)
    if refusal is None:
        place = "".join(traceback.format_tb(error.__traceback__))  # not its words: they may quote a customer
        log.error("desk request failed: %s\n%s", type(error).__name__, place)
        refusal = Unavailable()
    answer = json_answer(refusal.body(), status=refusal.status)
    if isinstance(refusal, TooFast):
        answer.headers["Retry-After"] = str(int(refusal.details["retry_after_s"]) + 1)
    return answer
