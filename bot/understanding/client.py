"""Asks the NLU service (Rasa, its own process, loopback) what a sentence means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any

import aiohttp

from bot.dialogue.errors import UnderstandingUnavailable
from bot.dialogue.understanding import Entity, Understanding

TIMEOUT_S = 3.0
REST_S = 5.0  # for which a copy that did not answer is asked last
ENTITY_KINDS = frozenset({"payee", "bank", "place"})


class NluClient:
    """One HTTP session, kept open. `token` is the shared secret of app and service.

    `url` may name several copies of the service, with commas between: they are asked in turn, and when one cannot be
    reached the next one is asked at once. `timeout_s` is for all of them together.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self._copies = [copy.strip().rstrip("/") for copy in url.split(",") if copy.strip()]
        assert self._copies, "there is an address"
        self._rests_until_s = dict.fromkeys(self._copies, 0.0)
        self._turn = 0
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def understand(self, text: str) -> Understanding:
        """Intent, ranking and entities of `text`. Raises UnderstandingUnavailable.

        A sentence may be asked several times: the service keeps nothing.
        """
        why = UnderstandingUnavailable("no copy")
        for copy in self._order():
            try:
                async with asyncio.timeout(self._timeout_s / len(self._copies)):
                    return await self._parsed(copy, text)
            except (TimeoutError, UnderstandingUnavailable) as error:
                self._rests_until_s[copy] = monotonic() + REST_S
                why = UnderstandingUnavailable(str(error) or type(error).__name__)
                why.__cause__ = error
        raise why

    def _order(self) -> list[str]:
        """Every copy, each time another one first, those that did not answer just now last."""
        self._turn = (self._turn + 1) % len(self._copies)
        in_turn = self._copies[self._turn :] + self._copies[: self._turn]
        now_s = monotonic()
        return sorted(in_turn, key=lambda copy: self._rests_until_s[copy] > now_s)

    async def _parsed(self, copy: str, text: str) -> Understanding:
        try:
            async with self._http().post(f"{copy}/model/parse", json={"text": text}) as response:
                if response.status != 200:
                    raise UnderstandingUnavailable(f"status {response.status}")
                return understanding_of(await response.json())
        except (aiohttp.ClientError, ValueError, KeyError, TypeError) as error:
            raise UnderstandingUnavailable(type(error).__name__) from error

    async def ready(self) -> bool:
        """True when a copy of the service has its model loaded."""
        answers = await asyncio.gather(*(self._is_ready(copy) for copy in self._copies))
        return any(answers)

    async def _is_ready(self, copy: str) -> bool:
        try:
            async with asyncio.timeout(self._timeout_s), self._http().get(f"{copy}/health") as response:
                return response.status == 200 and bool((await response.json()).get("ready"))
        except (TimeoutError, aiohttp.ClientError, ValueError):
            return False

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers)
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
