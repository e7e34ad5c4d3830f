from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banking_core.core import Core
from banking_core.ledger import (
    BelowFloor,
    ExchangeInvalid,
    InternalAccount,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    LedgerTransaction,
)
from banking_core.ledger.exchange import bought_fen, exact_rate
from banking_core.storage import Database
from tests.banking_core.ledger.books import lines, open_books

RATE = Decimal("7.1234")


async def test_dollars_become_yuan_in_one_transaction_through_the_positions(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        _, (usd,) = await open_books(session, core.ledger, 10_001, currency="USD")
        _, (cny,) = await open_books(session, core.ledger, 0)
        done = await core.ledger.exchange(
            session, key="fx", source_id=usd, target_id=cny, sold_fen=10_001, rate=RATE
        )
        # 100.01 USD x 7.1234 = 712.411234 CNY: the customer gets 712.41, the bank keeps 0.1234 fen.
        assert (done.sold_fen, done.bought_fen, done.residual_fen) == (10_001, 71_241, Fraction(1234, 10_000))
        positions = [
            await core.ledger.internal(session, InternalAccount.FX_POSITION, currency)
            for currency in ("USD", "CNY")
        ]
        assert [await core.ledger.balance_fen(session, id_) for id_ in (usd, cny, *positions)] == [
            0,
            71_241,
            10_001,
            -71_241,
        ]
    async with database.snapshot() as session:
        report = await core.ledger.verify(session)
    assert report.ok, report.problems
    assert [(trial.currency, trial.balanced) for trial in report.trial_balances] == [
        ("CNY", True),
        ("USD", True),
    ]


async def test_an_exchange_repeated_moves_nothing_and_at_another_rate_is_a_conflict(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        _, (usd,) = await open_books(session, core.ledger, 10_000, currency="USD")
        _, (cny,) = await open_books(session, core.ledger, 0)
        body = {"key": "fx", "source_id": usd, "target_id": cny, "sold_fen": 100}
        first = await core.ledger.exchange(session, **body, rate=RATE)  # type: ignore[arg-type]
        assert await core.ledger.exchange(session, **body, rate=RATE) == first  # type: ignore[arg-type]
        with pytest.raises(LedgerKeyConflict):
            await core.ledger.exchange(session, **body, rate=Decimal("7.12341"))  # type: ignore[arg-type]
        with pytest.raises(BelowFloor):
            await core.ledger.exchange(
                session, key="fx2", source_id=usd, target_id=cny, sold_fen=9_901, rate=RATE
            )
        assert await core.ledger.balance_fen(session, usd) == 9_900
        reversal = await core.ledger.reverse(session, first.transaction_id, "back")
        assert await core.ledger.balance_fen(session, usd) == 10_000
        assert reversal.rate is None
        assert (await core.ledger.verify(session)).ok


async def test_lines_that_balance_only_across_currencies_are_refused(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        _, (usd,) = await open_books(session, core.ledger, 100, currency="USD")
        _, (cny,) = await open_books(session, core.ledger, 100)
        with pytest.raises(LedgerPostingInvalid, match="zero"):
            await core.ledger.post(session, key="k", kind="transfer", entries=lines(usd, cny, 5), memo="")


@pytest.mark.parametrize("rate", [0.5, 7, Decimal("NaN"), Decimal("Infinity"), Decimal(-7), 0, True, "7"])
async def test_rates_that_are_none_are_refused(database: Database, core: Core, rate: object) -> None:
    async with database.transaction() as session:
        _, (usd,) = await open_books(session, core.ledger, 100, currency="USD")
        _, (cny, other) = await open_books(session, core.ledger, 0, 0)
        if rate == 7 and rate is not True:
            with pytest.raises(ExchangeInvalid, match="one currency"):
                await core.ledger.exchange(
                    session, key="fx", source_id=cny, target_id=other, sold_fen=1, rate=7
                )
            return
        with pytest.raises(ExchangeInvalid):
            await core.ledger.exchange(
                session,
                key="fx",
                source_id=usd,
                target_id=cny,
                sold_fen=1,
                rate=rate,  # type: ignore[arg-type]
            )
        assert await session.get(LedgerTransaction, 2) is None


async def test_an_exchange_that_gives_nothing_is_refused(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        _, (jpy,) = await open_books(session, core.ledger, 100, currency="JPY")
        _, (usd,) = await open_books(session, core.ledger, 0, currency="USD")
        with pytest.raises(ExchangeInvalid):
            await core.ledger.exchange(
                session, key="fx", source_id=jpy, target_id=usd, sold_fen=1, rate=Decimal("0.0066")
            )
        done = await core.ledger.exchange(
            session, key="fx", source_id=jpy, target_id=usd, sold_fen=100, rate=Decimal("0.0066")
        )
        assert done.bought_fen == 66  # 100 yen (no minor unit) are 0.66 dollars


@given(
    st.integers(1, 10**12), st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=10**6)
)
def test_rounding_loses_less_than_one_minor_unit_and_never_gives_more(sold_fen: int, rate: Fraction) -> None:
    exact = exact_rate(rate, "USD", "CNY")
    if sold_fen * exact < 1:
        with pytest.raises(ExchangeInvalid):
            bought_fen(sold_fen, exact)
    elif sold_fen * exact <= 10**14:
        assert 0 <= sold_fen * exact - bought_fen(sold_fen, exact) < 1
