"""Who may see a conversation, and what happens to it when its agent vanishes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from desk.dependencies import DeskDependencies
from desk.errors import ClaimLost, NotAllowed, NotThere, NotYours
from desk.glances import Glances
from desk.logins import Seat
from desk.ports import LookPort
from desk.reasons import AGENT_ABSENT
from desk.refusals import refusal_of
from desk.tickets import TicketView

log = logging.getLogger(__name__)


class Custody:
    """Access to conversations, audited, and their release."""

    def __init__(self, deps: DeskDependencies) -> None:
        self._deps = deps
        self._glances = Glances(deps.clock)

    @asynccontextmanager
    async def look(
        self, seat: Seat, conversation_id: str, action: str, *, area: str = "conversation", noted: bool = True
    ) -> AsyncIterator[LookPort]:
        """A conversation that this agent holds, and goes on holding while it is read. Raises NotYours.

        One transaction: the agent is checked, the look is noted, what is wanted is read, and only then another may
        have the customer. With `noted` false only a refusal is noted.
        """
        held = False
        try:
            async with self._deps.hub.look(conversation_id, noted=noted) as look:
                held = look.owner == "agent" and look.agent_id == seat.agent_id
                if held:
                    if noted:
                        self._audit(look.session, seat, f"{area}.{action}", look)
                    yield look
        except Exception as error:
            if held or not isinstance(refusal_of(error), NotThere):
                raise
        if not held:
            await self.note(seat, action, conversation_id, allowed=False, area=area)
            raise NotYours()

    @asynccontextmanager
    async def watch(self, seat: Seat, conversation_id: str, action: str) -> AsyncIterator[LookPort]:
        """The same for who may see conversations of others. Raises NotAllowed."""
        if not seat.rights.sees_all:
            await self.note(seat, action, conversation_id, allowed=False)
            raise NotAllowed()
        async with self._deps.hub.look(conversation_id) as look:
            self._audit(look.session, seat, f"conversation.{action}", look)
            yield look

    async def require(self, seat: Seat, conversation_id: str, action: str) -> None:
        """Notes the look; raises NotYours, noted too, unless this agent holds the conversation."""
        async with self.look(seat, conversation_id, action):
            pass

    async def holds(self, seat: Seat, conversation_id: str) -> bool:
        """Whether this agent owns the conversation at this moment."""
        return conversation_id in await self._deps.hub.mine(seat.agent_id)

    async def shows(self, seat: Seat, conversation_id: str) -> bool:
        """Whether an open page of this seat may show the conversation now: still logged in, unlocked, and the owner.

        One transaction, so that neither can change between the two questions.
        """
        try:
            async with self._deps.hub.look(conversation_id, noted=False) as look:
                now = await self._deps.desk.seat_now(look.session, seat)
                return (
                    now is not None
                    and not now.locked
                    and (look.owner, look.agent_id) == ("agent", seat.agent_id)
                )
        except Exception as error:
            if isinstance(refusal_of(error), NotThere):
                return False
            raise

    def _audit(self, session: AsyncSession, seat: Seat, action: str, look: LookPort) -> None:
        subject = ("conversation", look.conversation_id)
        self._deps.desk.audit(session, seat.agent_id, action, *subject, customer_id=look.customer_id)

    async def note(
        self,
        seat: Seat,
        action: str,
        conversation_id: str,
        *,
        allowed: bool = True,
        area: str = "conversation",
    ) -> None:
        """Puts one act into the audit trail, committed at once: a look is noted before anything is shown."""
        customer_id = await self.customer_of(conversation_id)
        async with self._deps.db.transaction() as session:
            self._deps.desk.audit(
                session,
                seat.agent_id,
                f"{area}.{action}",
                "conversation",
                conversation_id,
                customer_id=customer_id,
                allowed=allowed,
            )

    async def note_queue(self, seat: Seat, conversation_ids: Sequence[str]) -> None:
        """Notes whose masked names and last words the queue is about to show, line by line, those new to the agent."""
        fresh = self._glances.new(seat.agent_id, conversation_ids)
        if not fresh:
            return
        customers = {each: await self.customer_of(each) for each in fresh}
        async with self._deps.db.transaction() as session:
            for each, customer_id in customers.items():
                subject = ("conversation", each)
                action = "conversation.seen_waiting"
                self._deps.desk.audit(session, seat.agent_id, action, *subject, customer_id=customer_id)
        self._glances.noted(seat.agent_id, fresh)

    async def note_tickets(self, seat: Seat, tickets: Sequence[TicketView]) -> None:
        """The same for tickets; a whole phone number is noted each time it is asked for."""
        by_number = {ticket.number: ticket for ticket in tickets}
        fresh = self._glances.new(seat.agent_id, by_number)
        if not fresh:
            return
        async with self._deps.db.transaction() as session:
            for number in fresh:
                self._deps.desk.audit(
                    session,
                    seat.agent_id,
                    "ticket.read",
                    "ticket",
                    number,
                    customer_id=by_number[number].customer_id,
                )
        self._glances.noted(seat.agent_id, fresh)

    async def customer_of(self, conversation_id: str) -> str | None:
        """Whose conversation it is; None for a visitor's, or when there is none."""
        try:
            return (await self._deps.hub.status(conversation_id)).customer_id
        except Exception as error:
            if refusal_of(error) is None:
                raise
            return None

    async def claim(self, seat: Seat, conversation_id: str) -> None:
        """Takes a waiting customer. The hub and the desk decide in one transaction; the loser reads who was faster.

        Claiming what one holds already is fine: the answer to the first click may have been lost.
        """
        if await self.holds(seat, conversation_id):
            return
        try:
            await self._deps.hub.claim(conversation_id, seat.agent_id, seat.display_name)
        except Exception as error:
            refusal = refusal_of(error)
            if not isinstance(refusal, ClaimLost):
                raise
            await self.note(seat, "claimed", conversation_id, allowed=False)
            raise await self._who_was_faster(conversation_id) from error

    async def release_all(self, agent_id: str) -> int:
        """Puts every customer of this agent back into the queue; returns how many."""
        released = 0
        for conversation_id in await self._deps.hub.mine(agent_id):
            try:
                await self._deps.hub.requeue(conversation_id, agent_id, AGENT_ABSENT)
            except Exception as error:
                if refusal_of(error) is None:
                    raise
                continue  # it changed hands meanwhile: nothing is left to release
            released += 1
        return released

    async def release_absent(self) -> int:
        """Releases the customers of agents whose page fell silent for too long; safe to run at any time."""
        async with self._deps.db.snapshot() as session:
            absent = await self._deps.desk.absent_agents(session)
        released = 0
        for agent_id in absent:
            released += await self.release_all(agent_id)
        if released:
            log.warning("released %d conversations of absent agents", released)
        return released

    async def offer_again(self) -> int:
        """Offers that have lapsed go to the next agent; returns how many were made. Safe to run at any time."""
        async with self._deps.db.transaction() as session:
            return await self._deps.desk.routing.offer(session)

    async def _who_was_faster(self, conversation_id: str) -> ClaimLost:
        holder = await self._deps.hub.status(conversation_id)
        if holder.owner == "agent" and holder.agent_name:
            return ClaimLost(f"{holder.agent_name}已经接了这位客户。", agent_name=holder.agent_name)
        return ClaimLost()
