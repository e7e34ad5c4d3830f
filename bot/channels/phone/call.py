"""The port of the phone channel: one call, whatever line it came over.

A line (SIP, media web socket, AudioSocket, the browser) makes a `Call` and gives it to an `Answer`. Who answers
reads events until `Ended`, and says, marks and clears. Nothing here knows of codecs, packets or dialogue.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

KEYS: Final = frozenset("0123456789*#ABCD")
_NUMBER_CHARS_MAX = 20
_NUMBER = re.compile(r"\+?[0-9]{2,20}")


class EndReason(Enum):
    """Who ended the call, or what did."""

    CALLER = "caller"  # hung up, or cancelled before it was answered
    US = "us"
    LOST = "lost"  # the line went silent or broke; nobody said goodbye


@dataclass(frozen=True, slots=True)
class Sound:
    """20 ms of what the caller says: `audio.FRAME_BYTES` of PCM."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the telephone, once per press: one of `KEYS`."""

    digit: str

    def __repr__(self) -> str:
        """Never shows the digit: it may be part of a code or a password."""
        return "Key(·)"


@dataclass(frozen=True, slots=True)
class Played:
    """Everything that was said before this mark has been heard."""

    mark: str


@dataclass(frozen=True, slots=True)
class Held:
    """The other side has put us on hold, or taken us back: while held nobody hears us."""

    on: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. Always the last event, and there is always one."""

    why: EndReason


CallEvent = Sound | Key | Played | Held | Ended


@dataclass(frozen=True, slots=True)
class CallInfo:
    """Who calls whom. `caller` is what the line reports, "" when withheld: good for a greeting, never a proof."""

    line: str
    line_call_id: str
    caller: str = ""
    called: str = ""
    address: str = ""


class Call(Protocol):
    """One call from its answer to its end."""

    @property
    def info(self) -> CallInfo:
        """Who calls."""
        ...

    @property
    def said_ms(self) -> int:
        """Sound of ours that has left for the caller since the call began."""
        ...

    @property
    def waiting_ms(self) -> int:
        """Sound that waits to be heard."""
        ...

    def events(self) -> AsyncIterator[CallEvent]:
        """Everything that happens, in order, ending with `Ended`. To be read by one reader."""
        ...

    def say(self, pcm: bytes) -> None:
        """Puts sound behind what is still to be played. Without effect once the call has ended."""
        ...

    def mark(self, name: str) -> None:
        """`Played(name)` comes when all that was said before has been heard; never after a `clear`."""
        ...

    def clear(self) -> None:
        """Silence now: what is queued here and, where the line allows, what it holds itself is dropped."""
        ...

    async def hang_up(self) -> None:
        """Ends the call; harmless when it has ended."""
        ...


Answer = Callable[[Call], Awaitable[None]]


def clean_number(reported: str) -> str:
    """A telephone number as a line reports it (sip:+86138...@host, 138-0000-0004), or "" when it is none."""
    user = reported.strip().removeprefix("<").removeprefix("sips:").removeprefix("sip:").removeprefix("tel:")
    user = re.split(r"[@;>?]", user, maxsplit=1)[0]
    bare = re.sub(r"[\s().-]", "", user)
    return bare if len(bare) <= _NUMBER_CHARS_MAX and _NUMBER.fullmatch(bare) else ""
