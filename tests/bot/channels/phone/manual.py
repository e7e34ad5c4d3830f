"""Time that a test moves, and calls that remember what was said on them."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from bot.channels.phone.audio import FRAME_BYTES
from bot.channels.phone.call import CallInfo
from bot.channels.phone.paced import PacedCall

TURNS = 25  # of the event loop: more than any chain of tasks here needs to come to rest


class ManualTimer:
    """A `Timer` that stands still until it is moved."""

    def __init__(self) -> None:
        self._now_s = 100.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def now_s(self) -> float:
        return self._now_s

    async def wait_until(self, at_s: float) -> None:
        if at_s <= self._now_s:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (at_s, next(self._count), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Moves on, stopping at every instant somebody waits for."""
        end_s = self._now_s + seconds
        await settle()
        while self._waiting and self._waiting[0][0] <= end_s + 1e-9:
            at_s, _, future = heapq.heappop(self._waiting)
            self._now_s = max(self._now_s, at_s)
            if not future.done():
                future.set_result(None)
            await settle()
        self._now_s = max(self._now_s, end_s)
        await settle()


async def settle() -> None:
    """Lets everything run that can run without time passing."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


def tone(frames: int, value: int = 1) -> bytes:
    """Sound that can be told apart: `frames` of one constant sample value."""
    return value.to_bytes(2, "little", signed=True) * (FRAME_BYTES // 2 * frames)


class TapeCall(PacedCall):
    """A call whose line is a list: ("frame", first sample) | ("mark", name) | ("clear", None) with its time."""

    def __init__(
        self,
        timer: ManualTimer,
        *,
        continuous: bool = False,
        lead_frames: int = 0,
        caller: str = "13800000004",
    ) -> None:
        self.continuous, self.lead_frames = continuous, lead_frames  # type: ignore[misc]
        super().__init__(CallInfo("tape", "1", caller), timer)
        self.tape: list[tuple[float, str, object]] = []
        self.closed = 0
        self.broken = False

    async def _send_frame(self, pcm: bytes) -> None:
        if self.broken:
            raise ConnectionResetError
        self.tape.append((self._timer.now_s(), "frame", int.from_bytes(pcm[:2], "little", signed=True)))

    async def _send_mark(self, name: str) -> None:
        self.tape.append((self._timer.now_s(), "mark", name))
        await super()._send_mark(name)

    async def _send_clear(self) -> None:
        self.tape.append((self._timer.now_s(), "clear", None))

    async def _close(self) -> None:
        self.closed += 1
