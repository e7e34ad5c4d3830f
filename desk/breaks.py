"""The breaks of a day, who, why and how long: ended ones from the audit trail, the others from who is on one now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import AuditQuery, search
from desk.models import DeskAgent, Presence
from desk.presences import BREAK_ENDED, BREAK_TEXT
from desk.trail import agent_names

BREAKS_MAX = 500


@dataclass(frozen=True)
class Break:
    """One break; `ended_at` None while it lasts. `reason` in words."""

    agent_name: str
    reason: str
    began_at: datetime
    ended_at: datetime | None
    seconds: int


async def breaks(session: AsyncSession, begins: datetime, ends: datetime, now: datetime) -> Sequence[Break]:
    """Breaks that ended between the two, and those that began before `ends` and last; the newest first."""
    names = await agent_names(session)
    page = await search(session, AuditQuery(action=BREAK_ENDED, since=begins, until=ends), limit=BREAKS_MAX)
    found = []
    for record in page.records:
        noted = record.after or {}
        seconds = int(noted.get("seconds", 0))
        name, reason = names.get(record.object_id, ""), _reason_text(str(noted.get("reason", "")))
        found.append(Break(name, reason, record.at - timedelta(seconds=seconds), record.at, seconds))
    rows = await session.execute(
        select(Presence, DeskAgent.display_name)
        .join(DeskAgent, DeskAgent.id == Presence.agent_id)
        .where(Presence.state == "break", Presence.changed_at < ends)
    )
    found += [
        Break(
            name,
            _reason_text(row.break_reason),
            row.changed_at,
            None,
            int((now - row.changed_at).total_seconds()),
        )
        for row, name in rows.all()
    ]
    return sorted(found, key=lambda each: each.began_at, reverse=True)


def _reason_text(code: str) -> str:
    return BREAK_TEXT.get(code, code)
