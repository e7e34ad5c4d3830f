"""The understanding service for a command: the one that is running, or one started for the moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.running.nlu_service import nlu_service, train_if_needed
from bot.running.premises import free_port
from bot.settings import Settings
from bot.understanding.client import NluClient


@asynccontextmanager
async def understanding_service(settings: Settings, say: Callable[[str], None]) -> AsyncIterator[NluClient]:
    """A ready client; what was started is stopped at the end. Raises StartError."""
    assert settings.nlu_token is not None
    token = settings.nlu_token.get_secret_value()
    running = NluClient(settings.nlu_url, token)
    if await running.ready():
        try:
            yield running
        finally:
            await running.close()
        return
    await running.close()
    model = await asyncio.to_thread(train_if_needed, settings.nlu_model_dir, say)
    port = free_port()
    async with nlu_service(model, port, token, settings.data_dir / "nlu.log"):
        client = NluClient(f"http://127.0.0.1:{port}", token)
        try:
            yield client
        finally:
            await client.close()
