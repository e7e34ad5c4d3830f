"""What every line shares: events in order for who answers, sound at its pace towards the caller, one end.

An adapter subclasses `PacedCall` and says how to read, to send a frame, to pass a mark, to drop what the line
holds, and to close. It reports what it hears with `heard`, `keyed` and `ended`.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator
from traceback import extract_tb
from typing import ClassVar, Final

from bot.channels.phone.audio import FRAME_MS, FRAME_S, SILENCE, Framer
from bot.channels.phone.call import (
    KEYS,
    Answer,
    CallEvent,
    CallInfo,
    Ended,
    EndReason,
    Held,
    Key,
    Played,
    Sound,
)
from bot.channels.phone.outgoing import CATCH_UP_S, Outgoing
from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)

HEARD_FRAMES_MAX: Final = 250  # 5 s: who cannot keep up loses the oldest sound, never a key or the end
KEYS_WAITING_MAX: Final = 100


class PacedCall(ABC):
    """A `Call` for the reader, and the means of an adapter to fill it."""

    continuous: ClassVar[bool] = False  # silence is sent too: keeps NAT bindings and jitter buffers alive
    lead_frames: ClassVar[int] = 2

    def __init__(self, info: CallInfo, timer: Timer) -> None:
        self._info, self._timer = info, timer
        self._outgoing = Outgoing(lead_frames=self.lead_frames)
        self._framer = Framer()
        self._events: deque[CallEvent] = deque()
        self._frames_waiting = self._keys_waiting = 0
        self._arrived = asyncio.Event()
        self._to_say = asyncio.Event()
        self._clear_pending = False
        self._closed = False
        self.end_reason: EndReason | None = None
        self.frames_dropped = 0

    @property
    def info(self) -> CallInfo:
        """Who calls."""
        return self._info

    @property
    def said_ms(self) -> int:
        """Sound that has left for the caller."""
        return self._outgoing.said_ms

    @property
    def waiting_ms(self) -> int:
        """Sound that has not left yet."""
        return len(self._outgoing) * FRAME_MS

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.end_reason is not None

    async def events(self) -> AsyncIterator[CallEvent]:
        """Everything that happens, ending with `Ended`."""
        while True:
            while self._events:
                event = self._events.popleft()
                self._frames_waiting -= isinstance(event, Sound)
                self._keys_waiting -= isinstance(event, Key)
                yield event
                if isinstance(event, Ended):
                    return
            self._arrived.clear()
            await self._arrived.wait()

    def say(self, pcm: bytes) -> None:
        """Queues sound."""
        if not self.over:
            self._outgoing.put(pcm)
            self._to_say.set()

    def mark(self, name: str) -> None:
        """Queues a mark."""
        if not self.over:
            self._outgoing.mark(name)
            self._to_say.set()

    def clear(self) -> None:
        """Silence now."""
        self._outgoing.clear()
        self._clear_pending = True
        self._to_say.set()

    async def hang_up(self) -> None:
        """Ends the call from our side; lets go of the line, whoever ended it."""
        self.ended(EndReason.US)
        if not self._closed:
            self._closed = True
            await self._close()

    # For adapters.

    def heard(self, pcm: bytes) -> None:
        """Sound of the caller, of any length."""
        if self.over:
            return
        for frame in self._framer.feed(pcm):
            if self._frames_waiting >= HEARD_FRAMES_MAX:
                self._drop_oldest_sound()
            self._frames_waiting += 1
            self._put(Sound(frame))

    def keyed(self, digit: str) -> None:
        """A key was pressed; what is no key of a telephone is ignored."""
        if not self.over and digit in KEYS and self._keys_waiting < KEYS_WAITING_MAX:
            self._keys_waiting += 1
            self._put(Key(digit))

    def marked(self, name: str) -> None:
        """The caller has heard everything before this mark."""
        if not self.over:
            self._put(Played(name))

    def on_hold(self, on: bool) -> None:
        """The other side holds the call, or has taken it back."""
        if not self.over:
            self._put(Held(on))

    def ended(self, why: EndReason) -> None:
        """The call is over; only the first reason counts."""
        if not self.over:
            self.end_reason = why
            self._outgoing.clear()
            self._put(Ended(why))
            self._to_say.set()

    async def serve(self, answer: Answer) -> None:
        """Runs the call to its end. Whatever the answer does or raises, the line is closed afterwards.

        When the line's own task is cancelled, the caller is gone; what the answer has begun it finishes.
        """
        running = asyncio.create_task(self._run(answer))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            self.ended(EndReason.LOST)
            await running
            raise

    async def _run(self, answer: Answer) -> None:
        running = [asyncio.create_task(self._pace()), asyncio.create_task(self._listen())]
        try:
            await answer(self)
        except Exception as error:  # one broken call must not end the line for the others
            # Its words, and those of a traceback, may quote the caller: only the kind and the place are logged.
            where = extract_tb(error.__traceback__)[-1]
            log.error(
                "call failed line=%s kind=%s at=%s:%d",
                self._info.line,
                type(error).__name__,
                where.name,
                where.lineno or 0,
            )
        finally:
            await self.hang_up()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @abstractmethod
    async def _send_frame(self, pcm: bytes) -> None:
        """One frame towards the caller, now. Raises OSError when the line is broken."""

    async def _send_mark(self, name: str) -> None:
        """A mark has been reached here; a line that knows when its own side has played reports it later."""
        self.marked(name)

    async def _send_clear(self) -> None:
        """Tells the line to drop what it holds; a line that holds nothing has nothing to be told."""
        return

    async def _read(self) -> None:
        """Reads the line until it ends. A line that reports by itself has nothing to read."""
        await asyncio.get_running_loop().create_future()

    @abstractmethod
    async def _close(self) -> None:
        """Lets go of the line, once per call; says goodbye unless `end_reason` shows that the other side is gone."""

    def _put(self, event: CallEvent) -> None:
        self._events.append(event)
        self._arrived.set()

    def _drop_oldest_sound(self) -> None:
        oldest = next(index for index, event in enumerate(self._events) if isinstance(event, Sound))
        del self._events[oldest]
        self._frames_waiting -= 1
        self.frames_dropped += 1

    async def _listen(self) -> None:
        try:
            await self._read()
        except OSError as error:
            log.info("line broke line=%s kind=%s", self._info.line, type(error).__name__)
        finally:  # whatever else went wrong: who answers must not wait for ever
            self.ended(EndReason.LOST)

    async def _pace(self) -> None:
        """The only writer of the line."""
        try:
            next_s = self._timer.now_s()
            while not self.over:
                await self._send_due(self._timer.now_s())
                if self._outgoing or self.continuous:
                    next_s = max(next_s + FRAME_S, self._timer.now_s() - CATCH_UP_S)
                    await self._timer.wait_until(next_s)
                else:
                    self._to_say.clear()
                    await self._to_say.wait()
                    next_s = self._timer.now_s()
        except OSError:
            self.ended(EndReason.LOST)

    async def _send_due(self, now_s: float) -> None:
        if self._clear_pending:
            self._clear_pending = False
            await self._send_clear()
        items = self._outgoing.due(now_s)
        for item in items:
            if isinstance(item, bytes):
                await self._send_frame(item)
            else:
                await self._send_mark(item.name)
        if self.continuous and not items and not self._outgoing:
            await self._send_frame(SILENCE)
