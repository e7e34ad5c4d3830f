"""Claiming a slot: one statement that the database decides, so that of many claimants one has it.

Times are the claimants' own clocks. They may differ by less than a lease; as a job's work may be done twice
without a second effect, a difference costs work and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked_function
from banking_core.scheduling.jobs import Job
from banking_core.scheduling.models import JobRun
from banking_core.storage import new_id

DETAIL_LENGTH_MAX = 200
WORKER_LOST = "worker_lost"


@dataclass(frozen=True)
class Claim:
    """The right to work on one slot for the length of a lease."""

    job: str
    slot_at: datetime
    id: str
    attempt: int


async def claim(
    session: AsyncSession, job: Job, slot_at: datetime, *, worker: str, now: datetime
) -> Claim | None:
    """Takes a slot that nobody has, or whose lease has passed; None when it is somebody's or ended.

    One that was tried as often as allowed and never came to an end is closed as failed instead.
    """
    table = JobRun.__table__
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    claim_id = new_id()
    mine: dict[str, Any] = {
        "claim": claim_id,
        "claimed_by": worker,
        "claimed_at": now,
        "lease_until": now + timedelta(seconds=job.lease_s),
    }
    statement = (
        insert(JobRun)
        .values(job=job.name, slot_at=slot_at, attempts=1, detail="", **mine)
        .on_conflict_do_update(
            index_elements=[table.c.job, table.c.slot_at],
            set_=mine | {"attempts": table.c.attempts + 1},
            where=and_(table.c.finished_at.is_(None), table.c.lease_until <= now),
        )
        .returning(table.c.attempts)
    )
    attempt = await session.scalar(statement)
    if attempt is None:
        return None
    taken = Claim(job.name, slot_at, claim_id, attempt)
    if attempt > job.attempts_max:
        await finish(session, taken, "failed", now=now, detail=WORKER_LOST)
        return None
    return taken


async def renew(session: AsyncSession, held: Claim, *, lease_s: int, now: datetime) -> bool:
    """Makes the lease longer; False when somebody else has the slot now."""
    return await _change(session, held, lease_until=now + timedelta(seconds=lease_s))


async def finish(session: AsyncSession, held: Claim, outcome: str, *, now: datetime, detail: str) -> bool:
    """Closes the run; False when somebody else has the slot now."""
    return await _change(session, held, outcome=outcome, finished_at=now, detail=detail[:DETAIL_LENGTH_MAX])


async def postpone(session: AsyncSession, held: Claim, *, until: datetime, detail: str) -> bool:
    """Leaves the run to be claimed again from `until` on; False when somebody else has the slot now."""
    return await _change(session, held, lease_until=until, detail=detail[:DETAIL_LENGTH_MAX])


async def give_back(session: AsyncSession, held: Claim, *, now: datetime) -> bool:
    """Leaves the run to whoever comes first, as if this try had not been; for a process that is stopping."""
    return await _change(session, held, lease_until=now, attempts=JobRun.attempts - 1)


async def supersede(session: AsyncSession, job: Job, before: datetime, now: datetime) -> None:
    """Closes open runs of older slots whose lease has passed: a newer slot does their work."""
    await session.execute(
        update(JobRun)
        .where(
            JobRun.job == job.name,
            JobRun.slot_at < before,
            JobRun.finished_at.is_(None),
            JobRun.lease_until <= now,
        )
        .values(outcome="superseded", finished_at=now)
    )


async def newest_slot(session: AsyncSession, job: Job) -> datetime | None:
    """The newest slot that was ever claimed."""
    return await session.scalar(select(func.max(JobRun.slot_at)).where(JobRun.job == job.name))


async def open_slots(session: AsyncSession, job: Job) -> Sequence[datetime]:
    """Claimed slots without an outcome, oldest first."""
    statement = (
        select(JobRun.slot_at)
        .where(JobRun.job == job.name, JobRun.finished_at.is_(None))
        .order_by(JobRun.slot_at)
    )
    return (await session.scalars(statement)).all()


async def is_leased(session: AsyncSession, job: Job, now: datetime) -> bool:
    """True while somebody works on a slot of the job, or one waits to be tried again."""
    statement = select(JobRun.job).where(
        JobRun.job == job.name, JobRun.finished_at.is_(None), JobRun.lease_until > now
    )
    return await session.scalar(statement.limit(1)) is not None


async def forget_old(session: AsyncSession, job: Job) -> None:
    """Deletes ended runs beyond the newest `keep_runs`."""
    oldest_kept = (
        select(JobRun.slot_at)
        .where(JobRun.job == job.name)
        .order_by(JobRun.slot_at.desc())
        .limit(1)
        .offset(job.keep_runs - 1)
        .scalar_subquery()
    )
    await session.execute(
        delete(JobRun).where(
            JobRun.job == job.name, JobRun.finished_at.is_not(None), JobRun.slot_at < oldest_kept
        )
    )


@checked_function
async def latest_runs(session: AsyncSession) -> Sequence[JobRun]:
    """The newest run of every job, by name; for the operator."""
    newest = select(JobRun.job, func.max(JobRun.slot_at).label("slot_at")).group_by(JobRun.job).subquery()
    statement = (
        select(JobRun)
        .join(newest, and_(JobRun.job == newest.c.job, JobRun.slot_at == newest.c.slot_at))
        .order_by(JobRun.job)
    )
    return (await session.scalars(statement)).all()


async def _change(session: AsyncSession, held: Claim, **values: Any) -> bool:
    mine: ColumnElement[bool] = and_(
        JobRun.job == held.job,
        JobRun.slot_at == held.slot_at,
        JobRun.claim == held.id,
        JobRun.finished_at.is_(None),
    )
    statement = update(JobRun).where(mine).values(**values).execution_options(synchronize_session=False)
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
