"""Jobs whose work can be counted, held up and made to fail; and a process that dies in the middle of one."""

from __future__ import annotations

import asyncio
import time as timing
from datetime import datetime, time, timedelta
from pathlib import Path

from banking_core.clock import ManualClock
from banking_core.ledger import EntryDraft, InternalAccount, Ledger
from banking_core.scheduling import Job, JobRunner, Slot, daily, every
from banking_core.scheduling.jobs import Trigger
from banking_core.storage import Database

AT = time(0, 20)
LEASE_S = 60


class Work:
    """Notes every slot it was called for; raises what it is told to; waits while `gate` is closed."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self.errors: list[Exception] = []
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.cancelled = 0
        self.gate.set()

    async def __call__(self, slot: Slot) -> str:
        self.slots.append(slot)
        self.begun.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.errors:
            raise self.errors.pop(0)
        return f"worked={len(self.slots)}"

    @property
    def days(self) -> list[str]:
        return [f"{slot.day:%m-%d}" for slot in self.slots]


def each_day(work: Work, *, attempts_max: int = 3, catch_up_days: int = 10) -> Job:
    """Every missed day is run, oldest first."""
    return Job(
        "each_day",
        daily(AT),
        work,
        timedelta(days=catch_up_days),
        each=True,
        attempts_max=attempts_max,
        lease_s=LEASE_S,
    )


def sweep(work: Work, trigger: Trigger = None) -> Job:
    """The newest slot does the work of those before it."""
    return Job("sweep", trigger or every(10), work, timedelta(minutes=2), lease_s=LEASE_S, keep_runs=5)


def pay_once_and_hang(url: str, begun: Path, now: datetime) -> None:
    """The main function of a process: takes a slot, books its effect, and never comes to an end."""

    async def main() -> None:
        database, clock = Database(url), ManualClock(now)

        async def work(slot: Slot) -> str:
            await book(database, clock, slot)
            begun.touch()
            timing.sleep(600)  # noqa: ASYNC251 - the whole process hangs, so that only kill -9 ends it
            return "never"

        await JobRunner(database, clock).run_due(paying_job(work))

    asyncio.run(main())


def paying_job(work: object) -> Job:
    return Job("paying", daily(AT), work, timedelta(days=3), each=True, attempts_max=3, lease_s=LEASE_S)  # type: ignore[arg-type]


async def book(database: Database, clock: ManualClock, slot: Slot) -> str:
    """The effect of a job: one booking under a key that the slot decides."""
    ledger = Ledger(clock)
    async with database.transaction() as session:
        expense = await ledger.internal(session, InternalAccount.INTEREST_EXPENSE)
        outside = await ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
        await ledger.post(
            session,
            key=f"paying:{slot.day}",
            kind="test",
            entries=[EntryDraft(expense, -1), EntryDraft(outside, 1)],
            memo="",
        )
    return "paid"
