"""A process of the app with agents and customers busy in it, to be killed: `python -m ... FOLDER URL SEED`.

Its paper is `paper.txt` in the folder: `ask KEY CONVERSATION WHO` before something is said, `done KEY SEQ` or `refused
KEY` after the answer; each line is one write, so a killed worker leaves whole lines. The next worker first says again
whatever has no answer, with the very same keys, as pages do.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from banking_core.clock import SystemClock
from bot.assembly import Product, build_product
from bot.conversation.errors import ConversationError
from bot.conversation.views import Inbound
from bot.evaluation.demo_bank import settings_for
from desk.errors import DeskError
from tests.bot.conversation.talking import Hears

AGENTS = [(f"agent-{n}", f"坐席{n}") for n in range(3)]
PAPER = "paper.txt"


@dataclass
class Paper:
    """What all workers of a folder wrote: (conversation, who) by key, the seq of what was taken, what was refused."""

    asked: dict[str, tuple[str, str]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @property
    def open(self) -> list[str]:
        """Keys without an answer."""
        return [key for key in self.asked if key not in self.done and key not in self.refused]


def read_paper(folder: Path) -> Paper:
    """Reads it."""
    paper, path = Paper(), folder / PAPER
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        what, key, *rest = line.split()
        if what == "ask":
            paper.asked[key] = (rest[0], rest[1])
        elif what == "done":
            paper.done[key] = int(rest[0])
        else:
            paper.refused.add(key)
    return paper


class Worker:
    """Everybody in one process."""

    def __init__(self, product: Product, folder: Path, conversations: list[str], seed: int) -> None:
        self.product, self.conversations = product, conversations
        self.chance = random.Random(seed)
        self.handle = os.open(folder / PAPER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, line: str) -> None:
        """One whole line at once."""
        os.write(self.handle, f"{line}\n".encode())

    async def say(self, key: str, conversation: str, who: str) -> None:
        """Says it and writes down what came of it."""
        try:
            if who == "customer":
                text = self.chance.choice(("你好", "转人工", "在吗"))
                seq = (await self.product.hub.receive(Inbound(conversation, key, text))).seq
            else:
                seq = (await self.product.handoff.agent_say(conversation, who, f"我是{who}", key))["seq"]
        except (ConversationError, DeskError):
            self.write(f"refused {key}")
        else:
            self.write(f"done {key} {seq}")

    async def speaks_for_ever(self, who: str) -> None:
        """New words, one after the other."""
        while True:
            mine = await self.product.handoff.mine(who) if who != "customer" else []
            conversation = self.chance.choice(mine or self.conversations)
            key = uuid.uuid4().hex
            self.write(f"ask {key} {conversation} {who}")
            await self.say(key, conversation, who)

    async def is_there(self) -> None:
        """Open pages, each a sign of life."""
        while True:
            async with self.product.database.transaction() as session:
                for agent_id, _name in AGENTS:
                    await self.product.desk.heartbeat(session, agent_id)
            await asyncio.sleep(2)

    async def moves_for_ever(self, agent: tuple[str, str]) -> None:
        """Takes customers and passes them on, hands them back, closes."""
        handoff = self.product.handoff
        while True:
            conversation = self.chance.choice(self.conversations)
            heir = self.chance.choice([other for other in AGENTS if other != agent])
            moves: list[Awaitable[object]] = [
                handoff.claim(conversation, *agent),
                handoff.pass_on(conversation, agent[0], heir, "说明"),
                handoff.take_over(conversation, *agent),
                handoff.hand_back(conversation, agent[0], "", "小结"),
                handoff.close(conversation, agent[0], "done"),
            ]
            chosen = self.chance.randrange(len(moves))
            for at, move in enumerate(moves):
                if at != chosen:
                    move.close()  # type: ignore[attr-defined]
            try:
                await moves[chosen]
            except (ConversationError, DeskError):
                continue


async def main(folder: Path, url: str, seed: int) -> None:
    """Works until it is killed; with seed 0 only says again what has no answer."""
    settings = settings_for(folder, **({"database_url": url} if url else {}))
    product = build_product(settings, clock=SystemClock(), understander=Hears())
    await product.start()
    conversations = (folder / "conversations.txt").read_text(encoding="utf-8").split()
    worker, paper = Worker(product, folder, conversations, seed), read_paper(folder)
    await asyncio.gather(*(worker.say(key, *paper.asked[key]) for key in paper.open))
    print("ready", flush=True)
    if not seed:
        await product.close()
        return
    await asyncio.gather(
        worker.is_there(),
        *(worker.speaks_for_ever(who) for who in ("customer", "customer", *(agent[0] for agent in AGENTS))),
        *(worker.moves_for_ever(agent) for agent in AGENTS),
    )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
