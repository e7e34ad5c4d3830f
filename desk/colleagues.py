"""Whom a customer may be passed to: colleagues who can take one now, and teams that have somebody who can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from desk.errors import ColleagueAway
from desk.models import DeskAgent, Presence
from desk.roles import RIGHTS
from desk.rules import DeskRules

NOBODY: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody at the desk; `load` of `max_load` customers."""

    agent_id: str
    username: str
    display_name: str
    team: str
    role: str
    on_duty: bool
    load: int
    max_load: int

    @property
    def can_take(self) -> bool:
        """Whether they could have one more customer now."""
        return self.on_duty and self.load < self.max_load


class Colleagues:
    """Finds them."""

    def __init__(self, clock: Clock, rules: DeskRules) -> None:
        self._clock, self._rules = clock, rules

    async def listed(
        self, session: AsyncSession, agent_id: str, loads: Mapping[str, int] = NOBODY
    ) -> list[Colleague]:
        """Everybody but this agent who serves customers; see `everybody`."""
        return [each for each in await self.everybody(session, loads) if each.agent_id != agent_id]

    async def everybody(self, session: AsyncSession, loads: Mapping[str, int] = NOBODY) -> list[Colleague]:
        """Who serves customers, by team and name; `loads` says how many customers an agent has now."""
        oldest = self._clock.now() - timedelta(seconds=self._rules.heartbeat_live_s)
        rows = await session.execute(
            select(DeskAgent, Presence)
            .outerjoin(Presence, Presence.agent_id == DeskAgent.id)
            .where(DeskAgent.active)
            .order_by(DeskAgent.team, DeskAgent.display_name)
        )
        return [
            Colleague(
                agent.id,
                agent.username,
                agent.display_name,
                agent.team,
                agent.role,
                presence is not None and presence.state == "on_duty" and presence.last_seen_at >= oldest,
                loads.get(agent.id, 0),
                agent.max_load,
            )
            for agent, presence in rows.all()
            if RIGHTS[agent.role].acts
        ]

    async def find(
        self, session: AsyncSession, agent_id: str, username: str, loads: Mapping[str, int]
    ) -> Colleague:
        """The colleague of that user name, if they can take a customer. Raises ColleagueAway."""
        for colleague in await self.listed(session, agent_id, loads):
            if colleague.username == username:
                if not colleague.on_duty:
                    raise ColleagueAway(f"{colleague.display_name}现在不在岗，请换一位或转给小组。")
                if not colleague.can_take:
                    raise ColleagueAway(f"{colleague.display_name}接待的客户已经满了，请换一位或转给小组。")
                return colleague
        raise ColleagueAway("没有这位同事，请刷新后再选。")

    async def assert_team_there(self, session: AsyncSession, team: str, agent_id: str) -> None:
        """Raises ColleagueAway unless somebody of the team, other than this agent, is on duty."""
        members = [c for c in await self.listed(session, agent_id) if c.team == team]
        if not members:
            raise ColleagueAway("没有这个小组，请刷新后再选。")
        if not any(member.on_duty for member in members):
            raise ColleagueAway(f"{team}现在没有同事在岗，请换一个小组。")
