"""What the web channel is built from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from banking_core.clock import Clock
from banking_core.core import Core
from banking_core.storage import Database
from bot.channels.web.limits import WebLimits
from bot.channels.web.ports import CallsPort, HubPort, SmsSeen
from bot.surfaces.origin import Trust

SmsRecent = Callable[[int], Awaitable[Sequence[SmsSeen]]]


@dataclass(frozen=True)
class WebDependencies:
    """Everything `build_web_app` needs.

    `signed_paths` are those whose POSTs come from no page and prove
    themselves by a signature of their own. `calls` takes calls from the page, where there are any.
    """

    hub: HubPort
    db: Database
    bank: Core
    clock: Clock
    session_ttl_h: float = 12.0
    trust: Trust = field(default_factory=Trust)
    developer_pages: bool = False
    sms_recent: SmsRecent | None = None
    signed_paths: frozenset[str] = frozenset()
    calls: CallsPort | None = None
    limits: WebLimits = field(default_factory=WebLimits)
