"""Pages of one process hear what another does, on PostgreSQL, also after the line between them was cut."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from banking_core.clock import ManualClock
from banking_core.storage import Database
from bot.assembly import Product, build_product
from bot.conversation.events import EventBus
from bot.conversation.fanout import ANSWER_S, APPLICATION, BEAT_S, PostgresFanout
from bot.conversation.views import Inbound
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import settings_for
from migrations import upgrade
from tests.bot.conversation.talking import Hears
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]
WAIT_S = 20


@pytest.fixture
async def two(postgres_url: str, tmp_path: Path) -> AsyncIterator[tuple[Product, Product]]:
    """Two app processes' worth of product on one database."""
    settings = settings_for(tmp_path, database_url=postgres_url)
    await upgrade(settings.database_url, vault=settings.open_vault())
    products = [build_product(settings, clock=ManualClock(MOMENT), understander=Hears()) for _ in range(2)]
    for product in products:
        await product.start()
        assert product.fanout is not None
        await asyncio.wait_for(product.fanout.listening.wait(), WAIT_S)
    yield products[0], products[1]
    for product in products:
        await product.close()


async def heard(events: asyncio.Queue[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The next event of a kind."""
    async with asyncio.timeout(WAIT_S):
        while (event := await events.get())["type"] != kind:
            pass
    return event


async def test_a_page_of_one_process_hears_what_is_said_in_another_once(two: tuple[Product, Product]) -> None:
    here, there = two
    conversation = await here.hub.open("web")
    async with there.hub.events.subscribe(conversation) as events:
        for number, words in enumerate(("你好", "在吗"), start=1):
            await here.hub.receive(Inbound(conversation, f"m{number}", words))
        log = await here.hub.history(conversation)
        seqs = [(await heard(events, "message"))["message"]["seq"] for _ in log]
        assert seqs == [message["seq"] for message in log]
        here.hub.typing(conversation, "agent")
        assert (await heard(events, "typing"))["who"] == "agent"
        rest = [events.get_nowait()["type"] for _ in range(events.qsize())]
        assert "message" not in rest, "each line once"


async def test_a_change_of_the_queue_reaches_every_desk(two: tuple[Product, Product]) -> None:
    here, there = two
    async with here.database.transaction() as session:
        agent = await here.desk.add_agent(session, "wang", "小王", "")
        await here.desk.set_presence(session, agent, "on_duty")
    conversation = await here.hub.open("web")
    async with there.hub.events.subscribe_all() as events:
        await here.hub.receive(Inbound(conversation, "m1", "转人工"))
        await heard(events, "queue")
        assert [line.conversation_id for line in await there.handoff.queue()] == [conversation]


async def test_after_the_line_was_cut_pages_look_again_and_hear_on(two: tuple[Product, Product]) -> None:
    here, there = two
    assert there.fanout is not None
    conversation = await here.hub.open("web")
    async with there.hub.events.subscribe(conversation) as events:
        async with here.database.engine.connect() as connection:
            await connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
                {"name": APPLICATION},
            )
        await heard(events, "again")
        for product in two:
            assert product.fanout is not None
            await asyncio.wait_for(product.fanout.listening.wait(), WAIT_S)
        await here.hub.receive(Inbound(conversation, "m1", "你好"))
        assert (await heard(events, "message"))["message"]["text"]


BACKENDS = text("SELECT pid FROM pg_stat_activity WHERE application_name = :name ORDER BY backend_start")


async def backends(database: Database) -> list[int]:
    """The server's processes that serve the connections for events, oldest first."""
    async with database.engine.connect() as connection:
        return list(await connection.scalars(BACKENDS, {"name": APPLICATION}))


async def cut(database: Database, backend: int) -> None:
    """Ends a connection at the server."""
    async with database.engine.connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})


@pytest.fixture
async def lines(
    request: pytest.FixtureRequest, postgres_url: str
) -> AsyncIterator[list[tuple[Database, EventBus, PostgresFanout]]]:
    """The two ends of a line between processes; its beat is too slow to cut a line that is only late."""
    beat_s, answer_s = getattr(request, "param", (BEAT_S, ANSWER_S))
    made: list[tuple[Database, EventBus, PostgresFanout]] = []
    for _ in range(2):
        database, bus = Database(postgres_url), EventBus()
        fanout = PostgresFanout(database, bus, beat_s=beat_s, answer_s=answer_s)
        fanout.start()
        await asyncio.wait_for(fanout.listening.wait(), WAIT_S)
        made.append((database, bus, fanout))
    yield made
    for database, _bus, fanout in made:
        await fanout.close()
        await database.close()


async def test_what_is_said_while_the_speakers_line_is_down_is_heard_when_it_is_up_again(
    lines: list[tuple[Database, EventBus, PostgresFanout]],
) -> None:
    (database, here, _), (_, there, _) = lines
    [speaks, _hears] = await backends(database)
    async with there.subscribe("c1") as events:
        await cut(database, speaks)
        here.publish("c1", {"type": "typing", "who": "agent"})
        assert (await heard(events, "typing"))["who"] == "agent"


async def test_a_page_whose_own_line_was_down_looks_again_after_what_was_said_meanwhile(
    lines: list[tuple[Database, EventBus, PostgresFanout]],
) -> None:
    (database, here, _), (_, there, _) = lines
    [_speaks, hears] = await backends(database)
    async with there.subscribe("c1") as events:
        await cut(database, hears)
        here.publish("c1", {"type": "typing", "who": "agent"})
        await heard(events, "again")
        here.publish("c1", {"type": "typing", "who": "customer"})
        while (await heard(events, "typing"))["who"] != "customer":
            pass


@pytest.mark.parametrize("lines", [(0.2, 2.0)], indirect=True)
async def test_a_line_that_only_seems_to_live_is_found_out(
    lines: list[tuple[Database, EventBus, PostgresFanout]],
) -> None:
    (database, here, _), (_, there, _) = lines
    [_, frozen] = await backends(database)
    async with there.subscribe("c1") as events:
        os.kill(frozen, signal.SIGSTOP)
        try:
            await heard(events, "again")
            here.publish("c1", {"type": "typing", "who": "agent"})
            assert (await heard(events, "typing"))["who"] == "agent"
        finally:
            os.kill(frozen, signal.SIGCONT)
