"""One app process alone: the NLU service runs elsewhere."""

from __future__ import annotations

import asyncio
import signal

from bot.assembly import build_product
from bot.running.server import serving
from bot.settings import Settings


async def serve_forever(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM. Raises PortBusy."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(build_product(settings)):
        await stopped.wait()
