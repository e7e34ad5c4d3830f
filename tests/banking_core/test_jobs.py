"""What the bank's jobs do; that each run happens once is tested in `scheduling/`."""

from __future__ import annotations

from datetime import timedelta

from banking_core.bank import Bank
from banking_core.clock import ManualClock
from banking_core.jobs import bank_jobs
from banking_core.scheduling import JobRunner, Scheduler
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying


def scheduler(bank: Bank, database: Database, clock: ManualClock) -> Scheduler:
    return Scheduler(JobRunner(database, clock), bank_jobs(bank, database))


async def detail(scheduler: Scheduler, name: str) -> str:
    (ended,) = await scheduler.run_due(name)
    assert ended.outcome == "done", ended
    return ended.detail


async def test_holds_past_their_time_give_the_money_back(
    bank: Bank, database: Database, clock: ManualClock
) -> None:
    paying = await Paying.open(database, bank)
    account_id = paying.payer.account.ledger_account_id
    async with database.transaction() as session:
        for number, minutes in enumerate((1, 1, 60)):
            await bank.ledger.place_hold(
                session,
                key=f"hold-{number}",
                ledger_account_id=account_id,
                amount_fen=100_00,
                expires_at=clock.now() + timedelta(minutes=minutes),
            )
    jobs = scheduler(bank, database, clock)
    assert await detail(jobs, "hold_expiry") == "expired=0"
    clock.advance(seconds=120)
    assert await detail(jobs, "hold_expiry") == "expired=2"
    async with database.snapshot() as session:
        assert (await bank.ledger.standing(session, account_id)).available_fen == 900_00
    await paying.verify()


async def test_orders_nobody_confirmed_expire(bank: Bank, database: Database, clock: ManualClock) -> None:
    paying = await Paying.open(database, bank)
    order = await paying.draft()
    jobs = scheduler(bank, database, clock)
    assert await detail(jobs, "order_expiry") == "expired=0"
    clock.advance(seconds=600)
    assert await detail(jobs, "order_expiry") == "expired=1"
    assert (await paying.stored(order)).status == "expired"
