"""What a call needs from others: ears, a voice, somebody to answer. Each has a stand-in in the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from banking_core.voiceprints import SpokenPassword, VoiceSample
from bot.channels.phone.loop import (
    Announced,
    Ask,
    Expect,
    Final,
    OwnerChanged,
    Partial,
    Prompted,
    Replied,
    StageBroke,
    VoiceStarted,
    VoiceStopped,
    WrittenAnswer,
)


class VoiceDetector(Protocol):
    """Tells voice from silence, for one call."""

    def feed(self, frame: bytes) -> VoiceStarted | VoiceStopped | None:
        """What 20 ms of sound changed."""
        ...


News = Announced | OwnerChanged | Prompted | Replied | WrittenAnswer
Heard = Partial | Final | StageBroke


class Recogniser(Protocol):
    """Understands one call. Nothing here waits: what was heard comes through the callback it was made with."""

    def expect(self, expect: Expect, phrases: tuple[str, ...]) -> None:
        """What is likely to be said next, from the next sentence on: its kind, and words that may come in it (the
        choices offered, this caller's payees). Called often, mostly with what it was before.
        """
        ...

    def feed(self, frame: bytes) -> None:
        """20 ms of sound; partial results follow as they come."""
        ...

    def take_final(self) -> None:
        """The sentence is over: one `Final` follows, with "" when there was none."""
        ...

    def drop(self) -> None:
        """The sentence under way is forgotten; no `Final` follows."""
        ...

    def close(self) -> None:
        """The call is over."""
        ...


RecogniserMaker = Callable[[Callable[[Heard], None]], Recogniser]


class Hearing(Protocol):
    """The ears of all calls of a process: models are loaded once."""

    def detector(self) -> VoiceDetector:
        """For one call."""
        ...

    def recogniser(self, tell: Callable[[Heard], None]) -> Recogniser:
        """For one call; a `RecogniserMaker`. Raises HearingFailed when there is no model to hear with."""
        ...

    async def close(self) -> None:
        """After the last call."""
        ...


class Speaker(Protocol):
    """A voice."""

    def speak(self, text: str, rate: float) -> AsyncIterator[bytes]:
        """PCM as in `audio`, in pieces as they are ready. Raises SpeakingFailed."""
        ...


class VoiceExaminer(Protocol):
    """Makes of digits said aloud what the bank compares."""

    async def examine(self, pcm: bytes, password: SpokenPassword) -> VoiceSample:
        """PCM as in `audio`, of one sentence. Raises nothing the caller caused: that is a fault of the sample."""
        ...


class Assistant(Protocol):
    """The conversation behind one call."""

    async def ask(self, ask: Ask) -> Replied:
        """Takes what the caller said and answers it, with the turn of the question."""
        ...

    async def rate(self, score: int) -> None:
        """What the caller thought of the agent's service, 1 to 5."""
        ...

    def news(self) -> AsyncIterator[News]:
        """What happens unasked, for as long as the call lasts."""
        ...
