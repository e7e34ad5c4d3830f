"""The timetable of one process: APScheduler wakes the runner up, the database decides who works.

Each job is woken by its own trigger. Besides, everything is looked after every half a minute: what was missed while
no process ran, what failed and is to be tried again, and what a dead process left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from banking_core.checked import checked
from banking_core.clock import BANK_ZONE
from banking_core.scheduling.errors import JobUnknown
from banking_core.scheduling.jobs import Job, Trigger, every
from banking_core.scheduling.runner import Ended, JobRunner

log = logging.getLogger(__name__)
LOOK_AFTER_S = 30
Own = Callable[[], Awaitable[object]]


@checked
class Scheduler:
    """Runs jobs on their timetable from `start` to `close`."""

    def __init__(self, runner: JobRunner, jobs: Sequence[Job], *, look_after_s: int = LOOK_AFTER_S) -> None:
        assert len({job.name for job in jobs}) == len(jobs), "two jobs have one name"
        self._runner = runner
        self._look_after_s = look_after_s
        self._busy = {job.name: asyncio.Lock() for job in jobs}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timetable: AsyncIOScheduler | None = None
        self._own: dict[str, tuple[Trigger, Own]] = {}
        self.jobs = tuple(jobs)

    def also(self, name: str, trigger: Trigger, call: Own) -> None:
        """Adds what every process does for itself, such as renewing what it keeps in memory; no run is written down."""
        assert self._timetable is None and name not in self._own and name not in self._busy
        self._own[name] = (trigger, call)

    def start(self) -> None:
        """Begins to run jobs; what was missed, and what this process does for itself, is run at once."""
        assert self._timetable is None, "started twice"
        now = datetime.now(BANK_ZONE)
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._timetable = AsyncIOScheduler(timezone=BANK_ZONE, job_defaults=defaults)
        for job in self.jobs:
            self._timetable.add_job(self._wake, job.trigger, args=[(job,)], id=job.name)
        self._timetable.add_job(
            self._wake,
            every(self._look_after_s),
            args=[self.jobs],
            id="look_after",
            next_run_time=now,
        )
        for name, (trigger, call) in self._own.items():
            self._timetable.add_job(self._wake_own, trigger, args=[name, call], id=name, next_run_time=now)
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
        self._begin(self._run_each(jobs))

    async def _wake_own(self, name: str, call: Own) -> None:
        async def logged() -> None:
            try:
                await call()
            except Exception:
                log.exception("%s failed", name)

        self._begin(logged())

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """A task of ours, so that `close` can wait for its end."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_each(self, jobs: Sequence[Job]) -> None:
        """One job that goes wrong does not hold up the others."""
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
