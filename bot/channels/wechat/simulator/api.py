"""The simulator's HTTP side: the API the account calls, and the page where a follower agrees to be known."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.channels.wechat.simulator.tencent import Refusal, Tencent

PNG = b"\x89PNG\r\n"


def build_simulator_app(tencent: Tencent) -> web.Application:
    """Every address the channel calls."""
    handlers = _Handlers(tencent)

    @web.middleware
    async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            tencent.count(request.path)
            return await handler(request)
        except Refusal as refusal:
            if refusal.errcode == 0:
                return web.Response(status=502)
            return web.json_response({"errcode": refusal.errcode, "errmsg": refusal.errmsg})
        except (KeyError, TypeError, ValueError, AttributeError):
            return web.json_response({"errcode": 47001, "errmsg": "data format error"})

    app = web.Application(middlewares=[refusals], client_max_size=8 * 1024 * 1024)
    app.router.add_post("/cgi-bin/stable_token", handlers.stable_token)
    app.router.add_post("/cgi-bin/message/custom/send", handlers.posted(tencent.send))
    app.router.add_post("/cgi-bin/message/template/send", handlers.posted(tencent.send_template))
    app.router.add_post("/cgi-bin/menu/create", handlers.posted(tencent.create_menu))
    app.router.add_post("/cgi-bin/media/upload", handlers.upload)
    app.router.add_get("/cgi-bin/media/get", handlers.media)
    app.router.add_get("/screen/{media_id}", handlers.screen)
    app.router.add_get("/sns/oauth2/access_token", handlers.redeem)
    app.router.add_get("/connect/oauth2/authorize", handlers.authorise)
    return app


class _Handlers:
    def __init__(self, tencent: Tencent) -> None:
        self._tencent = tencent

    def posted(
        self, call: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A call with a JSON body and an access token."""

        async def handler(request: web.Request) -> web.Response:
            self._tencent.require_token(request.query.get("access_token", ""))
            found = call(json.loads(await request.read()))
            return web.json_response({"errcode": 0, "errmsg": "ok"} | (found or {}))

        return handler

    async def stable_token(self, request: web.Request) -> web.Response:
        return web.json_response(self._tencent.issue(json.loads(await request.read())))

    async def upload(self, request: web.Request) -> web.Response:
        self._tencent.require_token(request.query.get("access_token", ""))
        medium = (await request.post())["media"]
        assert isinstance(medium, web.FileField)
        return web.json_response(self._tencent.upload(medium.file.read()))

    async def media(self, request: web.Request) -> web.Response:
        self._tencent.require_token(request.query.get("access_token", ""))
        content = self._tencent.require_medium(request.query.get("media_id", ""))
        kind = "image/jpeg" if content.startswith(b"\xff\xd8\xff") else "audio/amr"
        return web.Response(body=content, content_type="image/png" if content.startswith(PNG) else kind)

    async def screen(self, request: web.Request) -> web.Response:
        """A picture as the follower sees it, for a browser beside the terminal."""
        content = self._tencent.media.get(request.match_info["media_id"], b"")
        if not content.startswith(PNG):
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="image/png")

    async def redeem(self, request: web.Request) -> web.Response:
        query = request.query
        return web.json_response(self._tencent.redeem(query["appid"], query["secret"], query["code"]))

    async def authorise(self, request: web.Request) -> web.Response:
        """Sends the browser back with a code; who holds it is `openid`, or the only follower there is."""
        openid = request.query.get("openid") or next(iter(self._tencent.lines))
        query = urlencode({"code": self._tencent.authorise(openid), "state": request.query["state"]})
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{query}")
