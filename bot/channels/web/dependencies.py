"""What the web channel is built from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from banking_core.clock import Clock
from banking_core.core import Core
from banking_core.storage import Database
from bot.channels.web.limits import WebLimits
from bot.channels.web.ports import CallsPort, HubPort, SmsSeen

SmsRecent = Callable[[int], Awaitable[Sequence[SmsSeen]]]


@dataclass(frozen=True)
class WebDependencies:
    """Everything `build_web_app` needs.

    `allowed_origins` are further origins ("https://bank.example") that count as our own, `trusted_proxies`
    the addresses whose X-Forwarded-For is believed, `signed_paths` those whose POSTs come from no page and prove
    themselves by a signature of their own. `calls` takes calls from the page, where there are any.
    """

    hub: HubPort
    db: Database
    bank: Core
    clock: Clock
    session_ttl_h: float = 12.0
    secure_cookies: bool = False
    developer_pages: bool = False
    sms_recent: SmsRecent | None = None
    allowed_origins: frozenset[str] = frozenset()
    trusted_proxies: frozenset[str] = frozenset()
    signed_paths: frozenset[str] = frozenset()
    calls: CallsPort | None = None
    limits: WebLimits = field(default_factory=WebLimits)
