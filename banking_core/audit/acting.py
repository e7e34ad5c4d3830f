"""Who is acting now. A channel, the desk, a job or the command line says so once; whatever is done inside is theirs.

with acting(Who("agent", agent_id, channel="desk", address=address)):
    ...
"""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Literal

from banking_core.checked import checked_function

ActorKind = Literal["customer", "agent", "system", "operator"]


@dataclass(frozen=True, slots=True)
class Who:
    """Empty fields are unknown. `address` is the IP address as it is to be kept: an agent's whole, a customer's masked.

    `correlation_id` ties together what belongs to one request; `acting` makes one when it is empty.
    """

    kind: ActorKind
    id: str
    channel: str = ""
    address: str = ""
    device: str = ""
    correlation_id: str = ""

    @property
    def is_bank(self) -> bool:
        """Nobody said who acts."""
        return (self.kind, self.id) == (BANK.kind, BANK.id)

    def __repr__(self) -> str:
        return f"Who({self.kind!r}, {self.id!r}, channel={self.channel!r})"


BANK = Who("system", "bank")  # whoever did not say so
_now: ContextVar[Who] = ContextVar("audit_who", default=BANK)


def current() -> Who:
    """Who is acting; the bank itself when nobody said so."""
    return _now.get()


@checked_function
@contextmanager
def acting(who: Who) -> Iterator[Who]:
    """Everything noted inside is done by `who`."""
    who = who if who.correlation_id else replace(who, correlation_id=new_correlation_id())
    token = _now.set(who)
    try:
        yield who
    finally:
        _now.reset(token)


def new_correlation_id() -> str:
    """Eight hexadecimal characters, short enough to be read out to a colleague."""
    return uuid.uuid4().hex[:8]


def operator() -> Who:
    """Whoever runs a command on this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Who("operator", name[:64], channel="cli")
