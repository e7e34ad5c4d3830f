"""A voice with another one behind it: a sentence that the first cannot say is said by the second."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Final

from bot.channels.phone.errors import StageFailed
from bot.channels.phone.ports import Speaker
from bot.channels.phone.speaking.cached import CachedSpeaker

log = logging.getLogger(__name__)

FAILED_MAX: Final = 3  # sentences one after another; then the second voice speaks for good


class FallbackSpeaker:
    """A `Speaker`. Only the first keeps its prompts, under its own name: nothing of the second gets among them."""

    def __init__(self, first: CachedSpeaker, second: Speaker) -> None:
        self._first, self._second = first, second
        self._failed = 0

    async def prepare(self) -> None:
        """Renders what is always said with the first voice. Raises SpeakingFailed."""
        await self._first.prepare()

    async def speak(self, text: str, rate: float) -> AsyncIterator[bytes]:
        """From the beginning by the second voice when the first breaks in the middle. Raises SpeakingFailed."""
        if self._failed < FAILED_MAX:
            try:
                async for pcm in self._first.speak(text, rate):
                    yield pcm
            except Exception as error:
                self._failed += 1
                code = error.code if isinstance(error, StageFailed) else type(error).__name__
                log.error("speaking failed code=%s voice=first failed=%d", code, self._failed)
            else:
                self._failed = 0
                return
        async for pcm in self._second.speak(text, rate):
            yield pcm
