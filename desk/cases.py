"""The cases of the desk: each request for a human with its clocks, and who may take it.

The hub calls in the transaction of its turn, see `bot.conversation.staffing`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.storage import new_id
from bot.conversation.staffing import Asking, Ended, Placement, Speaker
from desk.errors import ForTeam, FullyLoaded, NotCertified, NotOnDuty, OfferedElsewhere
from desk.matters import Matters
from desk.models import Case, DeskAgent
from desk.presences import Presences
from desk.roles import RIGHTS
from desk.routing import Routing, may_take

CERTIFICATION_NEEDED = "这类客户要由有“{name}”的同事接待，请转给他们或联系主管。"
COLLEAGUE_NOT_ON_DUTY = "这位同事现在不在岗，请转给别的同事或排队。"
COLLEAGUE_LOADED = "这位同事接待的客户已经满了，请转给别的同事或排队。"
OF_TEAM = "这位客户转给了{team}，请由组里的同事接待。"
OWN_LOADED = "您正在接待{count}位客户，已经满了，请先结束一位再接。"


class Cases:
    """Every method works inside the caller's transaction."""

    def __init__(self, clock: Clock, matters: Matters, presences: Presences, routing: Routing) -> None:
        self._clock, self._matters, self._presences, self._routing = clock, matters, presences, routing

    async def place(self, session: AsyncSession, asking: Asking) -> Placement:
        """Why and how urgently; `staffed` when somebody on duty may serve."""
        chosen = self._matters.choose(asking.reason, asking.level, asking.told)
        crew = await self._presences.crew(session)
        staffed = any(may_take(agent, chosen.certification) for agent in crew)
        return Placement(chosen.reason, chosen.priority, staffed)

    async def queued(self, session: AsyncSession, asking: Asking, placement: Placement) -> None:
        """The customer waits from now on."""
        session.add(self._case(asking, placement))
        await session.flush()
        await self._routing.offer(session)

    async def turned_away(self, session: AsyncSession, asking: Asking, placement: Placement) -> None:
        """Nobody is there who may serve the customer: kept for the day's figures, no clock runs."""
        case = self._case(asking, placement)
        case.ended_at, case.outcome = case.queued_at, "unattended"
        session.add(case)
        await session.flush()

    def _case(self, asking: Asking, placement: Placement) -> Case:
        now = self._clock.now()
        due = self._matters.deadlines(placement.reason, now)
        return Case(
            id=new_id(),
            conversation_id=asking.conversation_id,
            customer_id=asking.customer_id,
            channel=asking.channel,
            reason=placement.reason,
            level=asking.level,
            matter=asking.matter,
            language=asking.language,
            certification=self._matters.row(placement.reason).certification or "",
            priority=placement.priority,
            queued_at=now,
            first_reply_due_at=due.first_reply_at,
            resolution_due_at=due.resolution_at,
            replies=0,
            owed_replies=0,
            late_replies=0,
            passed_by=[],
        )

    async def admit(
        self,
        session: AsyncSession,
        conversation_id: str,
        agent_id: str,
        held: Callable[[], Awaitable[int]],
        *,
        by_colleague: bool = False,
        team: str = "",
    ) -> None:
        """Raises NotOnDuty, ForTeam, NotCertified, OfferedElsewhere or FullyLoaded; or else the case is the agent's."""
        # Who leads the agents may change neither role nor team nor certificates meanwhile.
        agent = await session.get(DeskAgent, agent_id, with_for_update={"read": True})
        absent = NotOnDuty(COLLEAGUE_NOT_ON_DUTY if by_colleague else None)
        # Claims of one agent wait for each other at the lock of this row.
        if agent is None or (await self._presences.locked(session, agent_id)).state != "on_duty":
            raise absent
        await self._assert_of_team(session, agent, team)
        case = await self._open(session, conversation_id)
        now = self._clock.now()
        if case is not None:
            if not may_take(agent, case.certification):
                name = self._matters.rules.certifications.get(case.certification, case.certification)
                raise NotCertified(CERTIFICATION_NEEDED.format(name=name))
            offered = case.offered_to is not None and (case.offered_until or now) > now
            if offered and case.offered_to != agent_id and not by_colleague:
                raise OfferedElsewhere()
        count = await held()
        if count > agent.max_load:
            text = COLLEAGUE_LOADED if by_colleague else OWN_LOADED.format(count=count - 1)
            raise FullyLoaded(text)
        if case is not None:
            self._take(case, agent_id, now)

    async def barred(self, session: AsyncSession, agent_id: str, teams: Mapping[str, str]) -> dict[str, str]:
        """In a word why this agent may not take one of those who wait (`teams` by conversation, "" for all's).

        Whom they may take, as far as role, certification and team go, is not in it; `admit` decides.
        """
        agent = await session.get(DeskAgent, agent_id)
        if agent is None:
            return {}
        needed = {case.conversation_id: case.certification for case in await self.under_way(session)}
        there = {other.team for other in await self._presences.crew(session)}
        leads = RIGHTS[agent.role].leads
        why: dict[str, str] = {}
        for conversation_id, team in teams.items():
            certification = needed.get(conversation_id, "")
            if not may_take(agent, certification):
                name = self._matters.rules.certifications.get(certification, certification)
                why[conversation_id] = f"需要{name}" if RIGHTS[agent.role].acts else "只能查看"
            elif team and team != agent.team and team in there and not leads:
                why[conversation_id] = f"由{team}接待"
        return why

    async def _assert_of_team(self, session: AsyncSession, agent: DeskAgent, team: str) -> None:
        """A customer passed to a team is for its agents, as long as somebody of it is there, and for who leads."""
        if not team or team == agent.team or RIGHTS[agent.role].leads:
            return
        if any(other.team == team for other in await self._presences.crew(session)):
            raise ForTeam(OF_TEAM.format(team=team))

    async def taken_over(self, session: AsyncSession, conversation_id: str, agent_id: str) -> None:
        """The case is this agent's, whatever else they have."""
        case = await self._open(session, conversation_id)
        if case is not None:
            self._take(case, agent_id, self._clock.now())

    @staticmethod
    def _take(case: Case, agent_id: str, now: datetime) -> None:
        case.agent_id, case.claimed_at = agent_id, case.claimed_at or now
        case.offered_to = case.offered_until = None

    async def spoke(self, session: AsyncSession, conversation_id: str, speaker: Speaker) -> None:
        """A reply of the agent's ends a wait; the customer's first words after one begin the next."""
        case = await self._open(session, conversation_id)
        if case is None:
            return
        if speaker == "agent":
            now = self._clock.now()
            case.replies += 1
            case.first_reply_at = case.first_reply_at or now
            if case.reply_is_late(now):
                case.late_replies += 1
            case.asked_at = case.next_reply_due_at = None
        elif case.first_reply_at is not None:
            self._ask(case)

    async def answered_aloud(self, session: AsyncSession, conversation_id: str, agent_id: str) -> bool:
        """The caller heard this agent: as good as a written reply, if one was owed. Whether one was."""
        case = await self._open(session, conversation_id)
        if case is None or case.agent_id != agent_id or due_at(case) is None:
            return False
        await self.spoke(session, conversation_id, "agent")
        return True

    def _ask(self, case: Case) -> None:
        """A reply is owed from now on, unless one was owed already."""
        if case.asked_at is None:
            now = self._clock.now()
            case.owed_replies += 1
            case.asked_at, case.next_reply_due_at = now, self._matters.next_reply_at(case.reason, now)

    async def requeued(self, session: AsyncSession, conversation_id: str) -> None:
        """The customer waits again: the clocks go on, and who was answered before is owed the next reply from now."""
        case = await self._open(session, conversation_id)
        if case is not None:
            case.agent_id, case.passed_by = None, []
            if case.first_reply_at is not None:
                self._ask(case)
            await session.flush()
            await self._routing.offer(session)

    async def ended(self, session: AsyncSession, conversation_id: str, how: Ended) -> None:
        """Every clock stops; a reply still owed is late if it is by now, and otherwise was not owed."""
        case = await self._open(session, conversation_id)
        if case is None:
            return
        now = self._clock.now()
        if case.reply_is_late(now):
            case.late_replies += 1
        elif case.next_reply_due_at is not None:
            case.owed_replies -= 1
        case.ended_at, case.outcome = now, how
        case.asked_at = case.next_reply_due_at = case.offered_to = case.offered_until = None
        await session.flush()
        await self._routing.offer(session)

    async def can_serve(self, session: AsyncSession, conversation_id: str) -> bool:
        """Whether anybody on duty may take this waiting customer."""
        case = await self._open(session, conversation_id)
        needed = case.certification if case is not None else ""
        return any(may_take(agent, needed) for agent in await self._presences.crew(session))

    async def under_way(self, session: AsyncSession) -> Sequence[Case]:
        """Every case that has not ended, in the order in which they are to be served."""
        rows = await session.scalars(
            select(Case).where(Case.ended_at.is_(None)).order_by(Case.priority, Case.queued_at, Case.id)
        )
        return rows.all()

    async def _open(self, session: AsyncSession, conversation_id: str) -> Case | None:
        rows = await session.scalars(
            select(Case)
            .where(Case.conversation_id == conversation_id, Case.ended_at.is_(None))
            .order_by(Case.queued_at.desc())
            .limit(1)
            .with_for_update()
        )
        return rows.first()


def due_at(case: Case) -> datetime | None:
    """Until when the next reply is owed; None while it is the customer's turn."""
    return case.first_reply_due_at if case.first_reply_at is None else case.next_reply_due_at
