"""The bank's own jobs. Whoever runs the bank gives them to a `Scheduler`; `docs/orders.md` lists them.

Each may be done twice without a second effect. A sweep does whatever is due at the moment it runs, so only its newest
slot matters.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.checked import checked_function
from banking_core.identity.upkeep import clear_proofs
from banking_core.scheduling import Job, Slot, daily, drain, every, monthly
from banking_core.scheduling.jobs import Work
from banking_core.storage import Database

SWEEP_CATCH_UP = timedelta(minutes=10)
SWEEP_LEASE_S = 20
DAILY_CATCH_UP = timedelta(days=400)
MONTHLY_CATCH_UP = timedelta(days=730)
STATEMENTS_AT = time(2, 0)
PROOFS_AT = time(3, 10)
INTEREST_AT = time(0, 20)  # the day before has ended, and what was booked at its end is written


@checked_function
def sweep_job(name: str, seconds: int, work: Work) -> Job:
    """A job that does whatever is due, every so many seconds."""
    return Job(name, every(seconds), work, SWEEP_CATCH_UP, lease_s=SWEEP_LEASE_S)


@checked_function
def bank_jobs(bank: Bank, database: Database) -> tuple[Job, ...]:
    """Every job of the bank that needs nobody to be told at once."""
    return (
        sweep_job("hold_expiry", 30, _drained(database, "expired", _hold_expiry(bank))),
        sweep_job("order_expiry", 30, _drained(database, "expired", bank.orders.expire_due)),
        sweep_job("mandates", 30, _mandates(bank, database)),
        sweep_job("notices", 10, _notices(bank, database)),
        Job("proofs", daily(PROOFS_AT), _drained(database, "cleared", _old_proofs(bank)), DAILY_CATCH_UP),
        Job(
            "interest",
            daily(INTEREST_AT),
            _interest(bank, database),
            DAILY_CATCH_UP,
            each=True,
            attempts_max=5,
            retry_after_s=300,
            keep_runs=800,
        ),
        Job(
            "statements",
            monthly(1, STATEMENTS_AT),
            _statements(bank, database),
            MONTHLY_CATCH_UP,
            each=True,
            attempts_max=5,
            retry_after_s=600,
        ),
    )


def _drained(database: Database, what: str, step: Callable[[AsyncSession], Awaitable[int]]) -> Work:
    async def work(_slot: Slot) -> str:
        return f"{what}={await drain(database, step)}"

    return work


def _mandates(bank: Bank, database: Database) -> Work:
    async def work(_slot: Slot) -> str:
        return await bank.mandates.run_due(database)

    return work


def _notices(bank: Bank, database: Database) -> Work:
    async def work(_slot: Slot) -> str:
        return f"sent={await bank.notices.send_due(database)}"

    return work


def _interest(bank: Bank, database: Database) -> Work:
    async def work(slot: Slot) -> str:
        return await bank.interest.run(database, slot.day - timedelta(days=1))

    return work


def _statements(bank: Bank, database: Database) -> Work:
    async def work(slot: Slot) -> str:
        return await bank.monthly_statements.run(database, slot.day.replace(day=1) - timedelta(days=1))

    return work


def _old_proofs(bank: Bank) -> Callable[[AsyncSession], Awaitable[int]]:
    async def step(session: AsyncSession) -> int:
        return await clear_proofs(session, bank.clock.now()) + await bank.voiceprints.clear(session)

    return step


def _hold_expiry(bank: Bank) -> Callable[[AsyncSession], Awaitable[int]]:
    async def step(session: AsyncSession) -> int:
        return len(await bank.ledger.expire_holds(session, bank.clock.now()))

    return step
