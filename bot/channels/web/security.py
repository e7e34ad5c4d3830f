"""Same-origin proof, client addresses and response headers."""

from __future__ import annotations

import ipaddress
import re

from aiohttp import web

from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.errors import CrossSite

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST_SHAPE = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def require_same_origin(request: web.BaseRequest, deps: WebDependencies) -> None:
    """Lets through only what a page of our own origin sent; raises CrossSite.

    Every browser sends Origin with a POST and with a web socket handshake, so a request that proves nothing
    is refused. Sec-Fetch-Site, where present, must agree: a page cannot forge it.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        raise CrossSite()
    origin = request.headers.get("Origin")
    if origin is None:
        if site == "same-origin":
            return
        raise CrossSite()
    if origin in deps.allowed_origins:
        return
    if not origin.startswith(("http://", "https://")) or origin.partition("://")[2] != request.host:
        raise CrossSite()


def client_address(request: web.BaseRequest, deps: WebDependencies) -> str:
    """The address limits are counted for: the peer's, or what a trusted proxy saw."""
    peer = request.remote or "unknown"
    if peer not in deps.trusted_proxies:
        return peer
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[-1].strip()
    return forwarded or peer


def is_loopback(request: web.BaseRequest) -> bool:
    """Whether a browser on this very machine asks, directly and by a loopback name.

    A forwarded request is somebody else's; a foreign Host name pointing at 127.0.0.1 is DNS rebinding.
    """
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        peer = ipaddress.ip_address((request.remote or "").split("%")[0])
    except ValueError:
        return False
    host = request.host.lower()
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.split(":")[0]
    return peer.is_loopback and name in LOOPBACK_HOSTS


def security_headers(request: web.BaseRequest, deps: WebDependencies) -> dict[str, str]:
    """Headers every answer of this channel carries."""
    # Older Safari does not count ws: on our own host as 'self', so a plain host is named.
    sockets = f" ws://{request.host} wss://{request.host}" if _HOST_SHAPE.fullmatch(request.host) else ""
    microphone = "(self)" if deps.calls is not None else "()"
    headers = {
        "Content-Security-Policy": (
            f"default-src 'self'; connect-src 'self'{sockets}; object-src 'none'; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"
        ),
        "Server": "zhanggui",  # no versions for those who collect them
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": f"camera=(), geolocation=(), microphone={microphone}, payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if deps.secure_cookies:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
