"""Whom a waiting customer is offered to, and who may take them at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from desk.matters import Matters
from desk.models import Case, DeskAgent
from desk.presences import Presences
from desk.roles import RIGHTS

WAITING_LOOK_MAX = 100
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def may_take(agent: DeskAgent, certification: str) -> bool:
    """Whether the agent may serve a customer who needs this certification ("" for none)."""
    rights = RIGHTS[agent.role]
    return rights.acts and (not certification or certification in agent.certifications or rights.leads)


class Routing:
    """Offers those who wait to the agents who suit them best, when the rules say so."""

    def __init__(self, clock: Clock, matters: Matters, presences: Presences) -> None:
        self._clock, self._matters, self._presences = clock, matters, presences

    async def offer(self, session: AsyncSession) -> int:
        """Offers each waiting customer who has no live offer to one free agent; returns how many offers were made.

        An agent has one offer at a time. An offer that was let go by comes back to its agent only after everybody.
        Of two processes that do this at once one skips what the other holds.
        """
        rules = self._matters.rules
        if rules.assignment != "offer":
            return 0
        now = self._clock.now()
        waiting = await self._waiting(session)
        taken = {case.offered_to for case in waiting if _is_offered(case, now)}
        crew, loads, last = await self._crew(session)
        made = 0
        for case in waiting:
            if _is_offered(case, now):
                continue
            if case.offered_to is not None:
                case.passed_by = [*case.passed_by, case.offered_to]
                case.offered_to = case.offered_until = None
            fit = [agent for agent in crew if may_take(agent, case.certification)]
            fit = [agent for agent in fit if loads[agent.id] < agent.max_load and agent.id not in taken]
            fresh = [agent for agent in fit if agent.id not in case.passed_by]
            if fit and not fresh:
                case.passed_by, fresh = [], fit
            if not fresh:
                continue
            best = min(fresh, key=lambda agent: self._cost(agent, case, loads, last))
            case.offered_to, case.offered_until = best.id, now + timedelta(seconds=rules.offer_s)
            taken.add(best.id)
            made += 1
        return made

    async def pass_by(self, session: AsyncSession, conversation_id: str, agent_id: str) -> bool:
        """The agent does not take what was offered: the next one gets it now. False when it was not theirs."""
        case = next(
            (case for case in await self._waiting(session) if case.conversation_id == conversation_id), None
        )
        if case is None or case.offered_to != agent_id:
            return False
        case.offered_until = self._clock.now()
        await session.flush()
        await self.offer(session)
        return True

    def suits(self, agent: DeskAgent, case: Case) -> bool:
        """Whether the case is about what the agent is good at."""
        skills = self._matters.rules.skills
        return any(
            case.matter.startswith(beginning)
            for skill in agent.skills
            if skill in skills
            for beginning in skills[skill].matters
        )

    def _cost(
        self, agent: DeskAgent, case: Case, loads: Counter[str], last: dict[str, datetime]
    ) -> tuple[object, ...]:
        """The lowest gets the offer: language, role, skill, load, then who has been idle longest."""
        role = self._matters.row(case.reason).role
        return (
            case.language not in agent.languages,
            role is not None and agent.role != role,
            bool(case.matter) and not self.suits(agent, case),
            loads[agent.id] / agent.max_load,
            last.get(agent.id, NEVER),
            agent.username,
        )

    async def _waiting(self, session: AsyncSession) -> Sequence[Case]:
        rows = await session.scalars(
            select(Case)
            .where(Case.ended_at.is_(None), Case.agent_id.is_(None))
            .order_by(Case.priority, Case.queued_at, Case.id)
            .limit(WAITING_LOOK_MAX)
            .with_for_update(skip_locked=True)
        )
        return rows.all()

    async def _crew(
        self, session: AsyncSession
    ) -> tuple[Sequence[DeskAgent], Counter[str], dict[str, datetime]]:
        """Agents on duty, how many customers each has, and when each last took one."""
        crew = await self._presences.crew(session)
        held = await session.execute(
            select(Case.agent_id, func.count())
            .where(Case.ended_at.is_(None), Case.agent_id.is_not(None))
            .group_by(Case.agent_id)
        )
        taken = await session.execute(
            select(Case.agent_id, func.max(Case.claimed_at))
            .where(Case.agent_id.in_([agent.id for agent in crew]))
            .group_by(Case.agent_id)
        )
        return (
            crew,
            Counter({str(agent_id): int(count) for agent_id, count in held}),
            {str(agent_id): at for agent_id, at in taken if at is not None},
        )


def _is_offered(case: Case, now: datetime) -> bool:
    return case.offered_to is not None and case.offered_until is not None and case.offered_until > now
