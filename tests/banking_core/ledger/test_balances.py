from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from banking_core.core import Core
from banking_core.ledger import (
    BelowFloor,
    InternalAccount,
    LedgerAccountInvalid,
    LedgerAccountNotFound,
    LedgerPostingInvalid,
    LedgerTransactionNotFound,
)
from banking_core.storage import Database
from tests.banking_core.ledger.books import lines, move, open_books

DAY = datetime(2026, 3, 1, tzinfo=UTC)


async def test_a_balance_as_of_any_instant_counts_what_was_booked_up_to_it(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        world, (a,) = await open_books(session, core.ledger, 0)
        for day, amount_fen in ((3, 300), (1, 100), (2, 200)):  # not in the order of time
            await core.ledger.post(
                session,
                key=f"d{day}",
                kind="test",
                entries=lines(world, a, amount_fen),
                memo="",
                booked_at=DAY + timedelta(days=day),
            )
        ats = [DAY + timedelta(days=day) for day in range(5)]
        assert [await core.ledger.balance_at(session, a, at) for at in ats] == [0, 100, 300, 600, 600]
        just_before = DAY + timedelta(days=2) - timedelta(microseconds=1)
        assert await core.ledger.balance_at(session, a, just_before) == 100
        assert [await core.ledger.balance_after(session, a, number) for number in (1, 2, 3)] == [
            300,
            400,
            600,
        ]
        trials = [(await core.ledger.trial_balance(session, at))[0] for at in ats]
        assert [(trial.debit_fen, trial.credit_fen) for trial in trials] == [
            (total, total) for total in (0, 100, 300, 600, 600)
        ]
        with pytest.raises(LedgerAccountNotFound):
            await core.ledger.balance_at(session, 999, DAY)
        with pytest.raises(LedgerTransactionNotFound):
            await core.ledger.balance_after(session, a, 999)
        with pytest.raises(LedgerPostingInvalid):
            await core.ledger.balance_at(session, a, DAY.replace(tzinfo=None))


async def test_the_trial_balance_balances_in_each_currency(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        await open_books(session, core.ledger, 500, 700)
        await open_books(session, core.ledger, 30, currency="EUR")
        trials = {trial.currency: trial for trial in await core.ledger.trial_balance(session)}
    assert {currency: (trial.debit_fen, trial.credit_fen) for currency, trial in trials.items()} == {
        "CNY": (1200, 1200),
        "EUR": (30, 30),
    }


async def test_floors_come_with_the_purpose_or_the_account(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        world, (deposit,) = await open_books(session, core.ledger, 0)
        card = await core.ledger.open_account(
            session,
            code="card",
            name="信用卡",
            kind="customer",
            normal_side="credit",
            floor_fen=-500,
            purpose="credit_card",
        )
        suspense = await core.ledger.open_for(session, code="s", name="待清算", purpose="suspense")
        for account_id, spendable in ((deposit, 0), (card.id, 500)):
            if spendable:
                await move(session, core.ledger, f"all:{account_id}", account_id, world, spendable)
            with pytest.raises(BelowFloor):
                await move(session, core.ledger, f"more:{account_id}", account_id, world, 1)
        await move(session, core.ledger, "overdraw", suspense.id, world, 10**9)
        assert (await core.ledger.standing(session, card.id)).available_fen == 0


async def test_the_banks_own_accounts_are_one_per_currency(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        fee = InternalAccount.FEE_INCOME
        ids = [await core.ledger.internal(session, fee, currency) for currency in ("CNY", "USD", "USD")]
        assert ids[0] != ids[1] == ids[2]
        with pytest.raises(LedgerAccountInvalid):
            await core.ledger.internal(session, fee, "XXX")
        with pytest.raises(LedgerAccountInvalid):
            await core.ledger.open_for(session, code="x", name="x", purpose="nothing")
