"""What the call loop wants done, in order."""

from __future__ import annotations

from dataclasses import dataclass

from bot.dialogue.by_ear import ByEar


@dataclass(frozen=True, slots=True)
class Say:
    """Speak these pieces; they are numbers `first`, `first` + 1, ... of the utterance. `rate` 1.0 is normal."""

    utterance: int
    first: int
    pieces: tuple[str, ...]
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class StopSound:
    """Silence now. Pieces that were not heard to their end are never reported as played."""


@dataclass(frozen=True, slots=True)
class TakeFinal:
    """The sentence is over: the recogniser shall say what it was."""


@dataclass(frozen=True, slots=True)
class DropHeard:
    """Forget the sentence under way."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A message of the caller for the assistant. `secret` digits must not be logged.

    With `aloud` it is the sound of the sentence that matters: whoever carries out the action adds it as `pcm`.
    `by_ear` is how it was heard, where it was heard and is no secret.
    """

    turn: int
    text: str
    secret: bool = False
    aloud: bool = False
    pcm: bytes = b""
    by_ear: ByEar | None = None

    def __repr__(self) -> str:
        """Shows the words only when they are no secret."""
        return f"Ask(turn={self.turn}, text={'·' if self.secret else self.text!r}, secret={self.secret})"


@dataclass(frozen=True, slots=True)
class Rate:
    """What the caller thought of the agent's service, 1 to 5, the most is best."""

    score: int


@dataclass(frozen=True, slots=True)
class Bridge:
    """Connect the caller's sound with the agent's, or take it back."""

    on: bool


@dataclass(frozen=True, slots=True)
class BusyTone:
    """Nothing can be said any more: the tone that everybody understands, then hang up."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


@dataclass(frozen=True, slots=True)
class HoldTone:
    """A short quiet tone, for a caller who waits: the line is not dead."""


Action = Say | StopSound | TakeFinal | DropHeard | Ask | Rate | Bridge | BusyTone | HangUp | HoldTone
