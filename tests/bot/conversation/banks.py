"""A filled demo bank on each engine, made once for a module and copied for each test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from banking_core.clock import ManualClock
from bot.assembly import Product, build_product
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import copy_template, fill, make_template, settings_for
from bot.settings import Settings
from desk.models import DeskAgent
from migrations.runner import upgrade
from tests.bot.conversation.talking import Hears
from tests.postgres import Cluster, postgres_cluster

__all__ = ["filled", "postgres_cluster", "settings"]
# A folder, and where PostgreSQL is asked for it the server and the database.
Filled = tuple[Path, Cluster | None, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A demo bank on each engine, made once, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    if request.param == "sqlite":
        asyncio.run(make_template(folder, MOMENT))
        yield folder, None, ""
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.empty() as url:
        asyncio.run(_fill(folder, url))
        yield folder, cluster, url


async def _fill(folder: Path, url: str) -> None:
    settings = settings_for(folder, database_url=url)
    await upgrade(url, vault=settings.open_vault())
    product = build_product(settings, clock=ManualClock(MOMENT), understander=Hears())
    await fill(product)
    await product.close()


@pytest.fixture
def settings(filled: Filled, tmp_path: Path) -> Iterator[Settings]:
    """Of a copy of the bank that belongs to this test."""
    folder, cluster, template_url = filled
    copy_template(folder, tmp_path)
    if cluster is None:
        yield settings_for(tmp_path)
        return
    with cluster.copy(template_url) as url:
        yield settings_for(tmp_path, database_url=url)


async def put_on_duty(product: Product, agents: Sequence[tuple[str, str]], team: str = "") -> None:
    """Agents (id, name) of a team at the desk with room for as many customers as there may be."""
    async with product.database.transaction() as session:
        for agent_id, name in agents:
            agent = DeskAgent(
                id=agent_id,
                username=agent_id,
                display_name=name,
                password_hash="",
                max_load=50,
                team=team,
                created_at=product.clock.now(),
            )
            session.add(agent)
            await session.flush()
            await product.desk.set_presence(session, agent_id, "on_duty")
