"""Who may call, how many at once and how fast. Every line asks here before it answers."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from banking_core.clock import Clock
from bot.channels.phone.errors import CallsTooFast, LineBusy, StrangerRefused
from bot.surfaces.rates import Rate, TokenBuckets

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: Final[tuple[Network, ...]] = (
    ipaddress.IPv4Network("127.0.0.0/8"),
    ipaddress.IPv6Network("::1/128"),
)


@dataclass(frozen=True)
class LineLimits:
    """The limits of all lines together. `allowed` are the networks of the exchanges and carriers that may call."""

    allowed: tuple[Network, ...] = LOOPBACK
    calls_max: int = 32
    calls_caller_max: int = 2
    starts: Rate = Rate(20, 5.0)
    starts_caller: Rate = Rate(5, 1 / 20)

    @property
    def calls_withheld_max(self) -> int:
        """Of one address, without a number: some lines stay free for those who say who they are."""
        return max(1, self.calls_max * 3 // 4)


class Doorkeeper:
    """Counts the calls that go on and those that began lately."""

    def __init__(self, clock: Clock, limits: LineLimits) -> None:
        self._limits = limits
        self._starts = TokenBuckets(clock, limits.starts)
        self._starts_caller = TokenBuckets(clock, limits.starts_caller)
        self._going_on: Counter[str] = Counter()

    @property
    def calls(self) -> int:
        """How many calls go on."""
        return self._going_on.total()

    def known(self, address: str) -> None:
        """Raises StrangerRefused unless calls may come from this address."""
        try:
            where = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            raise StrangerRefused from None
        mapped = getattr(where, "ipv4_mapped", None) or where
        if not any(
            mapped in network for network in self._limits.allowed if network.version == mapped.version
        ):
            raise StrangerRefused

    def room_for(self, caller: str, address: str = "") -> None:
        """Raises LineBusy or CallsTooFast unless a call would be let in now.

        `caller` is the caller's number. Those who withhold it ("") are counted together by the `address` they come
        from, so that they cannot take every line.
        """
        limits = self._limits
        calls_max = limits.calls_caller_max if caller else limits.calls_withheld_max
        if self.calls >= limits.calls_max or self._going_on[_who(caller, address)] >= calls_max:
            raise LineBusy
        if self._starts.wait_s("") > 0 or (caller and self._starts_caller.wait_s(caller) > 0):
            raise CallsTooFast

    @contextmanager
    def admitted(self, caller: str, address: str = "") -> Iterator[None]:
        """One call, for as long as the context is open; raises as `room_for`."""
        self.room_for(caller, address)
        who = _who(caller, address)
        self._starts.take("")
        if caller:
            self._starts_caller.take(caller)
        self._going_on[who] += 1
        try:
            yield
        finally:
            self._going_on[who] -= 1
            if self._going_on[who] <= 0:
                del self._going_on[who]


def _who(caller: str, address: str) -> str:
    return caller or f"@{address}"
