"""Workers for the bank test: processes of their own that transfer at random, and write down what they were told.

A worker's paper is a file. It says `ask KEY SOURCE TARGET AMOUNT` before a request, and after the answer `booked KEY
TRANSACTION` or `refused KEY`: each line is one write, so a killed worker leaves whole lines. The worker that takes a
dead one's place asks again for what has no answer (even places) or never mentions it again (odd places).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import SystemClock
from banking_core.ledger import Batcher, BelowFloor, Ledger
from banking_core.storage import Database, DatabaseBusy
from tests.banking_core.ledger.books import lines

CLIENTS_OF_A_BATCHER = 4
AMOUNT_FEN_MAX = 400
PAUSE_S = 0.05
Post = Callable[["Ask"], Awaitable[int]]


@dataclass(frozen=True)
class Ask:
    """One transfer that was asked for."""

    key: str
    source: int
    target: int
    amount_fen: int


@dataclass(frozen=True)
class Place:
    """Where a worker works; `generation` counts those who had the place before."""

    url: str
    folder: Path
    number: int
    generation: int
    accounts: tuple[int, ...]

    @property
    def batched(self) -> bool:
        """Half of the workers book through a batcher, half one by one."""
        return self.number % 4 < 2

    @property
    def asks_again(self) -> bool:
        return self.number % 2 == 0


@dataclass
class Paper:
    """What all workers wrote."""

    asked: dict[str, Ask] = field(default_factory=dict)
    booked: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @property
    def open(self) -> list[Ask]:
        """Requests without an answer."""
        return [ask for key, ask in self.asked.items() if key not in self.booked and key not in self.refused]


def read_paper(folder: Path, pattern: str = "worker-*") -> Paper:
    """Reads the papers of all workers, or of one place."""
    paper = Paper()
    for path in sorted(folder.glob(pattern)):
        for line in path.read_text(encoding="ascii").splitlines():
            what, key, *rest = line.split()
            if what == "ask":
                paper.asked[key] = Ask(key, *map(int, rest))
            elif what == "booked":
                assert paper.booked.setdefault(key, int(rest[0])) == int(rest[0]), "two answers to one key"
            else:
                assert what == "refused", line
                paper.refused.add(key)
    return paper


def stop_file(folder: Path) -> Path:
    """Workers finish what they asked for and leave once it exists."""
    return folder / "stop"


def work(place: Place) -> None:
    """A worker process."""
    asyncio.run(_Worker(place).run())


class _Worker:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._database = Database(place.url, pool_size=2)
        self._ledger = Ledger(SystemClock())
        path = place.folder / f"worker-{place.number}"
        self._unanswered = read_paper(place.folder, path.name).open if place.asks_again else []
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def run(self) -> None:
        if not self._place.batched:
            await self._client(self._alone, 0)
        while not stop_file(self._place.folder).exists():
            try:
                async with Batcher(self._database, SystemClock()) as batcher:

                    async def together(ask: Ask) -> int:
                        entries = lines(ask.source, ask.target, ask.amount_fen)
                        posted = batcher.post(key=ask.key, kind="transfer", entries=entries, memo="")
                        return (await posted).transaction_id

                    await asyncio.gather(*(self._client(together, n) for n in range(CLIENTS_OF_A_BATCHER)))
            except DatabaseBusy:  # the server was down just when it began
                await asyncio.sleep(PAUSE_S)
        await self._database.close()

    async def _alone(self, ask: Ask) -> int:
        async def book(session: AsyncSession) -> int:
            entries = lines(ask.source, ask.target, ask.amount_fen)
            booked = await self._ledger.post(session, key=ask.key, kind="transfer", entries=entries, memo="")
            return booked.id

        return await self._database.run(book, idempotent=True)

    async def _client(self, post: Post, number: int) -> None:
        place = self._place
        name = f"{place.number}:{place.generation}:{number}"
        chance = random.Random(name)
        while self._unanswered:
            await self._settle(post, self._unanswered.pop())
        asked = 0
        while not stop_file(place.folder).exists():
            asked += 1
            source, target = chance.sample(place.accounts, 2)
            ask = Ask(f"fire:{name}:{asked}", source, target, chance.randint(1, AMOUNT_FEN_MAX))
            self._write(f"ask {ask.key} {ask.source} {ask.target} {ask.amount_fen}")
            await self._settle(post, ask)

    async def _settle(self, post: Post, ask: Ask) -> None:
        """Asks with the same key until there is an answer."""
        while True:
            try:
                transaction_id = await post(ask)
            except BelowFloor:
                self._write(f"refused {ask.key}")
                return
            except DatabaseBusy:
                await asyncio.sleep(PAUSE_S)
            else:
                self._write(f"booked {ask.key} {transaction_id}")
                return

    def _write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode("ascii"))
