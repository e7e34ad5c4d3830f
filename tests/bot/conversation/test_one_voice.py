"""Many customers, agents and processes at once: exactly one voice at a time, nothing lost, nothing doubled.

Two products work on one database, as two processes would: each has its own locks and its own events.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import select

from banking_core.clock import ManualClock
from bot.assembly import Product, build_product
from bot.conversation.errors import ConversationError
from bot.conversation.handoff import Handoff
from bot.conversation.models import Message
from bot.conversation.views import Inbound
from bot.evaluation.converse import MOMENT
from bot.settings import Settings
from desk.errors import DeskError
from tests.bot.conversation.banks import filled, postgres_cluster, put_on_duty, settings
from tests.bot.conversation.talking import Hears
from tests.bot.conversation.voices import problems

__all__ = ["filled", "postgres_cluster", "settings"]

AGENTS = [(f"agent-{n}", f"坐席{n}") for n in range(5)]
TEAM = "信贷组"
ROUNDS, ROUNDS_MAX = 30, 400
ACTS_MAX = 5000
KINDS = 5  # of acts that are to have happened, saying something among them
ACTS = (
    *("claim", "say") * 4,
    *("propose", "pass_on", "pass_to_team", "hand_back", "close", "take_over", "requeue", "note"),
)
WORDS = ("你好", "转人工", "取消排队", "给李四转账", "采用", "五百", "在吗")


@pytest.fixture
async def pair(settings: Settings) -> AsyncIterator[tuple[Product, Product]]:
    """Two products on one bank."""
    clock = ManualClock(MOMENT)
    products = [build_product(settings, clock=clock, understander=Hears()) for _ in range(2)]
    for product in products:
        await product.start()
    await put_on_duty(products[0], AGENTS[:3])
    await put_on_duty(products[0], AGENTS[3:], TEAM)
    yield products[0], products[1]
    for product in products:
        await product.close()


async def allowed(work: Awaitable[object]) -> bool:
    """Whether it was let happen; anything but a refusal of the hub's or the desk's is a fault."""
    try:
        await work
    except (ConversationError, DeskError):
        return False
    return True


class Floor:
    """Everybody at once on a few conversations; remembers what the hub said yes to."""

    def __init__(self, pair: tuple[Product, Product], conversations: list[str], seed: int) -> None:
        self.pair, self.conversations, self.chance = pair, conversations, random.Random(seed)
        self.said: list[tuple[str, str]] = []  # (conversation, key) of what was taken
        self.refused: list[str] = []
        self.acts: dict[str, int] = {}
        self.customers_gone = False

    @property
    def varied(self) -> bool:
        """Whether enough of what an agent can do was done."""
        return bool(self.acts.get("say")) and sum(map(bool, self.acts.values())) >= KINDS

    def any_product(self) -> Product:
        return self.chance.choice(self.pair)

    async def agent(self, agent_id: str, name: str) -> None:
        """One agent who does everything an agent can do, to their own customers and to those of others."""
        for number in range(ACTS_MAX):
            if self.customers_gone:
                return
            handoff = self.any_product().handoff
            mine = await handoff.mine(agent_id) if number % 3 else []
            conversation = self.chance.choice(mine or self.conversations)
            client_id = f"{agent_id}-{number}"
            act = self.chance.choice(ACTS)
            work = self._work(act, handoff, conversation, (agent_id, name), client_id)
            done = await allowed(work)
            self.acts[act] = self.acts.get(act, 0) + done
            if act == "say":
                key = f"agent:{agent_id}:{client_id}"
                self.said.append((conversation, key)) if done else self.refused.append(key)

    def _work(
        self, act: str, handoff: Handoff, conversation: str, agent: tuple[str, str], client_id: str
    ) -> Awaitable[object]:
        heir = self.chance.choice([other for other in AGENTS if other != agent])
        works: dict[str, Callable[[], Awaitable[object]]] = {
            "claim": lambda: handoff.claim(conversation, *agent),
            "say": lambda: handoff.agent_say(conversation, agent[0], client_id, client_id),
            "propose": lambda: handoff.propose(conversation, agent[0], "amount", "500", client_id),
            "pass_on": lambda: handoff.pass_on(conversation, agent[0], heir, "说明"),
            "pass_to_team": lambda: handoff.pass_to_team(conversation, agent[0], TEAM, "说明"),
            "hand_back": lambda: handoff.hand_back(conversation, agent[0], "留言", "小结"),
            "close": lambda: handoff.close(conversation, agent[0], "done"),
            "take_over": lambda: handoff.take_over(conversation, *agent),
            "requeue": lambda: handoff.requeue(conversation, agent[0], "agent_absent"),
            "note": lambda: handoff.add_note(conversation, agent[0], "备注"),
        }
        return works[act]()

    async def customer(self, number: int, conversation: str) -> None:
        """A page that sends everything twice, through two processes, as after a lost answer.

        On a busy machine agents come to little in the least number of rounds: then it goes on.
        """
        for at in range(ROUNDS_MAX):
            if at >= ROUNDS and self.varied:
                return
            key = f"customer-{number}-{at}"
            inbound = Inbound(conversation, key, self.chance.choice(WORDS))
            first, second = await asyncio.gather(*(product.hub.receive(inbound) for product in self.pair))
            assert first.seq == second.seq, "the same message has one place"
            self.said.append((conversation, key))

    async def reader(self, conversation: str, over: asyncio.Event) -> list[int]:
        """A page that reconnects all the time and asks for what it missed."""
        seen: list[int] = []
        while True:
            last = over.is_set()
            new = await self.any_product().hub.history(conversation, seen[-1] if seen else 0, 200)
            seen += [message["seq"] for message in new]
            if last and not new:
                return seen
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_everybody_does_at_once_only_the_owner_is_heard(
    pair: tuple[Product, Product], seed: int
) -> None:
    product = pair[0]
    conversations = [await product.hub.open("web") for _ in range(3)]
    floor, over = Floor(pair, conversations, seed), asyncio.Event()
    readers = [asyncio.create_task(floor.reader(conversation, over)) for conversation in conversations]
    agents = [asyncio.create_task(floor.agent(*agent)) for agent in AGENTS]
    await asyncio.gather(*(floor.customer(number, each) for number, each in enumerate(conversations)))
    floor.customers_gone = True
    await asyncio.gather(*agents)
    over.set()
    seen = await asyncio.gather(*readers)
    for conversation, seqs in zip(conversations, seen, strict=True):
        assert await problems(product, conversation) == []
        assert seqs == list(range(1, len(seqs) + 1)), (
            "a page that reconnects misses nothing and sees no double"
        )
    async with product.database.snapshot() as session:
        rows = await session.execute(select(Message.conversation_id, Message.channel_message_id))
        logged = [(conversation, key) for conversation, key in rows.all() if key]
    assert set(floor.said) <= set(logged), "what was taken is in the log"
    assert not set(floor.refused) & {key for _, key in logged}, "what was refused is not"
    assert len(logged) == len(set(logged))
    assert floor.varied, floor.acts


@pytest.mark.parametrize("seed", range(3))
async def test_one_moment_in_which_everything_happens(pair: tuple[Product, Product], seed: int) -> None:
    """Claim, answer, transfer, close and the assistant's own reply in one instant, again and again."""
    product, other = pair
    chance = random.Random(seed)
    for number in range(8):
        conversation = await product.hub.open("web")
        await product.hub.receive(Inbound(conversation, "ask", "转人工"))
        winners = await asyncio.gather(
            *(allowed(chance.choice(pair).handoff.claim(conversation, *agent)) for agent in AGENTS)
        )
        assert sum(winners) == 1
        holder = AGENTS[winners.index(True)]
        heir = AGENTS[(winners.index(True) + 1) % len(AGENTS)]
        ends = [
            allowed(product.handoff.agent_say(conversation, holder[0], "您好", f"hello-{number}")),
            allowed(other.handoff.pass_on(conversation, holder[0], heir, "说明")),
            allowed(product.handoff.close(conversation, holder[0], "done")),
            allowed(other.handoff.hand_back(conversation, holder[0])),
            allowed(product.handoff.take_over(conversation, *AGENTS[-1])),
            allowed(other.hub.receive(Inbound(conversation, "again", "查一下"))),
            allowed(product.hub.receive(Inbound(conversation, "again", "查一下"))),
        ]
        chance.shuffle(ends)
        await asyncio.gather(*ends)
        assert await problems(product, conversation) == []
