"""Same-origin proof, client addresses and response headers."""

from __future__ import annotations

import re

from aiohttp import web
from yarl import URL

from desk.dependencies import DeskDependencies
from desk.errors import CrossSite

_PLAIN_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


def require_same_origin(request: web.BaseRequest, deps: DeskDependencies) -> None:
    """Raises CrossSite unless a page of our own origin sent this.

    A browser puts Origin on every POST and every socket handshake, and Sec-Fetch-Site where it knows it; a
    request with neither proves nothing and is refused.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if fetch_site not in (None, "same-origin") or (origin is None and fetch_site is None):
        raise CrossSite()
    if origin is not None and origin not in deps.allowed_origins and not _is_own(origin, request.host):
        raise CrossSite()


def client_address(request: web.BaseRequest, deps: DeskDependencies) -> str:
    """The address log-ins are counted for: the peer's, or the one a trusted proxy saw last."""
    peer = request.remote or "unknown"
    if peer in deps.trusted_proxies:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or peer
    return peer


def security_headers(request: web.BaseRequest, deps: DeskDependencies) -> dict[str, str]:
    """Headers of every answer. Nothing from elsewhere loads, nothing inline runs, nobody frames the page."""
    connect = "'self'"
    if _PLAIN_HOST.fullmatch(request.host):  # named for browsers that do not count sockets as 'self'
        connect += f" ws://{request.host} wss://{request.host}"
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src {connect}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
        "Server": "zhanggui",  # no versions for those who collect them
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if deps.secure_cookies:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def _is_own(origin: str, host: str) -> bool:
    """`Origin: null`, another scheme or another port is not ours."""
    try:
        url = URL(origin)
        own = URL(f"{url.scheme}://{host}")
        return url.scheme in ("http", "https") and (url.host, url.port) == (own.host, own.port)
    except ValueError:
        return False
