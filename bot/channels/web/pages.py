"""The page's files, read once at start, and the developer-only SMS page."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from aiohttp import web

from banking_core.clock import BANK_ZONE
from bot.channels.web.ports import SmsSeen

CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
SMS_SHOWN_MAX = 50
WORKLET = "telephone.js"


@dataclass(frozen=True)
class Asset:
    """One static file, plain and compressed."""

    content_type: str
    body: bytes
    body_gzip: bytes
    etag: str


def load_assets(package: str = "bot.channels.web") -> dict[str, Asset]:
    """Every file in a package's static/ by name. Files are served from here only, so no path can lead elsewhere."""
    assets = {}
    for entry in files(package).joinpath("static").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if entry.is_file() and suffix in CONTENT_TYPES:
            assets[entry.name] = _asset(CONTENT_TYPES[suffix], entry.read_bytes())
    assert "index.html" in assets, "the page is part of the package"
    return assets


def worklet() -> Asset:
    """The script of the sound beside the page; the agents' page has the same."""
    return _asset(CONTENT_TYPES[".js"], files("desk").joinpath("static", WORKLET).read_bytes())


def _asset(content_type: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:20]
    return Asset(content_type, body, gzip.compress(body, mtime=0), digest)


def asset_response(request: web.Request, asset: Asset) -> web.Response:
    """The file, or 304 when the browser has this very version."""
    headers = {"Cache-Control": "no-cache", "ETag": f'"{asset.etag}"', "Vary": "Accept-Encoding"}
    if any(tag.value in (asset.etag, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    body = asset.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = asset.body_gzip
    return web.Response(body=body, content_type=asset.content_type, charset="utf-8", headers=headers)


def sms_page(messages: Sequence[SmsSeen]) -> web.Response:
    """The latest messages of the SMS sandbox, newest first; reloads itself every three seconds."""
    newest_first = sorted(messages, key=lambda message: message.sent_at, reverse=True)
    rows = "".join(_sms_row(message) for message in newest_first) or (
        '<tr><td colspan="3">还没有短信。登录或办理需要验证的业务时，验证码会出现在这里。</td></tr>'
    )
    page = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="refresh" content="3"><title>短信沙箱 · 仅供开发</title>'
        '<link rel="stylesheet" href="/static/sms.css"></head><body><main>'
        "<h1>短信沙箱</h1><p>仅供开发和演示，只有本机能打开。每3秒自动刷新，最新的在最上面。</p>"
        '<table data-testid="sms-table"><thead><tr><th scope="col">时间</th><th scope="col">手机号</th>'
        f'<th scope="col">内容</th></tr></thead><tbody>{rows}</tbody></table></main></body></html>'
    )
    return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})


def _sms_row(message: SmsSeen) -> str:
    at = message.sent_at.astimezone(BANK_ZONE).strftime("%m-%d %H:%M:%S")
    return (
        f'<tr data-testid="sms"><td>{at}</td><td>{escape(message.phone)}</td>'
        f'<td data-testid="sms-text">{escape(message.text)}</td></tr>'
    )
