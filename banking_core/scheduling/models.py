"""The runs of jobs: what makes a job run once though several processes wake up for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base


class JobRun(Base):
    """One job at one slot of its timetable; the key (job, slot) exists once.

    Whoever wrote the row, or took it over after `lease_until`, is the one to work on it; `claim` tells claims
    apart, so that a process that was thought dead cannot close a run that another one works on. An `outcome` is
    final: done, failed (tried as often as allowed) or superseded (a newer slot did its work).
    """

    __tablename__ = "job_run"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'failed', 'superseded')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (finished_at IS NULL)", name="finished"),
        CheckConstraint("attempts >= 0", name="attempts"),
    )

    job: Mapped[str] = mapped_column(String(32), primary_key=True)
    slot_at: Mapped[datetime] = mapped_column(primary_key=True)
    attempts: Mapped[int] = mapped_column(Integer)
    claim: Mapped[str] = mapped_column(String(32))
    claimed_by: Mapped[str] = mapped_column(String(64))
    claimed_at: Mapped[datetime]
    lease_until: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(String(200), default="")
