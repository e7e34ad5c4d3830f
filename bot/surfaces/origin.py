"""Proof that our own page asks, whose address asks, and the headers every answer carries."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

from bot.surfaces.errors import CrossSite

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PLAIN_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Trust:
    """Further origins ("https://bank.example") that count as our own, the proxies whose X-Forwarded-For is believed,
    and whether pages are served over TLS only.
    """

    origins: frozenset[str] = frozenset()
    proxies: frozenset[str] = frozenset()
    secure: bool = False


def require_same_origin(request: web.BaseRequest, trust: Trust) -> None:
    """Raises CrossSite unless a page of our own origin sent this.

    A browser puts Origin on every POST and every socket handshake, and Sec-Fetch-Site where it knows it, which a page
    cannot forge; a request with neither proves nothing and is refused.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if fetch_site not in (None, "same-origin") or (origin is None and fetch_site is None):
        raise CrossSite()
    if origin is not None and origin not in trust.origins and not _is_own(origin, request.host):
        raise CrossSite()


def client_address(request: web.BaseRequest, trust: Trust) -> str:
    """The address limits are counted for: the peer's, or the one a trusted proxy saw last."""
    peer = request.remote or "unknown"
    if peer in trust.proxies:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or peer
    return peer


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


def security_headers(request: web.BaseRequest, trust: Trust, *, microphone: bool) -> dict[str, str]:
    """Headers of every answer. Nothing from elsewhere loads, nothing inline runs, nobody frames the page."""
    connect = "'self'"
    if _PLAIN_HOST.fullmatch(request.host):  # named for browsers that do not count sockets as 'self'
        connect += f" ws://{request.host} wss://{request.host}"
    heard_by = "(self)" if microphone else "()"
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; "
            f"connect-src {connect}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
        "Server": "zhanggui",  # no versions for those who collect them
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": f"camera=(), geolocation=(), microphone={heard_by}, payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if trust.secure:
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
