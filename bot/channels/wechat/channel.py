"""The WeChat channel: its routes below /wechat/, its work in the background.

GET  /wechat/callback   Tencent checks the address      GET  /wechat/page          the secure page
POST /wechat/callback   Tencent brings a message        GET  /wechat/back          back from Tencent, with a code
GET  /wechat/static/{name}                              GET  /wechat/api/me        POST /wechat/api/login ...
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator

from aiohttp import web

from bot.channels.wechat.alerts import Alerts
from bot.channels.wechat.bindings import Bindings
from bot.channels.wechat.callback import Callbacks, Stamp
from bot.channels.wechat.deliveries import Deliveries
from bot.channels.wechat.dependencies import WechatDependencies
from bot.channels.wechat.errors import CallbackRefused, CallsTooMany, XmlRefused
from bot.channels.wechat.intake import Intake
from bot.channels.wechat.outgoing import to_answer
from bot.channels.wechat.page import SecurePage
from bot.channels.wechat.turns import Turns
from bot.surfaces.origin import client_address
from bot.surfaces.rates import TokenBuckets

log = logging.getLogger(__name__)
PREFIX = "/wechat/"
CALLBACK_PATH = f"{PREFIX}callback"
ACKNOWLEDGED = "success"
_ECHO = re.compile(r"[A-Za-z0-9_+/=-]{1,128}")


class WechatChannel:
    """One account, served."""

    def __init__(self, deps: WechatDependencies) -> None:
        self._deps = deps
        self._callbacks = Callbacks(deps.account)
        self._unsigned = TokenBuckets(deps.clock, deps.limits.unsigned)
        self._said: asyncio.Queue[str] | None = None  # conversations in which something was said
        self.alerts = Alerts(deps)
        self.deliveries = Deliveries(deps, self.alerts)
        self.bindings = Bindings(deps.database, deps.bank, deps.hub)
        self.intake = Intake(deps, Turns(deps, self.bindings), self.deliveries)
        self.page = SecurePage(deps, self.bindings)

    def app(self) -> web.Application:
        """What is mounted at /wechat/."""
        app = web.Application()
        app.router.add_get("/callback", self.check)
        app.router.add_post("/callback", self.receive)
        self.page.add_routes(app)
        app.cleanup_ctx.append(self._serving)
        return app

    async def check(self, request: web.Request) -> web.StreamResponse:
        """Tencent's console asks whether this address is ours: the echo, if it is signed."""
        try:
            self._prove(request)
        except CallbackRefused as refusal:
            return self._refused(refusal)
        echo = request.query.get("echostr", "")
        return web.Response(text=echo) if _ECHO.fullmatch(echo) else self._refused(XmlRefused("echo"))

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """A message: the answer, or `success`, or a status without words."""
        try:
            stamp = self._prove(request)
            body = await _body(request)
            message = self._callbacks.open(stamp, body)
            out = await self.intake.take(message, stamp, body)
        except CallbackRefused as refusal:
            return self._refused(refusal)
        if out is None:
            return web.Response(text=ACKNOWLEDGED)
        now = self._deps.clock.now()
        text = self._callbacks.answer(to_answer(message, out, now), now)
        return web.Response(text=text, content_type="text/xml")

    async def settled(self) -> None:
        """Waits for what was begun so far, and for what was said to be taken up."""
        while self._said is not None and not self._said.empty():
            self.intake.in_background(self.deliveries.deliver_in(self._said.get_nowait()))
        await self.intake.settled()

    def _prove(self, request: web.Request) -> Stamp:
        """Raises CallbackRefused. What Tencent signed is never slowed down by what others send from its address."""
        stamp = Stamp.of(request.query)
        try:
            self._callbacks.prove(stamp, self._deps.clock.now())
        except CallbackRefused:
            address = client_address(request, self._deps.web.trust)
            if self._unsigned.attempt(address) > 0:
                raise CallsTooMany from None
            raise
        return stamp

    def _refused(self, refusal: CallbackRefused) -> web.Response:
        self._deps.metrics.refused.labels(refusal.code).inc()
        if not isinstance(refusal, CallsTooMany):  # a flood fills no log
            log.warning("callback refused code=%s", refusal.code)
        return web.Response(status=refusal.status)

    async def _serving(self, _app: web.Application) -> AsyncIterator[None]:
        """For as long as the server runs, what is said in a follower's conversation is sent at once."""
        async with self._deps.hub.events.follow() as said:
            self._said = said

            async def work() -> None:
                while True:
                    self.intake.in_background(self.deliveries.deliver_in(await said.get()))

            task = asyncio.create_task(work())
            yield
            task.cancel()
            await asyncio.wait({task})
            self._said = None
        await self.settled()
        await self._deps.voice.close()
        await self._deps.api.close()


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except (web.HTTPRequestEntityTooLarge, web.RequestPayloadError):
        raise XmlRefused("too large, or not compressed as it says") from None
