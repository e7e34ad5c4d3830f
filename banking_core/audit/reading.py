"""Asking the trail: by customer, by who acted, by object, by time; the newest first, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit.models import AuditRecord
from banking_core.checked import checked_function

LIMIT_MAX = 1000


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to look for; None and "" leave open. `since` is included, `until` is not."""

    customer_id: str | None = None
    actor_id: str | None = None
    actor_kind: str | None = None
    action: str = ""  # the beginning of it: 'payee.' finds every change of the payee book
    object_kind: str = ""
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Records, newest first; `next_before_id` is what to pass for the next page, None at the end."""

    records: Sequence[AuditRecord]
    next_before_id: int | None


@checked_function
async def search(
    session: AsyncSession, query: AuditQuery, *, before_id: int | None = None, limit: int = 50
) -> AuditPage:
    """At most `limit` (1 to 1000) records; a page costs the same however far back it lies."""
    limit = max(1, min(limit, LIMIT_MAX))
    statement = select(AuditRecord).where(*_conditions(query))
    if before_id is not None:
        statement = statement.where(AuditRecord.id < before_id)
    rows = (await session.scalars(statement.order_by(AuditRecord.id.desc()).limit(limit + 1))).all()
    page = rows[:limit]
    return AuditPage(page, page[-1].id if len(rows) > limit else None)


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, wanted in (
        (AuditRecord.customer_id, query.customer_id),
        (AuditRecord.actor_id, query.actor_id),
        (AuditRecord.actor_kind, query.actor_kind),
        (AuditRecord.object_kind, query.object_kind),
        (AuditRecord.object_id, query.object_id),
    ):
        if wanted:
            found.append(column == wanted)
    if query.action:
        found.append(AuditRecord.action.startswith(query.action, autoescape=True))
    if query.since is not None:
        found.append(AuditRecord.at >= query.since)
    if query.until is not None:
        found.append(AuditRecord.at < query.until)
    return found
