"""A call whose other side says itself when it has played a mark: a carrier's media socket, a browser."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import ClassVar, Final

from bot.channels.phone.call import CallInfo
from bot.channels.phone.paced import PacedCall
from bot.channels.phone.timing import Timer

MARK_WAIT_S: Final = 2.0  # a mark is sent when the sound before it should have been heard


class MarkedCall(PacedCall):
    """A `PacedCall` that passes marks and clears on, and waits for the echo of each mark, though not for ever."""

    lead_frames: ClassVar[int] = (
        5  # the other side drops what it holds on a clear, so a little more may be there
    )

    def __init__(self, info: CallInfo, timer: Timer) -> None:
        super().__init__(info, timer)
        self._marks: set[str] = set()
        self._waiting: set[asyncio.Task[None]] = set()

    def echoed(self, name: str) -> None:
        """The other side has played this mark; one that a clear dropped was never heard."""
        if name in self._marks:
            self._marks.discard(name)
            self.marked(name)

    def clear(self) -> None:
        """Silence now, on the other side too; marks on their way are forgotten."""
        self._marks.clear()
        super().clear()

    async def _send_mark(self, name: str) -> None:
        self._marks.add(name)
        await self._pass_mark(name)
        waiting = asyncio.create_task(self._give_up_on(name))
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)

    @abstractmethod
    async def _pass_mark(self, name: str) -> None:
        """Sends the mark behind the sound. Raises OSError when the line is broken."""

    async def _give_up_on(self, name: str) -> None:
        """Who does not echo marks must not make the call wait for ever: by now this one has been played."""
        await self._timer.wait_until(self._timer.now_s() + MARK_WAIT_S)
        self.echoed(name)

    async def _close(self) -> None:
        for waiting in self._waiting:
            waiting.cancel()
