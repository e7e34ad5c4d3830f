"""The sentence for a caller who is not let in for now: a line that is cut off without a word seems broken."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from bot.channels.phone.admission import Doorkeeper
from bot.channels.phone.call import Answer, Call, Played
from bot.channels.phone.errors import CallRefused, CallsTooFast, LineBusy, PhoneError
from bot.channels.phone.paced import PacedCall

log = logging.getLogger(__name__)

SpokenRefusal = Callable[[CallRefused], Awaitable[bytes]]
REFUSALS_SPOKEN_MAX: Final = 4  # at once on a line; further ones are only refused


class Refusals:
    """Of one line. `words` makes the sound; without it nothing is said."""

    def __init__(self, words: SpokenRefusal | None) -> None:
        self._words, self._going_on = words, 0

    @asynccontextmanager
    async def answer(self, why: CallRefused) -> AsyncIterator[Answer | None]:
        """Says the sentence on a call and hangs up; None when the call is to be refused without a word.

        Raises SpeakingFailed.
        """
        may_be_said = isinstance(why, LineBusy | CallsTooFast)
        if self._words is None or not may_be_said or self._going_on >= REFUSALS_SPOKEN_MAX:
            yield None
            return
        self._going_on += 1
        try:
            yield _saying(await self._words(why))
        finally:
            self._going_on -= 1


async def let_in(call: PacedCall, door: Doorkeeper, answer: Answer, refusals: Refusals) -> None:
    """Answers the call on a line where it has begun already; a caller for whom there is no room hears so."""
    line = call.info.line
    try:
        with door.admitted(call.info.caller, call.info.address):
            await call.serve(answer)
    except CallRefused as error:
        log.warning("call refused line=%s code=%s", line, error.code)
        try:
            async with refusals.answer(error) as sentence:
                if sentence is not None:
                    await call.serve(sentence)
        except PhoneError as failure:
            log.warning("refusal not spoken line=%s code=%s", line, failure.code)


def _saying(pcm: bytes) -> Answer:
    """Says one thing and hangs up."""

    async def answer(call: Call) -> None:
        call.say(pcm)
        call.mark("all")
        async for event in call.events():
            if isinstance(event, Played):
                return

    return answer
