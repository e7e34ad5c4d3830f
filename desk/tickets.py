"""Call-back tickets: filed when nobody is at the desk, finished by an agent with a note."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock, bank_date
from banking_core.storage import new_id
from desk.errors import NotThere, TicketFinished, TicketInvalid, TicketTaken
from desk.matters import Matters
from desk.models import DeskAgent, Ticket

CONTENT_CHARS_MAX = 1000
LISTED_MAX = 200
NUMBER_TRIES_MAX = 20
_PHONE = re.compile(r"\+?[0-9][0-9-]{4,18}")
_NUMBER = re.compile(r"GD[0-9]{14}")


@dataclass(frozen=True)
class TicketView:
    """A ticket as agents see it; `phone` is whole here and masked by whoever shows it.

    restricted: the customer may move no money until the agent has made sure who they are.
    kind: 'callback' as the customer wished, 'bank' when the bank itself wants them called, at the number it knows.
    """

    number: str
    conversation_id: str
    customer_id: str | None
    phone: str
    content: str
    status: str
    created_at: datetime
    promised_at: datetime
    finished_at: datetime | None
    finished_by_name: str | None
    answer: str | None
    kind: str = "callback"
    urgent: bool = False
    taken_by: str | None = None
    taken_by_name: str | None = None
    restricted: bool = False


class Tickets:
    """Files, lists and finishes tickets."""

    def __init__(self, clock: Clock, matters: Matters) -> None:
        self._clock, self._matters = clock, matters

    async def create(
        self,
        session: AsyncSession,
        conversation_id: str,
        customer_id: str | None,
        phone: str,
        content: str,
        *,
        kind: str = "callback",
        urgent: bool = False,
        promised_at: datetime | None = None,
    ) -> str:
        """Files a ticket and returns its number, 'GD' + bank date + 6 digits. Raises TicketInvalid."""
        phone, content = phone.replace(" ", ""), content.strip()[:CONTENT_CHARS_MAX]
        if not _PHONE.fullmatch(phone):
            raise TicketInvalid("phone", field="phone")
        if not content:
            raise TicketInvalid("content", field="content")
        now = self._clock.now()
        for _ in range(NUMBER_TRIES_MAX):
            number = f"GD{bank_date(now):%Y%m%d}{secrets.randbelow(10**6):06d}"
            ticket = Ticket(
                id=new_id(),
                number=number,
                conversation_id=conversation_id,
                customer_id=customer_id,
                phone=phone,
                content=content,
                status="open",
                kind=kind,
                urgent=urgent,
                created_at=now,
                promised_at=promised_at or self._matters.callback_at(now),
            )
            try:
                async with session.begin_nested():
                    session.add(ticket)
            except IntegrityError:
                continue  # the number is taken: draw again
            return number
        raise RuntimeError("no free ticket number today")

    async def listed(self, session: AsyncSession, status: str) -> list[TicketView]:
        """Open ones by urgency and promised time, finished ones newest first; at most `LISTED_MAX`."""
        openly = (Ticket.urgent.desc(), Ticket.promised_at.asc())
        worker = func.coalesce(Ticket.finished_by, Ticket.taken_by)
        statement = (
            select(Ticket, DeskAgent.display_name)
            .outerjoin(DeskAgent, DeskAgent.id == worker)
            .where(Ticket.status == status)
            .order_by(*(openly if status == "open" else (Ticket.finished_at.desc(),)))
            .limit(LISTED_MAX)
        )
        return [_view(ticket, name) for ticket, name in (await session.execute(statement)).all()]

    async def owe_by_bank(
        self,
        session: AsyncSession,
        conversation_id: str,
        customer_id: str,
        phone: str,
        content: str,
        *,
        promised_at: datetime | None = None,
    ) -> TicketView:
        """The bank itself wants a customer called: with the call it owes them already, unless somebody has taken that
        for another matter. Raises TicketInvalid.
        """
        statement = select(Ticket).where(
            Ticket.customer_id == customer_id, Ticket.kind == "bank", Ticket.status == "open"
        )
        owed = (await session.scalars(statement.order_by(Ticket.created_at).with_for_update())).all()
        for ticket in owed:
            same_talk = bool(conversation_id) and ticket.conversation_id == conversation_id
            if ticket.phone == phone and (ticket.taken_by is None or same_talk):
                if content not in ticket.content:
                    ticket.content = f"{ticket.content}\n{content}"[:CONTENT_CHARS_MAX]
                due = promised_at or self._matters.callback_at(self._clock.now())
                ticket.promised_at = min(ticket.promised_at, due)
                ticket.conversation_id = ticket.conversation_id or conversation_id
                await session.flush()
                return _view(ticket, None)
        number = await self.create(
            session,
            conversation_id,
            customer_id,
            phone,
            content,
            kind="bank",
            urgent=True,
            promised_at=promised_at,
        )
        return _view(await self._row(session, number), None)

    async def open_count(self, session: AsyncSession) -> int:
        """How many call-backs are owed."""
        statement = select(func.count()).select_from(Ticket).where(Ticket.status == "open")
        return int(await session.scalar(statement) or 0)

    async def take(self, session: AsyncSession, number: str, agent_id: str, *, leads: bool) -> TicketView:
        """The agent works on it from now on; who leads takes it from a colleague.

        Raises NotThere, TicketFinished or TicketTaken.
        """
        ticket = await self._row(session, number)
        await self._keep_out(session, ticket, agent_id, leads=leads)
        ticket.taken_by = agent_id
        await session.flush()
        return _view(ticket, await _name(session, agent_id))

    async def put_back(self, session: AsyncSession, number: str, agent_id: str, *, leads: bool) -> TicketView:
        """Anybody may take it again. Raises NotThere, TicketFinished or TicketTaken."""
        ticket = await self._row(session, number)
        await self._keep_out(session, ticket, agent_id, leads=leads)
        ticket.taken_by = None
        await session.flush()
        return _view(ticket, None)

    async def finish(self, session: AsyncSession, number: str, agent_id: str, answer: str) -> TicketView:
        """Notes the answer and closes the ticket, once. Raises NotThere, TicketFinished or TicketTaken."""
        ticket = await self._row(session, number)
        await self._keep_out(session, ticket, agent_id, leads=False)
        ticket.status, ticket.answer = "done", answer
        ticket.finished_at, ticket.finished_by = self._clock.now(), agent_id
        await session.flush()
        return _view(ticket, await _name(session, agent_id))

    @staticmethod
    async def _keep_out(session: AsyncSession, ticket: Ticket, agent_id: str, *, leads: bool) -> None:
        """Nobody works on a finished ticket, nor on a colleague's."""
        if ticket.status == "done":
            name = await _name(session, ticket.finished_by)
            raise TicketFinished(f"{name}已经办结了这张工单。" if name else None)
        if ticket.taken_by not in (None, agent_id) and not leads:
            name = await _name(session, ticket.taken_by)
            raise TicketTaken(f"{name}正在处理这张工单。" if name else None)

    async def _row(self, session: AsyncSession, number: str) -> Ticket:
        if not _NUMBER.fullmatch(number):
            raise NotThere("没有这张工单。")
        statement = select(Ticket).where(Ticket.number == number).with_for_update()
        ticket = (await session.execute(statement)).scalar_one_or_none()
        if ticket is None:
            raise NotThere("没有这张工单。")
        return ticket


async def _name(session: AsyncSession, agent_id: str | None) -> str | None:
    agent = await session.get(DeskAgent, agent_id) if agent_id else None
    return agent.display_name if agent else None


def _view(ticket: Ticket, worker: str | None) -> TicketView:
    """`worker` is the name of who finished it, or else of who has it."""
    done = ticket.status == "done"
    return TicketView(
        number=ticket.number,
        conversation_id=ticket.conversation_id,
        customer_id=ticket.customer_id,
        phone=ticket.phone,
        content=ticket.content,
        status=ticket.status,
        created_at=ticket.created_at,
        promised_at=ticket.promised_at,
        finished_at=ticket.finished_at,
        finished_by_name=worker if done else None,
        answer=ticket.answer,
        kind=ticket.kind,
        urgent=ticket.urgent,
        taken_by=ticket.taken_by,
        taken_by_name=None if done else worker,
    )
