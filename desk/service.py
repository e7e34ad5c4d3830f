"""The desk: agents, presence, tickets and the audit behind one facade.

Methods that take a session never commit. `Desk` also is what the hub calls its staffing (`on_duty_count`,
`create_ticket`), and what the bank calls its call-backs (`ask_for`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import Who, current, note
from banking_core.clock import Clock
from banking_core.storage import Database, new_id
from bot.conversation.staffing import Asking, Ended, OwedCall, Placement, Speaker
from desk.canned import CannedReplies
from desk.cards import CustomerCards, NoCards
from desk.cases import Cases
from desk.colleagues import Colleagues
from desk.errors import NotToBeSettled
from desk.logins import LoginOutcome, Logins, Seat
from desk.matters import Matters, packaged_matters
from desk.models import DeskAgent
from desk.passwords import AgentPasswords
from desk.presences import BREAK_BEGAN, BREAK_DEFAULT, BREAK_ENDED, Doing, Presences, PresenceState
from desk.reasons import reason_text
from desk.roles import RIGHTS
from desk.routing import Routing, may_take
from desk.rules import DeskRules
from desk.safety import NoSafety, Safety
from desk.tickets import Tickets, TicketView
from desk.wording import packaged_wording

log = logging.getLogger(__name__)
URGENT_CALL = "{reason}：客户需要人工时没有同事能接待。请尽快回电，先问平安，再核实身份和资金安全。"
CALL_FIRST = "请先点“我来回电”，按上面的号码打给客户，再登记核实结果。"
NOT_CERTIFIED = "核实客户身份要由有“{name}”的同事来做，请转给他们。"
DEMO_PASSWORD = "Desk2026!"
DEMO_AGENTS = (("xiaowang", "小王"), ("xiaoli", "小李"))
DEMO_TEAMS = {"xiaowang": "综合组", "xiaoli": "信贷组"}
DEMO_LEADS = (("zhuguan", "陈主管", "supervisor"), ("shenji", "审计员", "auditor"))


class Desk:
    """Everything the support desk keeps."""

    def __init__(
        self,
        clock: Clock,
        rules: DeskRules | None = None,
        passwords: AgentPasswords | None = None,
        safety: Safety | None = None,
        cards: CustomerCards | None = None,
        matters: Matters | None = None,
    ) -> None:
        self.rules = rules or DeskRules()
        self._clock = clock
        self._passwords = passwords or AgentPasswords()
        self._logins = Logins(clock, self.rules, self._passwords)
        self._presences = Presences(clock, self.rules)
        self.matters = matters or packaged_matters()
        self.routing = Routing(clock, self.matters, self._presences)
        self.cases = Cases(clock, self.matters, self._presences, self.routing)
        self._tickets = Tickets(clock, self.matters)
        self._safety = safety or NoSafety()
        self.cards = cards or NoCards()
        self.wording = packaged_wording()
        self.replies = CannedReplies(clock, self.wording.replies)
        self.colleagues = Colleagues(clock, self.rules)

    async def login(self, db: Database, username: str, password: str) -> LoginOutcome:
        """Checks a password and opens a session; who serves is on duty from here on. See `Logins.login`."""
        outcome = await self._logins.login(db, username, password)
        if outcome.seat is not None:
            async with db.transaction() as session:
                state: PresenceState = "on_duty" if outcome.seat.rights.acts else "off"
                await self._do(session, outcome.seat.agent_id, state)
                self.audit(session, outcome.seat.agent_id, "agent.logged_in")
        return outcome

    async def seat(self, session: AsyncSession, token: str) -> Seat | None:
        """The logged-in agent behind a cookie's token, or None."""
        return await self._logins.find(session, token)

    async def seat_now(self, session: AsyncSession, seat: Seat) -> Seat | None:
        """The seat as it is now, locked or not; None when its session has ended."""
        return await self._logins.again(session, seat.session_id)

    async def used(self, session: AsyncSession, seat: Seat) -> None:
        """The agent has typed or clicked: the seat is not locked for another while."""
        await self._logins.used(session, seat.session_id)

    async def lock(self, session: AsyncSession, seat: Seat) -> None:
        """The seat reads and does nothing until its agent has typed the password; customers and presence stay."""
        await self._logins.lock(session, seat.session_id)
        self.audit(session, seat.agent_id, "agent.locked")

    async def unlock(self, db: Database, seat: Seat, password: str) -> LoginOutcome:
        """Checks the password; wrong ones count as at the log-in. See `Logins.unlock`."""
        outcome = await self._logins.unlock(db, seat, password)
        async with db.transaction() as session:
            self.audit(session, seat.agent_id, "agent.unlocked", allowed=outcome.kind == "ok")
        return outcome

    async def logout(self, session: AsyncSession, seat: Seat) -> None:
        """Ends the session and the agent's duty."""
        await self._logins.logout(session, seat.session_id)
        await self._do(session, seat.agent_id, "off")
        self.audit(session, seat.agent_id, "agent.logged_out")

    async def set_presence(
        self, session: AsyncSession, agent_id: str, state: PresenceState, break_reason: str = ""
    ) -> None:
        """on_duty, break (with a reason) or off; whoever comes back may be offered a customer."""
        reason = (break_reason or BREAK_DEFAULT) if state == "break" else ""
        await self._do(session, agent_id, state, reason)
        await session.flush()
        await self.routing.offer(session)

    async def _do(self, session: AsyncSession, agent_id: str, state: PresenceState, reason: str = "") -> None:
        """Keeps what the agent does now; a break that begins or ends is noted, with its reason and length."""
        ended = await self._presences.set_state(session, agent_id, state, reason)
        if ended is None:
            return
        if ended.state == "break":
            after = {"reason": ended.reason, "seconds": ended.seconds(self._clock.now())}
            self.audit(session, agent_id, BREAK_ENDED, "agent", agent_id, after=after)
        if state == "break":
            self.audit(session, agent_id, BREAK_BEGAN, "agent", agent_id, after={"reason": reason})

    async def presence_of(self, session: AsyncSession, agent_id: str) -> Doing:
        """What the agent said last."""
        return await self._presences.doing(session, agent_id)

    async def heartbeat(self, session: AsyncSession, agent_id: str) -> None:
        """A sign of life of the agent's page."""
        await self._presences.heartbeat(session, agent_id)

    async def on_duty_count(self, session: AsyncSession) -> int:
        """Agents on duty with a live heartbeat."""
        return await self._presences.on_duty_count(session)

    async def place(self, session: AsyncSession, asking: Asking) -> Placement:
        """See `Cases.place`."""
        return await self.cases.place(session, asking)

    async def queued(self, session: AsyncSession, asking: Asking, placement: Placement) -> None:
        """See `Cases.queued`."""
        await self.cases.queued(session, asking, placement)

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
        """See `Cases.admit`."""
        await self.cases.admit(session, conversation_id, agent_id, held, by_colleague=by_colleague, team=team)

    async def assert_team_there(self, session: AsyncSession, team: str, agent_id: str) -> None:
        """See `Colleagues.assert_team_there`."""
        await self.colleagues.assert_team_there(session, team, agent_id)

    async def taken_over(self, session: AsyncSession, conversation_id: str, agent_id: str) -> None:
        """See `Cases.taken_over`."""
        await self.cases.taken_over(session, conversation_id, agent_id)

    async def spoke(self, session: AsyncSession, conversation_id: str, speaker: Speaker) -> None:
        """See `Cases.spoke`."""
        await self.cases.spoke(session, conversation_id, speaker)

    async def requeued(self, session: AsyncSession, conversation_id: str) -> None:
        """See `Cases.requeued`."""
        await self.cases.requeued(session, conversation_id)

    async def ended(self, session: AsyncSession, conversation_id: str, how: Ended) -> None:
        """See `Cases.ended`."""
        await self.cases.ended(session, conversation_id, how)

    async def can_serve(self, session: AsyncSession, conversation_id: str) -> bool:
        """See `Cases.can_serve`."""
        return await self.cases.can_serve(session, conversation_id)

    def opens_at(self, now: datetime) -> datetime:
        """`now` within the desk's hours, else their next beginning."""
        return self.matters.hours.opens_at(now)

    def promise(self) -> datetime:
        """Until when a ticket filed now is called back."""
        return self.matters.callback_at(self._clock.now())

    async def absent_agents(self, session: AsyncSession) -> list[str]:
        """Ids of agents who vanished without logging out."""
        return await self._presences.absent_agents(session)

    async def create_ticket(
        self, session: AsyncSession, conversation_id: str, customer_id: str | None, phone: str, content: str
    ) -> str:
        """Files a call-back ticket; returns its number. Raises TicketInvalid (a BankError)."""
        return await self._tickets.create(session, conversation_id, customer_id, phone, content)

    async def ask_for(self, session: AsyncSession, *, customer_id: str, phone: str, what: str) -> None:
        """The bank wants a customer called, whether or not they are in a conversation. See `identity.Callbacks`."""
        await self._tickets.owe_by_bank(session, "", customer_id, phone, what)

    async def turned_away(self, session: AsyncSession, asking: Asking, placement: Placement) -> None:
        """See `Cases.turned_away`."""
        await self.cases.turned_away(session, asking, placement)

    async def owe_call(
        self, session: AsyncSession, conversation_id: str, customer_id: str, phone: str, reason: str
    ) -> OwedCall | None:
        """See `Staffing.owe_call`."""
        row = self.matters.row(reason)
        if not row.calls_back:
            return None
        until = self.matters.deadlines(reason, self._clock.now()).resolution_at
        content = URGENT_CALL.format(reason=reason_text(reason))
        owed = await self._tickets.owe_by_bank(
            session, conversation_id, customer_id, phone, content, promised_at=until
        )
        log.warning("urgent_call_owed", extra={"ticket": owed.number, "reason": reason})
        return OwedCall(owed.number, owed.promised_at)

    async def list_tickets(
        self, session: AsyncSession, agent_id: str, status: str = "open"
    ) -> list[TicketView]:
        """Tickets 'open' or 'done'; audited, because what customers wrote is in them."""
        tickets = await self._tickets.listed(session, status)
        customers = [ticket.customer_id for ticket in tickets if ticket.customer_id is not None]
        restricted = await self._safety.restricted(session, customers)
        tickets = [replace(ticket, restricted=ticket.customer_id in restricted) for ticket in tickets]
        shown = {"status": status, "numbers": [ticket.number for ticket in tickets]}
        self.audit(session, agent_id, "tickets.read", after=shown)
        return tickets

    async def open_ticket_count(self, session: AsyncSession) -> int:
        """How many call-backs are owed."""
        return await self._tickets.open_count(session)

    async def finish_ticket(
        self, session: AsyncSession, number: str, agent_id: str, answer: str, is_owner: bool | None = None
    ) -> TicketView:
        """Closes a ticket with what was done. Raises NotThere, TicketFinished, TicketTaken or NotToBeSettled.

        `is_owner` says whom the agent had on the phone: the customer, whose restrictions end, or somebody else, and
        the customer is frozen. None leaves both as they are. Only a ticket of the bank's own can settle it, for only
        there the number is the customer's for certain, and only by a certified agent who has asked for that number.
        """
        view = await self._tickets.finish(session, number, agent_id, answer)
        if is_owner is not None:
            await self._assert_settles(session, view, agent_id)
        self.audit(
            session,
            agent_id,
            "ticket.finished",
            "ticket",
            number,
            customer_id=view.customer_id,
            after=None if is_owner is None else {"is_owner": is_owner},
        )
        if is_owner is not None and view.customer_id is not None:
            await self._safety.settle(
                session, view.customer_id, is_owner=is_owner, agent_id=agent_id, grounds=answer
            )
        return view

    async def _assert_settles(self, session: AsyncSession, ticket: TicketView, agent_id: str) -> None:
        if ticket.kind != "bank":
            raise NotToBeSettled()
        if ticket.taken_by != agent_id:
            raise NotToBeSettled(CALL_FIRST)
        await self.assert_certified(session, agent_id)

    async def assert_certified(self, session: AsyncSession, agent_id: str) -> None:
        """Raises NotToBeSettled unless the agent may say whether a customer is who they claim to be."""
        agent = await session.get(DeskAgent, agent_id, with_for_update={"read": True})
        needed = self.matters.rules.identity_certification
        if agent is None or not may_take(agent, needed):
            raise NotToBeSettled(NOT_CERTIFIED.format(name=self.matters.rules.certifications[needed]))

    async def take_ticket(self, session: AsyncSession, number: str, agent_id: str) -> TicketView:
        """The agent calls this customer: the ticket is theirs, and the whole number is in it; audited.

        Raises NotThere, TicketFinished or TicketTaken; who leads takes a ticket from a colleague.
        """
        view = await self._tickets.take(session, number, agent_id, leads=await self._leads(session, agent_id))
        self.audit(session, agent_id, "ticket.phone_read", "ticket", number, customer_id=view.customer_id)
        return view

    async def put_ticket_back(self, session: AsyncSession, number: str, agent_id: str) -> TicketView:
        """Anybody may take the ticket again. Raises NotThere, TicketFinished or TicketTaken."""
        leads = await self._leads(session, agent_id)
        view = await self._tickets.put_back(session, number, agent_id, leads=leads)
        self.audit(session, agent_id, "ticket.put_back", "ticket", number, customer_id=view.customer_id)
        return view

    @staticmethod
    async def _leads(session: AsyncSession, agent_id: str) -> bool:
        agent = await session.get(DeskAgent, agent_id)
        return agent is not None and RIGHTS[agent.role].leads

    def audit(
        self,
        session: AsyncSession,
        agent_id: str,
        action: str,
        object_kind: str = "",
        object_id: str = "",
        *,
        customer_id: str | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        allowed: bool = True,
    ) -> None:
        """Notes who looked at, or did, what."""
        note(
            session,
            action,
            at=self._clock.now(),
            customer_id=customer_id,
            object_kind=object_kind,
            object_id=object_id,
            before=before,
            after=after,
            allowed=allowed,
            by=_by(agent_id, current()),
        )

    async def agent_named(self, session: AsyncSession, username: str) -> DeskAgent | None:
        """The active agent of this user name who serves customers."""
        agent = await self.colleague_named(session, username)
        return agent if agent is not None and agent.active and RIGHTS[agent.role].acts else None

    async def colleague_named(self, session: AsyncSession, username: str) -> DeskAgent | None:
        """Whoever has or had this user name."""
        found: DeskAgent | None = await session.scalar(
            select(DeskAgent).where(DeskAgent.username == username)
        )
        return found

    async def add_agent(
        self,
        session: AsyncSession,
        username: str,
        display_name: str,
        password: str,
        *,
        max_load: int = 5,
        role: str = "agent",
        team: str = "",
        certifications: Sequence[str] = (),
    ) -> str:
        """Adds an agent, or gives the id of who has this user name already (left unchanged)."""
        known = await session.scalar(select(DeskAgent.id).where(DeskAgent.username == username))
        if known is not None:
            return known
        agent = DeskAgent(
            id=new_id(),
            username=username,
            display_name=display_name,
            password_hash=await self._passwords.hash(password),
            active=True,
            max_load=max_load,
            role=role,
            team=team,
            certifications=list(certifications),
            created_at=self._clock.now(),
        )
        session.add(agent)
        await session.flush()
        return agent.id

    async def password_hash(self, password: str) -> str:
        """What is kept of an agent's password."""
        return await self._passwords.hash(password)

    async def seed_demo_agents(self, session: AsyncSession) -> None:
        """The demo's agents xiaowang and xiaoli, its supervisor and its auditor; a second seed does nothing."""
        for username, display_name in DEMO_AGENTS:
            everything = tuple(self.matters.rules.certifications)
            team = DEMO_TEAMS[username]
            await self.add_agent(
                session, username, display_name, DEMO_PASSWORD, team=team, certifications=everything
            )
        for username, display_name, role in DEMO_LEADS:
            await self.add_agent(session, username, display_name, DEMO_PASSWORD, role=role)


def _by(agent_id: str, acting: Who) -> Who:
    """The agent, from where they act; an operator who lets somebody go is noted as that operator."""
    if acting.kind == "operator":
        return acting
    return replace(acting, id=agent_id) if acting.kind == "agent" else Who("agent", agent_id, channel="desk")
