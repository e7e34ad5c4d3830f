"""What the page's lists show at one moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from desk.clocks import breach_view, breaches, case_view
from desk.dependencies import DeskDependencies
from desk.logins import Seat
from desk.placeholders import fillings
from desk.ports import LookPort
from desk.trail import agent_names
from desk.transcripts import read_transcript
from desk.views import facts_view, held_view, queue_line_view

RECENT = 10  # messages that tell whether a customer waits for an answer


async def queue_snapshot(deps: DeskDependencies, agent_id: str = "") -> dict[str, Any]:
    """The queue with its clocks, how many agents are on duty and how many call-backs are owed."""
    lines = await deps.hub.queue()
    async with deps.db.snapshot() as session:
        clocks = await _clocks(deps, session, agent_id)
        barred = await deps.desk.cases.barred(session, agent_id, {x.conversation_id: x.team for x in lines})
        on_duty = await deps.desk.on_duty_count(session)
        open_tickets = await deps.desk.open_ticket_count(session)
    return {
        "items": [
            queue_line_view(line)
            | clocks.get(line.conversation_id, {})
            | {"barred": barred.get(line.conversation_id, "")}
            for line in lines
        ],
        "on_duty": on_duty,
        "open_tickets": open_tickets,
    }


async def case_snapshot(deps: DeskDependencies, look: LookPort, after_seq: int) -> dict[str, Any]:
    """Transcript after `after_seq`, facts and notes of one conversation."""
    messages = await read_transcript(look, after_seq)
    facts = facts_view(await look.facts(), await deps.reach.left(look.session, look.conversation_id))
    facts["calling"] = deps.calls.on(look.conversation_id)
    facts["fillings"] = dict(fillings(facts["level"], facts["skill"], deps.clock.now()))
    notes = list(await look.notes())
    return {"conversation_id": look.conversation_id, "messages": messages, "facts": facts, "notes": notes}


async def held_snapshot(deps: DeskDependencies, seat: Seat) -> list[dict[str, Any]]:
    """The agent's own conversations, each with its last message."""
    items = []
    async with deps.db.snapshot() as session:
        clocks = await _clocks(deps, session, seat.agent_id)
    for conversation_id in await deps.hub.mine(seat.agent_id):
        async with deps.hub.look(conversation_id, noted=False) as look:
            if look.owner != "agent" or look.agent_id != seat.agent_id:
                continue  # passed on since the list was read
            view = held_view(conversation_id, await look.facts(), await look.history(limit=RECENT))
        items.append(view | clocks.get(conversation_id, {}))
    return items


async def complaint_counts(deps: DeskDependencies, seat: Seat) -> dict[str, int]:
    """How many open complaints this agent looks into, and how many nobody does."""
    if deps.complaints is None:
        return {"mine": 0, "nobody": 0}
    async with deps.db.snapshot() as session:
        load = await deps.complaints.open_by_assignee(session)
    return {"mine": load.get(seat.agent_id, 0), "nobody": load.get("", 0)}


async def alert_snapshot(deps: DeskDependencies) -> list[dict[str, str]]:
    """What is late at the desk now."""
    async with deps.db.snapshot() as session:
        return [breach_view(breach) for breach in await breaches(session, deps.clock.now())]


async def _clocks(deps: DeskDependencies, session: AsyncSession, agent_id: str) -> dict[str, dict[str, Any]]:
    """The clock of every case under way, by conversation."""
    now = deps.clock.now()
    under_way = await deps.desk.cases.under_way(session)
    names = await agent_names(session) if any(case.offered_to for case in under_way) else {}
    matters = deps.desk.matters
    return {case.conversation_id: case_view(case, agent_id, matters, now, names) for case in under_way}
