"""Running what is due: claims a slot, works with the lease kept alive, and writes down how it ended."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import Who, acting
from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.errors import BankError
from banking_core.scheduling import claims
from banking_core.scheduling.claims import Claim
from banking_core.scheduling.jobs import Job, Slot, slots_between
from banking_core.storage import Database

log = logging.getLogger(__name__)
RENEWALS_PER_LEASE = 3
DEFECT = "defect"
LOST = "lost"


@dataclass(frozen=True)
class Ended:
    """How a run ended in this process: done, failed, postponed (will be tried again) or lost (taken over)."""

    slot: Slot
    outcome: str
    detail: str = ""


@checked
class JobRunner:
    """Runs jobs in one process; any number of them may look after the same jobs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        worker: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        self.worker = worker or f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"

    async def run_due(self, job: Job) -> list[Ended]:
        """Runs every slot of a job that is due and that no other process works on; returns how they ended.

        What the work raises is written down and logged. Raises only what the database raises.
        """
        ended: list[Ended] = []
        for slot_at in await self._due(job):
            held = await self._claim(job, slot_at)
            if held is None:
                if job.each and await self._is_open(job, slot_at):
                    break  # somebody works on it, or it waits to be tried again: the later ones wait for it
                continue
            ended.append(await self._run(job, held))
            if job.each and ended[-1].outcome in ("postponed", LOST):
                break
        return ended

    async def _due(self, job: Job) -> list[datetime]:
        """Slots to be claimed, oldest first; of a job that was never run only the newest.

        None while a process works on the job: the runs of a job do not overlap.
        """
        now = self._clock.now()
        async with self._database.snapshot() as session:
            newest = await claims.newest_slot(session, job)
            still_open = await claims.open_slots(session, job)
            if await claims.is_leased(session, job, now):
                return []
        oldest = now - job.catch_up
        if newest is not None and newest < oldest and job.each:
            log.warning("slots of job %s between %s and %s are not caught up", job.name, newest, oldest)
        fresh = list(slots_between(job.trigger, oldest if newest is None else max(newest, oldest), now))
        if job.each and newest is not None:
            return [*still_open, *fresh]
        return fresh[-1:] or list(still_open)[-1:]

    async def _claim(self, job: Job, slot_at: datetime) -> Claim | None:
        async def take(session: AsyncSession) -> Claim | None:
            now = self._clock.now()
            if not job.each:
                await claims.supersede(session, job, slot_at, now)
            return await claims.claim(session, job, slot_at, worker=self.worker, now=now)

        return await self._database.run(take)

    async def _is_open(self, job: Job, slot_at: datetime) -> bool:
        async with self._database.snapshot() as session:
            return slot_at in await claims.open_slots(session, job)

    async def _run(self, job: Job, held: Claim) -> Ended:
        slot = Slot(job.name, held.slot_at, held.attempt)
        with acting(Who("system", f"job:{job.name}")):
            work: asyncio.Future[str] = asyncio.ensure_future(job.work(slot))
        lease = asyncio.create_task(self._keep_lease(job, held))
        try:
            both: list[asyncio.Future[Any]] = [work, lease]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await _end(work, lease)
            await self._give_back(held)
            raise
        lost = not work.done()
        await _end(work, lease)
        if lost:
            log.error("job %s lost its slot %s to another process", job.name, held.slot_at)
            return Ended(slot, LOST)
        return await self._write_down(job, held, slot, work)

    async def _keep_lease(self, job: Job, held: Claim) -> None:
        """Renews the lease until cancelled; returns when the slot is somebody else's."""
        while True:
            await self._sleep(job.lease_s / RENEWALS_PER_LEASE)
            try:
                async with self._database.transaction() as session:
                    kept = await claims.renew(session, held, lease_s=job.lease_s, now=self._clock.now())
            except Exception:
                log.exception(
                    "the lease of job %s was not renewed", job.name
                )  # there are more tries before it ends
                continue
            if not kept:
                return

    async def _write_down(self, job: Job, held: Claim, slot: Slot, work: asyncio.Future[str]) -> Ended:
        try:
            detail, failed = work.result(), False
        except BankError as error:
            detail, failed = f"{error.code}: {error}", True
            log.warning("job %s at %s: %s", job.name, held.slot_at, detail)
        except Exception as error:
            detail, failed = f"{DEFECT}: {type(error).__name__}", True
            log.exception("job %s at %s failed", job.name, held.slot_at)
        again = failed and held.attempt < job.attempts_max
        outcome = "postponed" if again else "failed" if failed else "done"

        async def write(session: AsyncSession) -> bool:
            now = self._clock.now()
            if again:
                until = now + timedelta(seconds=job.retry_after_s)
                return await claims.postpone(session, held, until=until, detail=detail)
            await claims.forget_old(session, job)
            return await claims.finish(session, held, outcome, now=now, detail=detail)

        if not await self._database.run(write):
            log.error("job %s had lost its slot %s to another process", job.name, held.slot_at)
            return Ended(slot, LOST, detail)
        return Ended(slot, outcome, detail)

    async def _give_back(self, held: Claim) -> None:
        try:
            async with self._database.transaction() as session:
                await claims.give_back(session, held, now=self._clock.now())
        except Exception:
            log.exception(
                "slot %s of job %s was not given back", held.slot_at, held.job
            )  # its lease will pass


async def _end(*tasks: asyncio.Future[Any]) -> None:
    """Cancels what is not done and waits for it; its results and errors stay with it."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
