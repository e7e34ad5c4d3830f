"""Calls to Tencent. An access token that is refused is renewed once; everything else is an error of `errors`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

from banking_core.clock import Clock
from banking_core.storage import Database
from bot.channels.wechat.account import Account
from bot.channels.wechat.errors import ApiError, ApiUnavailable, TokenRefused, api_error
from bot.channels.wechat.outgoing import Out, to_json
from bot.channels.wechat.tokens import AccessTokens, Issued

CALL_TIMEOUT_S = 5.0
MEDIA_BYTES_MAX = 4 * 1024 * 1024
ANSWER_BYTES_MAX = 256 * 1024
API_URL = "https://api.weixin.qq.com"
IMAGE_TYPE = "image/png"


class WechatApi:
    """One account's calls. Call `close` at the end."""

    def __init__(self, account: Account, database: Database, clock: Clock, *, url: str = API_URL) -> None:
        self._account, self._url = account, url.rstrip("/")
        self._tokens = AccessTokens(database, clock, account.app_id, self._issue)
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Ends the connections."""
        if self._http is not None:
            await self._http.close()

    async def send(self, openid: str, out: Out) -> None:
        """A customer-service message. Raises QuotaSpent, WindowClosed, Unreachable, NotAllowed, ApiUnavailable ..."""
        await self._post("/cgi-bin/message/custom/send", to_json(openid, out))

    async def send_template(
        self, openid: str, template_id: str, url: str, data: Mapping[str, str], once_key: str
    ) -> None:
        """A template message; Tencent sends one per `once_key` within ten minutes."""
        body = {
            "touser": openid,
            "template_id": template_id,
            "url": url,
            "client_msg_id": once_key,
            "data": {name: {"value": value} for name, value in data.items()},
        }
        await self._post("/cgi-bin/message/template/send", body)

    async def create_menu(self, menu: Mapping[str, Any]) -> None:
        """Replaces the account's menu."""
        await self._post("/cgi-bin/menu/create", menu)

    async def upload_image(self, image: bytes) -> str:
        """Keeps a PNG with Tencent for three days; returns its media id."""

        def form() -> aiohttp.FormData:
            data = aiohttp.FormData()
            data.add_field("media", image, filename="image.png", content_type=IMAGE_TYPE)
            return data

        found = await self._post("/cgi-bin/media/upload", form, query="&type=image")
        return str(found["media_id"])

    async def media(self, media_id: str) -> bytes:
        """What a customer recorded or photographed, 4 MB at most. Raises ApiUnavailable or ApiError."""
        token = await self._tokens.get()
        try:
            return await self._media_with(token, media_id)
        except TokenRefused:
            renewed = await self._tokens.after_refusal(token)
            try:
                return await self._media_with(renewed, media_id)
            except TokenRefused as error:
                raise _no_token(error) from None

    async def _media_with(self, token: str, media_id: str) -> bytes:
        path = f"/cgi-bin/media/get?access_token={quote(token)}&media_id={quote(media_id)}"
        body, content_type = await self._call("GET", path, size_max=MEDIA_BYTES_MAX)
        if content_type in ("application/json", "text/plain"):  # not the medium but why not
            _checked(body)
            raise ApiUnavailable("words instead of a medium")
        return body

    async def openid_of(self, code: str) -> str:
        """Who came through Tencent's authorisation page. Raises ApiError for a code that is wrong or used."""
        query = f"?appid={quote(self._account.app_id)}&secret={quote(self._account.app_secret)}"
        path = f"/sns/oauth2/access_token{query}&code={quote(code)}&grant_type=authorization_code"
        body, _ = await self._call("GET", path)
        return str(_checked(body).get("openid", ""))

    async def _issue(self, force: bool) -> Issued:
        body = {
            "grant_type": "client_credential",
            "appid": self._account.app_id,
            "secret": self._account.app_secret,
            "force_refresh": force,
        }
        answer, _ = await self._call("POST", "/cgi-bin/stable_token", data=_json(body))
        try:
            found = _checked(answer)
        except ApiError as error:
            raise _no_token(error) from None
        try:
            return Issued(str(found["access_token"]), int(found["expires_in"]))
        except (KeyError, TypeError, ValueError):
            raise ApiUnavailable("an answer without a token") from None

    async def _post(self, path: str, body: Any, *, query: str = "") -> dict[str, Any]:
        token = await self._tokens.get()
        try:
            return await self._post_with(token, path, body, query)
        except TokenRefused:
            renewed = await self._tokens.after_refusal(token)
            try:
                return await self._post_with(renewed, path, body, query)
            except TokenRefused as error:
                raise _no_token(error) from None

    async def _post_with(self, token: str, path: str, body: Any, query: str) -> dict[str, Any]:
        data = body() if callable(body) else _json(body)
        answer, _ = await self._call("POST", f"{path}?access_token={quote(token)}{query}", data=data)
        return _checked(answer)

    async def _call(
        self, method: str, path: str, *, data: Any = None, size_max: int = ANSWER_BYTES_MAX
    ) -> tuple[bytes, str]:
        """The body and its content type. No error of it holds the address, which has secrets in it."""
        self._http = self._http or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S))
        headers = {"Content-Type": "application/json"} if isinstance(data, bytes) else {}
        try:
            async with self._http.request(
                method, self._url + path, data=data, headers=headers, allow_redirects=False
            ) as response:
                body = await response.content.read(size_max + 1)
                while not response.content.at_eof() and len(body) <= size_max:
                    body += await response.content.read(size_max + 1 - len(body))
                if response.status != 200 or len(body) > size_max:
                    raise ApiUnavailable(f"status {response.status}, {len(body)} bytes")
                return body, response.content_type
        except (TimeoutError, aiohttp.ClientError) as error:
            raise ApiUnavailable(type(error).__name__) from None


def _no_token(error: ApiError) -> ApiUnavailable:
    """What is wrong with the account (its secret, its list of addresses) is not wrong with what was to be sent, which
    waits until that is mended.
    """
    return ApiUnavailable(f"no access token: {error}")


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _checked(body: bytes) -> dict[str, Any]:
    """The object Tencent answered; raises what its errcode means."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiUnavailable("an answer that is no JSON") from None
    if not isinstance(found, dict):
        raise ApiUnavailable("an answer that is no object")
    errcode = found.get("errcode", 0)
    if not isinstance(errcode, int):
        raise ApiUnavailable("an errcode that is no number")
    if errcode:
        raise api_error(errcode, str(found.get("errmsg", "")))
    return found
