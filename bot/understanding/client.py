"""Asks the NLU service (Rasa, its own process, loopback) what a sentence means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.dialogue.errors import UnderstandingUnavailable
from bot.dialogue.understanding import Entity, Understanding

TIMEOUT_S = 3.0
ENTITY_KINDS = frozenset({"payee", "bank", "place"})


class NluClient:
    """One HTTP session, kept open. `token` is the shared secret of app and service."""

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def understand(self, text: str) -> Understanding:
        """Intent, ranking and entities of `text`. Raises UnderstandingUnavailable."""
        try:
            async with self._http().post(f"{self.url}/model/parse", json={"text": text}) as response:
                if response.status != 200:
                    raise UnderstandingUnavailable(f"status {response.status}")
                return understanding_of(await response.json())
        except (TimeoutError, aiohttp.ClientError, ValueError, KeyError, TypeError) as error:
            raise UnderstandingUnavailable(type(error).__name__) from error

    async def ready(self) -> bool:
        """True when the service has its model loaded."""
        try:
            async with self._http().get(f"{self.url}/health") as response:
                return response.status == 200 and bool((await response.json()).get("ready"))
        except (TimeoutError, aiohttp.ClientError, ValueError):
            return False

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self._session

    async def close(self) -> None:
        """Closes the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def understanding_of(data: Mapping[str, Any]) -> Understanding:
    """Rasa's parse result as the engine's value. Raises KeyError or TypeError on anything else."""
    intent = data["intent"]
    return Understanding(
        text=data["text"],
        intent=intent["name"] or "",
        confidence=float(intent["confidence"]),
        ranking=tuple((item["name"], float(item["confidence"])) for item in data.get("intent_ranking", ())),
        entities=tuple(
            Entity(item["entity"], str(item["value"]), int(item["start"]), int(item["end"]))
            for item in data.get("entities", ())
            if item["entity"] in ENTITY_KINDS
        ),
    )
