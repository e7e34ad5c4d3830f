"""The web chat: one page that looks and feels like WeChat, a web socket, and a REST log-in."""

from bot.channels.web.app import build_web_app
from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.limits import WebLimits
from bot.channels.web.ports import SmsSeen
from bot.channels.web.sessions import COOKIE_NAME, WebSession
from bot.surfaces.rates import Rate

__all__ = ["COOKIE_NAME", "Rate", "SmsSeen", "WebDependencies", "WebLimits", "WebSession", "build_web_app"]
