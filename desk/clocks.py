"""What is late at the desk: replies, resolutions, call-backs, answers to complaints. Targets: `desk.matters`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.complaints import OPEN, Complaint
from desk.cases import due_at
from desk.matters import Matters
from desk.models import Case, DeskAgent, Ticket
from desk.reasons import reason_text

Kind = Literal["first_reply", "next_reply", "resolution", "callback", "complaint_ack", "complaint"]
KIND_TEXT: dict[str, str] = {
    "first_reply": "首次回复超时",
    "next_reply": "回复超时",
    "resolution": "办结超时",
    "callback": "回电超时",
    "complaint_ack": "投诉受理超时",
    "complaint": "投诉答复超时",
}
ALERTS_MAX = 100


@dataclass(frozen=True)
class Breach:
    """One promise that was not kept so far; `number` of a ticket or complaint, or the conversation's id."""

    kind: Kind
    number: str
    about: str
    agent_name: str
    due_at: datetime


def case_view(
    case: Case, agent_id: str, matters: Matters, now: datetime, names: Mapping[str, str]
) -> dict[str, Any]:
    """The clock of one case and who may take it, for the lists of one agent; `names` are the agents', by id."""
    due = due_at(case)
    owed_since = case.queued_at if case.first_reply_at is None else case.asked_at
    until = case.offered_until if case.offered_until is not None and case.offered_until > now else None
    offered = case.offered_to if until is not None else None
    return {
        "due_at": due.isoformat() if due else None,
        "owed_since": owed_since.isoformat() if owed_since else None,
        "certification_text": matters.rules.certifications.get(case.certification, ""),
        "case_reason": case.reason,
        "case_reason_text": reason_text(case.reason),
        "offered": "" if offered is None else "me" if offered == agent_id else "other",
        "offered_name": "" if offered is None else names.get(offered, "同事"),
        "offered_until": until.isoformat() if until else None,
    }


async def breaches(session: AsyncSession, now: datetime) -> Sequence[Breach]:
    """Everything that is late now, the latest first."""
    found = [*await _late_cases(session, now), *await _late_callbacks(session, now)]
    found += await _late_complaints(session, now)
    return sorted(found, key=lambda breach: breach.due_at)[:ALERTS_MAX]


async def _late_cases(session: AsyncSession, now: datetime) -> list[Breach]:
    rows = await session.execute(
        select(Case, DeskAgent.display_name)
        .outerjoin(DeskAgent, DeskAgent.id == Case.agent_id)
        .where(Case.ended_at.is_(None))
    )
    found = []
    for case, name in rows.all():
        due = due_at(case)
        kind: Kind = "first_reply" if case.first_reply_at is None else "next_reply"
        if due is None or now <= due:
            kind, due = "resolution", case.resolution_due_at
        if now > due:
            found.append(Breach(kind, case.conversation_id, reason_text(case.reason), name or "", due))
    return found


async def _late_callbacks(session: AsyncSession, now: datetime) -> list[Breach]:
    rows = await session.execute(
        select(Ticket.number, Ticket.promised_at)
        .where(Ticket.status == "open", Ticket.promised_at < now)
        .order_by(Ticket.promised_at)
        .limit(ALERTS_MAX)
    )
    return [Breach("callback", number, "回电工单", "", promised) for number, promised in rows.all()]


async def _late_complaints(session: AsyncSession, now: datetime) -> list[Breach]:
    """Those not answered in time, and those that nobody has even taken in time."""
    unanswered, untaken = Complaint.answer_due_at < now, Complaint.acked_at.is_(None)
    rows = await session.scalars(
        select(Complaint)
        .where(Complaint.status.in_(OPEN), unanswered | (untaken & (Complaint.ack_due_at < now)))
        .order_by(Complaint.answer_due_at)
        .limit(ALERTS_MAX)
    )
    return [
        Breach("complaint", row.number, "投诉", row.assignee_name or "", row.answer_due_at)
        if row.answer_due_at < now
        else Breach("complaint_ack", row.number, "投诉", "", row.ack_due_at)
        for row in rows
    ]


def breach_view(breach: Breach) -> dict[str, str]:
    """One line of the supervisor's alerts."""
    return {
        "kind": breach.kind,
        "kind_text": KIND_TEXT[breach.kind],
        "number": breach.number,
        "about": breach.about,
        "agent_name": breach.agent_name,
        "due_at": breach.due_at.isoformat(),
    }
