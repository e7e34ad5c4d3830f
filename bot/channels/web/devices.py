"""Which browser this is: a long-lived random cookie of its own, and a name its owner recognises."""

from __future__ import annotations

import hashlib
import re
import secrets

from aiohttp import web

DEVICE_COOKIE = "zg_device"
DEVICE_COOKIE_AGE_S = 400 * 24 * 3600  # the longest browsers keep
TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
UNKNOWN = "未知设备"

# The first that fits names the thing; order matters, because browsers claim to be each other.
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"),
    ("OpenHarmony", "鸿蒙"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "安卓"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("AlipayClient", "支付宝"),
    ("MQQBrowser", "QQ浏览器"),
    ("UCBrowser", "UC浏览器"),
    ("HuaweiBrowser", "华为浏览器"),
    ("MiuiBrowser", "小米浏览器"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)


def device_of(request: web.BaseRequest) -> str:
    """The pseudonym of the browser, "" when it has none yet; the cookie itself is nobody else's business."""
    token = request.cookies.get(DEVICE_COOKIE, "")
    return hashlib.sha256(token.encode()).hexdigest() if _TOKEN.fullmatch(token) else ""


def new_device_token() -> str:
    """What a browser without a pseudonym is given."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def device_name(user_agent: str) -> str:
    """'微信 · iPhone', 'Chrome · Windows', or 未知设备."""
    names = [_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)]
    return " · ".join(name for name in names if name) or UNKNOWN


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for sign, name in table if sign in user_agent), "")
