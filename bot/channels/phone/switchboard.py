"""Answers calls, of whatever line: puts ears, voice, loop and conversation together, once per call."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.channels.phone.bridge import Bridge, Bridges
from bot.channels.phone.call import Call, CallInfo
from bot.channels.phone.conductor import Conductor, Onlooker
from bot.channels.phone.errors import HearingFailed
from bot.channels.phone.loop import CallLoop, Expect, Manner, StageBroke
from bot.channels.phone.metrics import CallMetrics, Stopwatch
from bot.channels.phone.ports import Assistant, Heard, Hearing, Recogniser, Speaker, VoiceDetector
from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)


class Conversing(Assistant, Protocol):
    """An assistant with a conversation behind it, that wants to know when the call has ended."""

    conversation_id: str

    async def hung_up(self) -> None:
        """The call is over."""
        ...


async def _nobody() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Everything calls share. `on_duty` says whether a human could take over."""

    hearing: Hearing
    speaker: Speaker
    timer: Timer
    assistant: Callable[[CallInfo], Conversing]
    on_duty: Callable[[], Awaitable[bool]] = _nobody
    manner: Manner = field(default_factory=Manner)
    bridges: Bridges = field(default_factory=Bridges)
    metrics: CallMetrics | None = None

    async def answer(self, call: Call, onlooker: Onlooker | None = None) -> None:
        """One call, to its end. An `Answer`. `onlooker` hears what a screen beside the call may show."""
        assistant = self.assistant(call.info)
        loop = CallLoop(self.manner, human_on_duty=await self._human_on_duty())
        bridge = Bridge(call, lambda: assistant.conversation_id)
        conductor = Conductor(
            call,
            loop,
            self.timer,
            detector=self.hearing.detector(),
            recogniser=self._ears,
            speaker=self.speaker,
            assistant=assistant,
            bridge=bridge,
            watch=Stopwatch(self.metrics) if self.metrics is not None else None,
            onlooker=onlooker,
        )
        log.info("call begins line=%s", call.info.line)
        if self.metrics is not None:
            self.metrics.calls.inc()
        try:
            with self.bridges.open(bridge):
                await conductor.run()
        finally:
            log.info("call ended line=%s said_ms=%d", call.info.line, call.said_ms)
            if self.metrics is not None:
                self.metrics.calls.dec()
            await self._hung_up(assistant)

    async def _human_on_duty(self) -> bool:
        try:
            return await self.on_duty()
        except Exception as error:  # the greeting does not depend on it
            log.error("asking who is on duty failed kind=%s", type(error).__name__)
            return False

    async def _hung_up(self, assistant: Conversing) -> None:
        try:
            await assistant.hung_up()
        except Exception as error:
            log.error("closing the conversation failed kind=%s", type(error).__name__)

    def _ears(self, tell: Callable[[Heard], None]) -> Recogniser:
        """A recogniser; where there is none the caller is told, and goes on by keys."""
        try:
            return self.hearing.recogniser(tell)
        except HearingFailed as error:
            log.error("hearing failed code=%s", error.code)
            tell(StageBroke("hearing"))
            return Deaf()


class Deaf:
    """Ears that hear nothing: a `Recogniser`."""

    def expect(self, expect: Expect, phrases: tuple[str, ...]) -> None:
        """Without effect."""

    def feed(self, frame: bytes) -> None:
        """Without effect."""

    def take_final(self) -> None:
        """Without effect: nothing was ever begun."""

    def drop(self) -> None:
        """Without effect."""

    def close(self) -> None:
        """Without effect."""


class _Silence:
    def feed(self, frame: bytes) -> None:
        """Never a voice."""


class NoHearing:
    """`Hearing` where it is switched off or could not be made ready: every call goes by keys."""

    def detector(self) -> VoiceDetector:
        """Hears no voice."""
        return _Silence()

    def recogniser(self, tell: Callable[[Heard], None]) -> Recogniser:
        """Raises HearingFailed."""
        raise HearingFailed

    async def close(self) -> None:
        """Nothing to close."""
