"""Proofs are kept no longer than somebody may ask about them: codes, log-ins and recoveries under way, places."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity.login_facts import PLACE_KEPT
from banking_core.identity.models import KnownPlace, LoginAttempt, OtpChallenge, Recovery

KEPT = timedelta(days=30)  # longer than any limit on sending looks back
BATCH_ROWS = 500
# Table, key, the time from which its rows age, for how long they are kept.
AGEING: tuple[tuple[type[Any], str, str, timedelta], ...] = (
    (OtpChallenge, "id", "expires_at", KEPT),
    (LoginAttempt, "id", "expires_at", KEPT),
    (Recovery, "id", "expires_at", KEPT),
    (KnownPlace, "key", "last_seen_at", PLACE_KEPT),
)


async def clear_proofs(session: AsyncSession, now: datetime) -> int:
    """Deletes what is too old, some rows of each table; returns how many. Never commits: call again until 0."""
    count = 0
    for model, key, ages_from, kept in AGEING:
        row_key, at = getattr(model, key), getattr(model, ages_from)
        old = select(row_key).where(at < now - kept).order_by(at).limit(BATCH_ROWS)
        gone = await session.execute(delete(model).where(row_key.in_(old)).returning(row_key))
        count += len(gone.all())
    return count
