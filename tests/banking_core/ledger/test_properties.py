from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from banking_core.clock import ManualClock
from banking_core.errors import BankError
from banking_core.ledger import EntryDraft, Ledger, LedgerAccount, LedgerTransaction
from banking_core.storage import Base, Database

FLOORS: tuple[int | None, ...] = (None, 0, -500, 0)
# A step books amounts between accounts, or (as a negative number) reverses an earlier booking.
POSTING = st.lists(
    st.tuples(st.integers(0, len(FLOORS) - 1), st.integers(-400, 400).filter(bool)), min_size=1, max_size=4
)
STEPS = st.lists(st.one_of(POSTING, st.integers(0, 30)), min_size=1, max_size=25)


def balanced(lines: list[tuple[int, int]], accounts: list[int]) -> list[EntryDraft] | None:
    """The lines with one more on the first account that makes them sum to zero."""
    rest = -sum(amount for _, amount in lines)
    if rest == 0:
        return None if len(lines) == 1 else [EntryDraft(accounts[i], amount) for i, amount in lines]
    return [*(EntryDraft(accounts[i], amount) for i, amount in lines), EntryDraft(accounts[0], rest)]


async def run(steps: list[list[tuple[int, int]] | int], folder: Path) -> None:
    ledger = Ledger(ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    database = Database(f"sqlite+aiosqlite:///{folder / 'ledger.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    booked: list[int] = []
    async with database.transaction() as session:
        opened = [
            await ledger.open_account(
                session, code=f"p{index}", name="p", kind="customer", normal_side="credit", floor_fen=floor
            )
            for index, floor in enumerate(FLOORS)
        ]
        accounts = [account.id for account in opened]
    for number, step in enumerate(steps):
        try:
            async with database.transaction() as session:
                if isinstance(step, int):
                    if booked:
                        await ledger.reverse(session, booked[step % len(booked)], f"r{number}")
                elif (lines := balanced(step, accounts)) is not None:
                    transaction = await ledger.post(
                        session, key=f"k{number}", kind="p", entries=lines, memo=""
                    )
                    booked.append(transaction.id)
        except BankError:
            pass  # refused; the invariants below must hold all the same
        async with database.snapshot() as session:
            rows = (await session.scalars(select(LedgerAccount))).all()
            assert sum(row.balance_fen for row in rows) == 0
            assert all(row.floor_fen is None or row.balance_fen >= row.floor_fen for row in rows)
    async with database.snapshot() as session:
        report = await ledger.verify(session)
        reversals = select(func.count(LedgerTransaction.reverses_id))
        distinct = select(func.count(func.distinct(LedgerTransaction.reverses_id)))
        assert await session.scalar(reversals) == await session.scalar(distinct)
    assert report.ok, report.problems
    await database.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_random_postings_and_reversals_keep_the_zero_sum_and_every_floor(
    steps: list[list[tuple[int, int]] | int],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(steps, Path(folder)))
