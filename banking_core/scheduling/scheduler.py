"""The timetable of one process: APScheduler wakes the runner up, the database decides who works.

Each job is woken by its own trigger. Besides, everything is looked after every half a minute: what was missed while
no process ran, what failed and is to be tried again, and what a dead process left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from banking_core.clock import BANK_ZONE
from banking_core.scheduling.errors import JobUnknown
from banking_core.scheduling.jobs import Job, every
from banking_core.scheduling.runner import Ended, JobRunner

log = logging.getLogger(__name__)
LOOK_AFTER_S = 30


class Scheduler:
    """Runs jobs on their timetable from `start` to `close`."""

    def __init__(self, runner: JobRunner, jobs: Sequence[Job], *, look_after_s: int = LOOK_AFTER_S) -> None:
        assert len({job.name for job in jobs}) == len(jobs), "two jobs have one name"
        self._runner = runner
        self._look_after_s = look_after_s
        self._busy = {job.name: asyncio.Lock() for job in jobs}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timetable: AsyncIOScheduler | None = None
        self.jobs = tuple(jobs)

    def start(self) -> None:
        """Begins to run jobs; what was missed is run at once."""
        assert self._timetable is None, "started twice"
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._timetable = AsyncIOScheduler(timezone=BANK_ZONE, job_defaults=defaults)
        for job in self.jobs:
            self._timetable.add_job(self._wake, job.trigger, args=[(job,)], id=job.name)
        self._timetable.add_job(
            self._wake,
            every(self._look_after_s),
            args=[self.jobs],
            id="look_after",
            next_run_time=datetime.now(BANK_ZONE),
        )
        self._timetable.start()

    async def close(self) -> None:
        """Stops, and gives back what was being worked on to other processes."""
        if self._timetable is not None:
            self._timetable.shutdown(wait=False)
            self._timetable = None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run_due(self, name: str | None = None) -> list[Ended]:
        """Runs what is due now, of one job or of all, one after the other. Raises JobUnknown."""
        if name is not None and name not in self._busy:
            raise JobUnknown(f"no job {name!r}")
        ended: list[Ended] = []
        for job in self.jobs:
            if name in (None, job.name):
                ended += await self._run(job)
        return ended

    async def _wake(self, jobs: Sequence[Job]) -> None:
        """Called by the timetable. One job that goes wrong does not hold up the others."""
        task = asyncio.create_task(self._run_each(jobs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_each(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if self._busy[job.name].locked():
                continue
            try:
                await self._run(job)
            except Exception:
                log.exception("job %s could not be looked after", job.name)

    async def _run(self, job: Job) -> list[Ended]:
        async with self._busy[job.name]:
            return await self._runner.run_due(job)
