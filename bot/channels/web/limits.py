"""How much one session and one address may send."""

from __future__ import annotations

from dataclasses import dataclass

from banking_core.clock import Clock
from bot.surfaces.rates import Rate, TokenBuckets


@dataclass(frozen=True)
class WebLimits:
    """The limits of the web channel. An address is allowed more than one session: households share one."""

    messages_session: Rate = Rate(12, 1.0)
    messages_address: Rate = Rate(60, 6.0)
    pings_session: Rate = Rate(20, 1.0)
    pings_address: Rate = Rate(200, 20.0)
    logins_session: Rate = Rate(8, 1 / 15)
    logins_address: Rate = Rate(30, 1 / 4)
    sockets_session: Rate = Rate(15, 0.5)
    sockets_address: Rate = Rate(80, 4.0)
    sessions_address: Rate = Rate(60, 1.0)
    scans_session: Rate = Rate(5, 1 / 5)
    scans_address: Rate = Rate(20, 1.0)
    calls_session: Rate = Rate(5, 1 / 20)
    calls_address: Rate = Rate(30, 1 / 2)
    open_calls_session_max: int = 1
    open_calls_address_max: int = 20
    open_sockets_session_max: int = 8
    open_sockets_address_max: int = 200
    text_chars_max: int = 500


class Gate:
    """A limit per session and a limit per address; an attempt passes both or costs neither."""

    def __init__(self, clock: Clock, session: Rate | None, address: Rate) -> None:
        self._session = TokenBuckets(clock, session) if session else None
        self._address = TokenBuckets(clock, address)

    def attempt(self, session_id: str, address: str) -> float:
        """0 when let through, otherwise the seconds to wait."""
        wait_s = self._address.wait_s(address)
        if self._session:
            wait_s = max(wait_s, self._session.wait_s(session_id))
        if wait_s > 0:
            return wait_s
        self._address.take(address)
        if self._session:
            self._session.take(session_id)
        return 0.0


class Gates:
    """All gates of one running web channel."""

    def __init__(self, clock: Clock, limits: WebLimits) -> None:
        self.messages = Gate(clock, limits.messages_session, limits.messages_address)
        self.pings = Gate(clock, limits.pings_session, limits.pings_address)
        self.logins = Gate(clock, limits.logins_session, limits.logins_address)
        self.sockets = Gate(clock, limits.sockets_session, limits.sockets_address)
        self.scans = Gate(clock, limits.scans_session, limits.scans_address)
        self.calls = Gate(clock, limits.calls_session, limits.calls_address)
        self.sessions = Gate(clock, None, limits.sessions_address)
