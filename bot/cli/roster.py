"""What `zhanggui agents` does: who works at the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import click
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import acting
from banking_core.audit.acting import operator
from banking_core.clock import SystemClock
from banking_core.storage import Database
from bot.settings import Settings
from desk.errors import DeskError
from desk.models import DeskAgent
from desk.roles import RIGHTS
from desk.roster import Changes, Roster
from desk.service import Desk


async def list_agents(settings: Settings) -> bool:
    """One line for each agent."""
    async with _roster(settings) as (session, roster):
        agents = await roster.agents(session)
        for agent in agents:
            click.echo(_line(agent))
    if not agents:
        click.echo("坐席台还没有人。用“zhanggui agents add”添加。")
    return True


async def add_agent(settings: Settings, username: str, name: str, password: str, changes: Changes) -> bool:
    """False, with the reason on the screen, when it cannot be."""

    async def work(session: AsyncSession, roster: Roster) -> None:
        agent = await roster.add(session, username, name, password, changes)
        click.echo(f"已添加。{_line(agent)}")

    return await _said(settings, work)


async def change_agent(settings: Settings, username: str, changes: Changes) -> bool:
    """False, with the reason on the screen, when it cannot be."""

    async def work(session: AsyncSession, roster: Roster) -> None:
        agent = await roster.change(session, username, changes)
        click.echo(f"已修改。{_line(agent)}")

    return await _said(settings, work)


async def set_password(settings: Settings, username: str, password: str) -> bool:
    """False, with the reason on the screen, when it cannot be."""

    async def work(session: AsyncSession, roster: Roster) -> None:
        await roster.set_password(session, username, password)
        click.echo("密码已换，这位坐席的所有页面都已退出。")

    return await _said(settings, work)


async def _said(settings: Settings, work: Callable[[AsyncSession, Roster], Awaitable[None]]) -> bool:
    try:
        async with _roster(settings) as (session, roster):
            await work(session, roster)
    except DeskError as refused:
        click.echo(refused.text, err=True)
        return False
    return True


@asynccontextmanager
async def _roster(settings: Settings) -> AsyncIterator[tuple[AsyncSession, Roster]]:
    """The roster in a transaction of an operator."""
    clock = SystemClock()
    database = Database(settings.database_url, vault=settings.open_vault())
    try:
        with acting(operator()):
            async with database.transaction() as session:
                yield session, Roster(Desk(clock), clock)
    finally:
        await database.close()


def _line(agent: DeskAgent) -> str:
    parts = [
        agent.username,
        agent.display_name,
        RIGHTS[agent.role].title,
        agent.team or "没有小组",
        f"最多{agent.max_load}位",
        f"擅长：{'、'.join(agent.skills) or '不限'}",
        f"语言：{'、'.join(agent.languages)}",
        f"认证：{'、'.join(agent.certifications) or '无'}",
    ]
    return "，".join(parts if agent.active else [*parts, "已停用"])
