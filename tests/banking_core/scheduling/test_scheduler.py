"""The timetable of a process wakes the runner up."""

from __future__ import annotations

import asyncio

import pytest

from banking_core.clock import ManualClock
from banking_core.scheduling import Ended, Job, JobRunner, JobUnknown, Scheduler, every
from banking_core.storage import Database
from tests.banking_core.scheduling.working import Work, each_day, sweep

PATIENCE_S = 30


async def test_what_was_missed_is_run_at_the_start(database: Database, clock: ManualClock) -> None:
    work = Work()
    scheduler = Scheduler(JobRunner(database, clock), [each_day(work)])
    scheduler.start()
    await asyncio.wait_for(work.begun.wait(), PATIENCE_S)
    await scheduler.close()
    assert work.days == ["11-02"]


async def test_a_job_is_woken_by_its_own_timetable(database: Database, clock: ManualClock) -> None:
    work, woken = Work(), asyncio.Event()

    class Moving(JobRunner):
        """Every look at the clock finds it a day later."""

        async def run_due(self, job: Job) -> list[Ended]:
            clock.advance(seconds=24 * 3600)
            ended = await super().run_due(job)
            if len(work.slots) >= 3:
                woken.set()
            return ended

    scheduler = Scheduler(Moving(database, clock), [sweep(work, every(1))], look_after_s=3600)
    scheduler.start()
    await asyncio.wait_for(woken.wait(), PATIENCE_S)
    await scheduler.close()
    assert len({slot.at for slot in work.slots}) == len(work.slots)


async def test_closing_stops_what_is_under_way(database: Database, clock: ManualClock) -> None:
    work = Work()
    work.gate.clear()
    scheduler = Scheduler(JobRunner(database, clock), [each_day(work)])
    scheduler.start()
    await asyncio.wait_for(work.begun.wait(), PATIENCE_S)
    await scheduler.close()
    assert work.cancelled == 1
    await scheduler.close()


async def test_one_job_can_be_run_by_name(database: Database, clock: ManualClock) -> None:
    first, second = Work(), Work()
    scheduler = Scheduler(JobRunner(database, clock), [each_day(first), sweep(second)])
    assert [ended.outcome for ended in await scheduler.run_due("sweep")] == ["done"]
    assert (first.slots, len(second.slots)) == ([], 1)
    assert [ended.slot.job for ended in await scheduler.run_due()] == ["each_day"]
    with pytest.raises(JobUnknown):
        await scheduler.run_due("tea")
