"""Who is at the desk. On duty counts only with a sign of life: a closed laptop serves nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeGuard

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from desk.models import DeskAgent, Presence
from desk.roles import RIGHTS
from desk.rules import DeskRules

PresenceState = Literal["on_duty", "break", "off"]
PRESENCE_TEXT: dict[str, str] = {"on_duty": "在岗", "break": "小休", "off": "离岗"}
BREAK_TEXT: dict[str, str] = {
    "rest": "小休",
    "meal": "用餐",
    "training": "培训",
    "meeting": "会议",
    "work": "整理",
}
BREAK_DEFAULT = "rest"
CORRECTED_S = 60
BREAK_BEGAN, BREAK_ENDED = "agent.break_began", "agent.break_ended"  # in the audit trail


@dataclass(frozen=True, slots=True)
class Doing:
    """What an agent does or did, for a break also why, and since when; None when they never said anything."""

    state: PresenceState
    reason: str
    since: datetime | None

    def seconds(self, now: datetime) -> int:
        """For how long, whole seconds."""
        return int((now - self.since).total_seconds()) if self.since is not None else 0


def is_presence_state(value: object) -> TypeGuard[PresenceState]:
    """Whether a value from outside names a state."""
    return isinstance(value, str) and value in PRESENCE_TEXT


def is_break_reason(value: object) -> TypeGuard[str]:
    """Whether a value from outside names a reason for a break."""
    return isinstance(value, str) and value in BREAK_TEXT


class Presences:
    """Presence of the agents."""

    def __init__(self, clock: Clock, rules: DeskRules) -> None:
        self._clock, self._rules = clock, rules

    async def set_state(
        self, session: AsyncSession, agent_id: str, state: PresenceState, break_reason: str = ""
    ) -> Doing | None:
        """Notes what the agent says they do, for a break also why; a sign of life too. Gives what has ended with it.

        Another reason within the first minute of a break corrects the first one: it is the same break.
        """
        row, now = await self.locked(session, agent_id), self._clock.now()
        row.last_seen_at = now
        if (row.state, row.break_reason) == (state, break_reason):
            return None
        was = _doing(row)
        corrected = was.state == state == "break" and was.seconds(now) < CORRECTED_S
        row.state, row.break_reason = state, break_reason
        row.changed_at = row.changed_at if corrected else now
        return None if corrected else was

    async def heartbeat(self, session: AsyncSession, agent_id: str) -> None:
        """A sign of life from the agent's page; changes nothing else."""
        row = await self.locked(session, agent_id)
        row.last_seen_at = self._clock.now()

    async def doing(self, session: AsyncSession, agent_id: str) -> Doing:
        """What the agent said last; 'off' when they never said anything."""
        row = await session.get(Presence, agent_id)
        return Doing("off", "", None) if row is None else _doing(row)

    async def on_duty_count(self, session: AsyncSession) -> int:
        """Agents on duty whose page gave a sign of life within `heartbeat_live_s`."""
        statement = (
            select(func.count())
            .select_from(Presence)
            .join(DeskAgent, DeskAgent.id == Presence.agent_id)
            .where(*self._on_duty())
        )
        return int(await session.scalar(statement) or 0)

    async def crew(self, session: AsyncSession) -> Sequence[DeskAgent]:
        """The agents on duty, with a live page, who serve customers."""
        rows = await session.scalars(
            select(DeskAgent)
            .join(Presence, DeskAgent.id == Presence.agent_id)
            .where(*self._on_duty())
            .order_by(DeskAgent.username)
        )
        return rows.all()

    def _on_duty(self) -> tuple[ColumnElement[bool], ...]:
        oldest = self._clock.now() - timedelta(seconds=self._rules.heartbeat_live_s)
        return (
            Presence.state == "on_duty",
            Presence.last_seen_at >= oldest,
            DeskAgent.active.is_(True),
            DeskAgent.role.in_([role for role, rights in RIGHTS.items() if rights.acts]),
        )

    async def absent_agents(self, session: AsyncSession) -> list[str]:
        """Ids of agents not heard of for longer than `absent_after_s`."""
        newest = self._clock.now() - timedelta(seconds=self._rules.absent_after_s)
        rows = await session.execute(select(Presence.agent_id).where(Presence.last_seen_at < newest))
        return list(rows.scalars())

    async def locked(self, session: AsyncSession, agent_id: str) -> Presence:
        """The agent's row, locked for this transaction; made when they never had one."""
        row = await session.get(Presence, agent_id, with_for_update=True)
        if row is not None:
            return row
        now = self._clock.now()
        try:
            async with session.begin_nested():
                session.add(Presence(agent_id=agent_id, state="off", changed_at=now, last_seen_at=now))
        except IntegrityError:
            pass  # two pages of the same agent came at once
        row = await session.get(Presence, agent_id, with_for_update=True)
        assert row is not None, "the row was written above"
        return row


def _doing(row: Presence) -> Doing:
    return Doing(row.state if is_presence_state(row.state) else "off", row.break_reason, row.changed_at)
