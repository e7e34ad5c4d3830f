"""Time of the line, injected: seconds that only go forward, and waiting for one of them."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Timer(Protocol):
    """A steady clock in seconds with an arbitrary beginning, and the only way in this channel to wait."""

    def now_s(self) -> float:
        """Seconds; never goes back, knows nothing of dates."""
        ...

    async def wait_until(self, at_s: float) -> None:
        """Returns when `now_s()` has reached `at_s`; at once when it has already."""
        ...


class LoopTimer:
    """The running event loop's clock."""

    def now_s(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    async def wait_until(self, at_s: float) -> None:
        """Sleeps until then."""
        await asyncio.sleep(max(0.0, at_s - self.now_s()))
