"""The secure page, opened inside WeChat: log in and bind, type a code, unbind.

Who opens it is told by Tencent (web authorisation, `snsapi_base`), not by the link: a link passed on to somebody else
binds their WeChat, not the sender's. Everything the page shows and does is that follower's.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity import Origin
from bot.channels.web.errors import LoginRefused, NoSession
from bot.channels.web.frames import SECRET_CHARS_MAX
from bot.channels.web.limits import Gate
from bot.channels.web.login import LoginService
from bot.channels.web.pages import asset_response, load_assets
from bot.channels.web.sessions import WebSession, create_session, find_session
from bot.channels.wechat import contacts
from bot.channels.wechat.bindings import Bindings
from bot.channels.wechat.dependencies import WechatDependencies
from bot.channels.wechat.errors import WechatError
from bot.channels.wechat.models import WechatContact, WechatVisit
from bot.conversation.views import Inbound
from bot.surfaces.bodies import is_storable, json_answer, read_object
from bot.surfaces.errors import BadRequest, TooFast
from bot.surfaces.origin import client_address

log = logging.getLogger(__name__)
COOKIE, STATE_COOKIE = "zg_wechat", "zg_wechat_state"
COOKIE_PATH = "/wechat/"
STATE_AGE_S = 600
SECRETS = ("otp", "totp")
NOT_TRUSTED = "这次登录和平时不太一样，为了安全先不绑定微信。客服会给您回电话，也可以致电客服办理。"
NOT_WAITING = "现在没有等待输入的验证码，请回到公众号里继续。"
RESEND = "重发"
TOO_FAST_TEXT = "操作太频繁了，请稍等一会儿再试。"
_CODE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
Step = Callable[[WebSession, dict[str, Any], Origin], Awaitable[dict[str, Any] | tuple[str, WebSession]]]


class SecurePage:
    """The page's handlers."""

    def __init__(self, deps: WechatDependencies, bindings: Bindings) -> None:
        self._deps, self._bindings = deps, bindings
        self._sessions = deps.bank.identity.sessions
        self._login = LoginService(deps.web, channel=contacts.CHANNEL)
        self._assets = load_assets("bot.channels.wechat")
        limits = deps.web.limits
        self._gate = Gate(deps.clock, limits.logins_session, limits.logins_address)

    def add_routes(self, app: web.Application) -> None:
        """Adds every route of the page."""
        app.router.add_get("/page", self.page)
        app.router.add_get("/back", self.back)
        app.router.add_get("/static/{name}", self.static)
        app.router.add_get("/api/me", self.me)
        app.router.add_post("/api/login", self._logging_in(self._start))
        app.router.add_post("/api/login/resend", self._logging_in(self._resend))
        app.router.add_post("/api/login/verify", self._logging_in(self._login.finish))
        app.router.add_post("/api/secret", self.secret)
        app.router.add_post("/api/secret/resend", self.resend)
        app.router.add_post("/api/unbind", self.unbind)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page, or first to Tencent, who tells us whose WeChat this is."""
        if await self._find(request) is not None:
            return asset_response(request, self._assets["index.html"])
        state = secrets.token_urlsafe(24)
        query = urlencode(
            {
                "appid": self._deps.account.app_id,
                "redirect_uri": f"{self._deps.public_url}{COOKIE_PATH}back",
                "response_type": "code",
                "scope": "snsapi_base",
                "state": state,
            }
        )
        response = web.Response(
            status=302,
            headers={"Location": f"{self._deps.oauth_url}/connect/oauth2/authorize?{query}#wechat_redirect"},
        )
        self._set_cookie(response, STATE_COOKIE, state, STATE_AGE_S)
        return response

    async def back(self, request: web.Request) -> web.StreamResponse:
        """Tencent's answer: a code for the openid, with the state this browser was sent away with."""
        expected, state = request.cookies.get(STATE_COOKIE, ""), request.query.get("state", "")
        code = request.query.get("code", "")
        same = hmac.compare_digest(expected.encode("utf-8", "replace"), state.encode("utf-8", "replace"))
        openid = ""
        if expected and same and _CODE.fullmatch(code):
            try:
                openid = await self._deps.api.openid_of(code)
            except WechatError as error:
                log.warning("code=%s an openid was not told", error.code)
        if not openid:
            return await self._not_known(request)
        token = await self.open_visit(openid)
        response = web.Response(status=302, headers={"Location": f"{COOKIE_PATH}page"})
        self._set_cookie(response, COOKIE, token, int(self._deps.web.session_ttl_h * 3600))
        self._drop_cookie(response, STATE_COOKIE)
        return response

    async def _not_known(self, request: web.Request) -> web.StreamResponse:
        """Who has the page already, and came here by going back in the browser, gets it; others are told."""
        if await self._find(request) is not None:
            return web.Response(status=302, headers={"Location": f"{COOKIE_PATH}page"})
        told = self._assets["unknown.html"]
        headers = {"Cache-Control": "no-store"}
        return web.Response(
            status=400, body=told.body, content_type=told.content_type, charset="utf-8", headers=headers
        )

    async def static(self, request: web.Request) -> web.StreamResponse:
        """One of the page's files."""
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return asset_response(request, asset)

    async def me(self, request: web.Request) -> web.StreamResponse:
        """Whose WeChat this is, what is bound, what is waited for."""
        _, contact = await self._require(request)
        return json_answer(await self._describe(contact))

    async def secret(self, request: web.Request) -> web.StreamResponse:
        """The code that the conversation waits for."""
        row, contact = await self._require(request)
        self._count(row, request)
        body = await read_object(request)
        client_id, code = _client_id(body), body.get("code")
        code = code.strip() if isinstance(code, str) else ""
        if not code or len(code) > SECRET_CHARS_MAX or not is_storable(code):
            raise BadRequest("请输入收到的验证码。", field="code")
        status = await self._deps.hub.status(contact.conversation_id)
        if status.expects not in SECRETS:
            raise BadRequest(NOT_WAITING)
        inbound = Inbound(contact.conversation_id, client_id, code, True, self._origin(request, row, contact))
        return await self._said(contact, inbound)

    async def resend(self, request: web.Request) -> web.StreamResponse:
        """Another code for the order that waits for one: the same as 重发 in the chat, without leaving the page."""
        row, contact = await self._require(request)
        self._count(row, request)
        client_id, origin = _client_id(await read_object(request)), self._origin(request, row, contact)
        return await self._said(contact, Inbound(contact.conversation_id, client_id, RESEND, origin=origin))

    async def _said(self, contact: WechatContact, inbound: Inbound) -> web.StreamResponse:
        """What the assistant answers; `may_resend` where it offers another code."""
        received = await self._deps.hub.receive(inbound)
        words = [reply.text for reply in received.replies]
        offered = {choice["say"] for reply in received.replies for choice in reply.choices}
        answer = {"words": words, "may_resend": RESEND in offered}
        return json_answer(await self._describe(contact) | answer)

    async def unbind(self, request: web.Request) -> web.StreamResponse:
        """Ends the binding; it makes things safer, so no proof is asked for."""
        row, contact = await self._require(request)
        self._count(row, request)
        await self._bindings.unbind(contact.id, "asked")
        async with self._deps.database.transaction() as session:
            await self._sessions.end(session, row.id, "logout")
        response = json_answer({"bound": False})
        self._drop_cookie(response, COOKIE)
        return response

    def _logging_in(self, step: Step) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A step of the log-in, as on every channel; once it is done the WeChat is bound."""

        async def handler(request: web.Request) -> web.StreamResponse:
            row, contact = await self._require(request)
            self._count(row, request)
            result = await step(row, await read_object(request), self._origin(request, row, contact))
            if isinstance(result, dict):
                return json_answer(result)
            token, fresh = result
            return await self._bound(contact, token, fresh)

        return handler

    async def _bound(self, contact: WechatContact, token: str, fresh: WebSession) -> web.StreamResponse:
        assert fresh.customer_id is not None, "a finished log-in has a customer"
        if not await self._bindings.bind(contact.id, fresh.customer_id, fresh.id):
            async with self._deps.database.transaction() as session:
                await self._sessions.end(session, fresh.id, "security")
            raise LoginRefused(NOT_TRUSTED, kind="not_trusted")
        async with self._deps.database.transaction() as session:
            session.add(WechatVisit(session_id=fresh.id, contact_id=contact.id))
        await self._bindings.attach(contact.id, said_once=f"bound:{fresh.id}")
        async with self._deps.database.snapshot() as session:
            contact = await session.get_one(WechatContact, contact.id)
        response = json_answer(await self._describe(contact))
        self._set_cookie(response, COOKIE, token, int(self._deps.web.session_ttl_h * 3600))
        return response

    async def _start(
        self, row: WebSession, body: dict[str, Any], origin: Origin
    ) -> dict[str, Any] | tuple[str, WebSession]:
        """Binding is trusting: the WeChat becomes a device the customer trusts."""
        return await self._login.start(row, body | {"trust_device": True}, origin)

    async def _resend(self, row: WebSession, _body: dict[str, Any], origin: Origin) -> dict[str, Any]:
        return await self._login.resend(row, origin)

    async def _describe(self, contact: WechatContact) -> dict[str, Any]:
        status = await self._deps.hub.status(contact.conversation_id)
        until = status.expects_until
        return {
            "bound": contact.customer_id is not None,
            "customer_name": status.customer_name_masked,
            "expects": status.expects if status.expects in SECRETS else "",
            "expects_until": until.isoformat() if until else None,
        }

    async def open_visit(self, openid: str) -> str:
        """A session for this browser, of the follower; returns its token."""
        contact_id = await contacts.ensure(
            self._deps.database, self._deps.hub, openid, self._deps.clock.now()
        )
        async with self._deps.database.transaction() as session:
            found = await session.get_one(WechatContact, contact_id)
            token, row = await create_session(
                session, self._sessions, conversation_id=found.conversation_id, channel=contacts.CHANNEL
            )
            session.add(WechatVisit(session_id=row.id, contact_id=found.id))
        return token

    async def _find(self, request: web.Request) -> tuple[WebSession, WechatContact] | None:
        async with self._deps.database.snapshot() as session:
            row = await find_session(session, self._sessions, request.cookies.get(COOKIE, ""))
            visit = await session.get(WechatVisit, row.id) if row is not None else None
            contact = await self._contact(session, visit)
        return (row, contact) if row is not None and contact is not None else None

    async def _contact(self, session: AsyncSession, visit: WechatVisit | None) -> WechatContact | None:
        return await session.get(WechatContact, visit.contact_id) if visit is not None else None

    async def _require(self, request: web.Request) -> tuple[WebSession, WechatContact]:
        found = await self._find(request)
        if found is None:
            raise NoSession()
        return found

    def _origin(self, request: web.Request, row: WebSession, contact: WechatContact) -> Origin:
        address = client_address(request, self._deps.web.trust)
        return contacts.origin_of(contact.openid, address=address, session_id=row.id)

    def _count(self, row: WebSession, request: web.Request) -> None:
        wait_s = self._gate.attempt(row.id, client_address(request, self._deps.web.trust))
        if wait_s > 0:
            raise TooFast(TOO_FAST_TEXT, retry_after_s=wait_s)

    def _set_cookie(self, response: web.Response, name: str, value: str, age_s: int) -> None:
        """Lax, because the browser comes back from Tencent; every POST proves its origin besides."""
        response.set_cookie(
            name,
            value,
            path=COOKIE_PATH,
            max_age=age_s,
            httponly=True,
            samesite="Lax",
            secure=self._deps.web.trust.secure,
        )

    def _drop_cookie(self, response: web.Response, name: str) -> None:
        response.del_cookie(
            name, path=COOKIE_PATH, httponly=True, samesite="Lax", secure=self._deps.web.trust.secure
        )


def _client_id(body: dict[str, Any]) -> str:
    """The id under which the page says something once. Raises BadRequest."""
    client_id = body.get("client_id")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise BadRequest()
    return client_id
