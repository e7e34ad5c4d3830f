"""Each run of a job happens once, whatever processes come, go and die."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from banking_core.clock import ManualClock
from banking_core.errors import Refused
from banking_core.ledger import LedgerTransaction
from banking_core.scheduling import JobIncomplete, JobRun, JobRunner, latest_runs
from banking_core.storage import Database
from tests.banking_core.scheduling.working import (
    LEASE_S,
    Work,
    book,
    each_day,
    pay_once_and_hang,
    paying_job,
    sweep,
)

DAY_S = 24 * 3600
PATIENCE_S = 60


async def never(_seconds: float) -> None:
    """A sleep that does not end: the lease is not renewed."""
    await asyncio.Event().wait()


@pytest.fixture
def work() -> Work:
    return Work()


def runner(database: Database, clock: ManualClock) -> JobRunner:
    return JobRunner(database, clock, sleep=never)


async def runs(database: Database) -> list[tuple[str, str | None, int]]:
    """Day (at the bank), outcome and attempts of every run, oldest first."""
    async with database.snapshot() as session:
        rows = (await session.scalars(select(JobRun).order_by(JobRun.slot_at))).all()
    return [(f"{row.slot_at + timedelta(hours=8):%m-%d}", row.outcome, row.attempts) for row in rows]


async def test_of_many_processes_one_does_the_work(
    database: Database, clock: ManualClock, work: Work
) -> None:
    others = [Database(database.engine.url.render_as_string(hide_password=False)) for _ in range(4)]
    runners = [runner(each, clock) for each in others for _ in range(3)]
    for _ in range(3):
        await asyncio.gather(*(each.run_due(each_day(work)) for each in runners))
        clock.advance(seconds=DAY_S)
    assert work.days == ["11-02", "11-03", "11-04"]
    assert await runs(database) == [("11-02", "done", 1), ("11-03", "done", 1), ("11-04", "done", 1)]
    for each in others:
        await each.close()


async def test_missed_days_are_caught_up_in_order_and_not_without_end(
    database: Database, clock: ManualClock, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    job = each_day(work, catch_up_days=3)
    await runner(database, clock).run_due(job)
    clock.advance(seconds=2 * DAY_S)
    await runner(database, clock).run_due(job)
    assert work.days == ["11-02", "11-03", "11-04"]
    clock.advance(seconds=30 * DAY_S)
    with caplog.at_level(logging.WARNING):
        await runner(database, clock).run_due(job)
    assert work.days[3:] == ["12-02", "12-03", "12-04"]
    assert "not caught up" in caplog.text


async def test_a_sweep_runs_once_after_downtime(database: Database, clock: ManualClock, work: Work) -> None:
    for seconds in (0, 5, 5, 3600):
        clock.advance(seconds=seconds)
        await runner(database, clock).run_due(sweep(work))
    assert len(work.slots) == 3


async def test_only_the_newest_runs_are_kept(database: Database, clock: ManualClock, work: Work) -> None:
    for _ in range(12):
        await runner(database, clock).run_due(sweep(work))
        clock.advance(seconds=10)
    assert len(work.slots) == 12
    assert len(await runs(database)) == 5


async def test_what_fails_is_tried_again_later_and_holds_up_the_days_after_it(
    database: Database, clock: ManualClock, work: Work
) -> None:
    work.errors = [JobIncomplete("2 of 9"), RuntimeError("a defect")]
    job = each_day(work)
    (ended,) = await runner(database, clock).run_due(job)
    assert (ended.outcome, ended.detail) == ("postponed", "job_incomplete: 2 of 9")
    clock.advance(seconds=59)
    assert await runner(database, clock).run_due(job) == []
    clock.advance(seconds=1)
    (ended,) = await runner(database, clock).run_due(job)
    assert (ended.outcome, ended.detail) == ("postponed", "defect: RuntimeError")
    clock.advance(seconds=DAY_S)
    await runner(database, clock).run_due(job)
    assert work.days == ["11-02", "11-02", "11-02", "11-03"]
    assert await runs(database) == [("11-02", "done", 3), ("11-03", "done", 1)]


async def test_after_the_last_try_a_run_has_failed_and_the_next_goes_on(
    database: Database, clock: ManualClock, work: Work
) -> None:
    work.errors = [Refused("no")] * 2
    job = each_day(work, attempts_max=2)
    for _ in range(2):
        await runner(database, clock).run_due(job)
        clock.advance(seconds=60)
    clock.advance(seconds=DAY_S)
    await runner(database, clock).run_due(job)
    assert await runs(database) == [("11-02", "failed", 2), ("11-03", "done", 1)]
    async with database.snapshot() as session:
        (latest,) = await latest_runs(session)
    assert (latest.job, latest.outcome, latest.detail) == ("each_day", "done", "worked=3")


async def test_the_runs_of_a_job_do_not_overlap(database: Database, clock: ManualClock, work: Work) -> None:
    work.gate.clear()
    slow = asyncio.create_task(runner(database, clock).run_due(sweep(work)))
    await asyncio.wait_for(work.begun.wait(), PATIENCE_S)
    clock.advance(seconds=20)
    assert await runner(database, clock).run_due(sweep(work)) == []
    work.gate.set()
    await slow
    assert len(await runner(database, clock).run_due(sweep(work))) == 1


async def test_a_run_whose_process_hangs_is_taken_over_and_cannot_be_closed_by_it(
    database: Database, clock: ManualClock, work: Work
) -> None:
    work.gate.clear()
    first = asyncio.create_task(runner(database, clock).run_due(each_day(work)))
    await asyncio.wait_for(work.begun.wait(), PATIENCE_S)
    clock.advance(seconds=LEASE_S - 1)
    assert await runner(database, clock).run_due(each_day(work)) == []
    clock.advance(seconds=1)
    second_work = Work()
    (second,) = await runner(database, clock).run_due(each_day(second_work))
    assert (second.outcome, second.slot.attempt) == ("done", 2)
    work.gate.set()
    assert [ended.outcome for ended in await first] == ["lost"]
    assert await runs(database) == [("11-02", "done", 2)]
    async with database.snapshot() as session:
        assert await session.scalar(select(JobRun.detail)) == "worked=1"


async def test_a_long_run_keeps_its_lease(database: Database, clock: ManualClock, work: Work) -> None:
    ticks: asyncio.Queue[None] = asyncio.Queue()
    renewed = asyncio.Event()

    async def tick(seconds: float) -> None:
        assert seconds == LEASE_S / 3
        renewed.set()
        await ticks.get()

    work.gate.clear()
    running = asyncio.create_task(JobRunner(database, clock, sleep=tick).run_due(each_day(work)))
    for _ in range(6):
        await asyncio.wait_for(renewed.wait(), PATIENCE_S)
        assert await runner(database, clock).run_due(each_day(Work())) == []
        clock.advance(seconds=LEASE_S / 3)
        renewed.clear()
        ticks.put_nowait(None)
    work.gate.set()
    assert [ended.outcome for ended in await running] == ["done"]
    assert await runs(database) == [("11-02", "done", 1)]


async def test_who_hears_that_the_slot_is_anothers_stops_working(
    database: Database, clock: ManualClock, work: Work
) -> None:
    renew = asyncio.Event()

    async def when_told(_seconds: float) -> None:
        await renew.wait()

    work.gate.clear()
    first = asyncio.create_task(JobRunner(database, clock, sleep=when_told).run_due(each_day(work)))
    await asyncio.wait_for(work.begun.wait(), PATIENCE_S)
    async with database.transaction() as session:
        await session.execute(update(JobRun).values(claim="another"))
    renew.set()
    assert [ended.outcome for ended in await first] == ["lost"]
    assert work.cancelled == 1


async def test_a_process_that_is_stopped_gives_its_slot_back_at_once(
    database: Database, clock: ManualClock, work: Work
) -> None:
    work.gate.clear()
    stopped = asyncio.create_task(runner(database, clock).run_due(each_day(work)))
    await asyncio.wait_for(work.begun.wait(), PATIENCE_S)
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert work.cancelled == 1
    work.gate.set()
    (ended,) = await runner(database, clock).run_due(each_day(work))
    assert (ended.outcome, ended.slot.attempt) == ("done", 1)


@pytest.mark.process
async def test_a_killed_process_is_replaced_and_the_effect_is_there_once(
    database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    begun = tmp_path / "begun"
    context = multiprocessing.get_context("forkserver")
    killed = 0
    for _ in range(2):
        process = context.Process(target=pay_once_and_hang, args=(url, begun, clock.now()), daemon=True)
        process.start()
        for _ in range(PATIENCE_S * 50):
            if begun.exists():
                break
            await asyncio.sleep(0.02)
        assert begun.exists()
        process.kill()
        process.join(PATIENCE_S)
        assert process.exitcode == -9
        killed += 1
        begun.unlink()
        clock.advance(seconds=LEASE_S)
    (ended,) = await runner(database, clock).run_due(paying_job(lambda slot: book(database, clock, slot)))
    assert (ended.outcome, ended.slot.attempt) == ("done", killed + 1)
    assert await runs(database) == [("11-02", "done", 3)]
    async with database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(LedgerTransaction)) == 1


async def test_a_run_that_kills_every_process_is_given_up(
    database: Database, clock: ManualClock, work: Work
) -> None:
    job = each_day(work, attempts_max=2)
    async with database.transaction() as session:
        dead = {"claim": "dead", "claimed_by": "dead", "claimed_at": clock.now(), "lease_until": clock.now()}
        slot_at = clock.now() - timedelta(hours=2)
        session.add(JobRun(job="each_day", slot_at=slot_at, attempts=2, detail="", **dead))
    assert await runner(database, clock).run_due(job) == []
    async with database.snapshot() as session:
        (row,) = await latest_runs(session)
    assert (row.outcome, row.detail) == ("failed", "worker_lost")
    clock.advance(seconds=DAY_S)
    assert [ended.outcome for ended in await runner(database, clock).run_due(job)] == ["done"]


async def test_an_older_sweep_of_a_dead_process_is_superseded(
    database: Database, clock: ManualClock, work: Work
) -> None:
    async with database.transaction() as session:
        dead = {"claim": "dead", "claimed_by": "dead", "claimed_at": clock.now(), "lease_until": clock.now()}
        session.add(JobRun(job="sweep", slot_at=clock.now(), attempts=1, detail="", **dead))
    clock.advance(seconds=15)
    await runner(database, clock).run_due(sweep(work))
    assert [outcome for _, outcome, _ in await runs(database)] == ["superseded", "done"]
