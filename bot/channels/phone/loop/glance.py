"""What a screen beside the call may show of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Doing(Enum):
    """What the line does at this moment."""

    LISTENING = "listening"
    SPEAKING = "speaking"
    WORKING = "working"
    QUEUE = "queue"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Glance:
    """`heard` is what has been understood so far of the caller's sentence, never of a secret; `saying` the piece
    of ours that sounds.
    """

    doing: Doing
    heard: str = ""
    saying: str = ""

    def __repr__(self) -> str:
        """Shows no words."""
        return f"Glance({self.doing.value})"
