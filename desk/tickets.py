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
from desk.errors import NotThere, TicketFinished, TicketInvalid
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
    restricted: bool = False


class Tickets:
    """Files, lists and finishes tickets."""

    def __init__(self, clock: Clock, matters: Matters) -> None:
        self._clock, self._matters = clock, matters

    async def create(
        self, session: AsyncSession, conversation_id: str, customer_id: str | None, phone: str, content: str
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
                created_at=now,
                promised_at=self._matters.callback_at(now),
            )
            try:
                async with session.begin_nested():
                    session.add(ticket)
            except IntegrityError:
                continue  # the number is taken: draw again
            return number
        raise RuntimeError("no free ticket number today")

    async def listed(self, session: AsyncSession, status: str) -> list[TicketView]:
        """Open ones by promised time, finished ones newest first; at most `LISTED_MAX`."""
        order = Ticket.promised_at.asc() if status == "open" else Ticket.finished_at.desc()
        statement = (
            select(Ticket, DeskAgent.display_name)
            .outerjoin(DeskAgent, DeskAgent.id == Ticket.finished_by)
            .where(Ticket.status == status)
            .order_by(order)
            .limit(LISTED_MAX)
        )
        return [_view(ticket, name) for ticket, name in (await session.execute(statement)).all()]

    async def open_count(self, session: AsyncSession) -> int:
        """How many call-backs are owed."""
        statement = select(func.count()).select_from(Ticket).where(Ticket.status == "open")
        return int(await session.scalar(statement) or 0)

    async def get(self, session: AsyncSession, number: str) -> TicketView:
        """One ticket. Raises NotThere."""
        ticket = await self._row(session, number)
        return _view(ticket, await _name(session, ticket.finished_by))

    async def finish(self, session: AsyncSession, number: str, agent_id: str, answer: str) -> TicketView:
        """Notes the answer and closes the ticket, once. Raises NotThere or TicketFinished."""
        ticket = await self._row(session, number)
        if ticket.status == "done":
            name = await _name(session, ticket.finished_by)
            raise TicketFinished(f"{name}已经办结了这张工单。" if name else None)
        ticket.status, ticket.answer = "done", answer
        ticket.finished_at, ticket.finished_by = self._clock.now(), agent_id
        await session.flush()
        return _view(ticket, await _name(session, agent_id))

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


def _view(ticket: Ticket, finished_by_name: str | None) -> TicketView:
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
        finished_by_name=finished_by_name,
        answer=ticket.answer,
    )
