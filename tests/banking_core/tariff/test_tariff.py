"""Fees, opening hours and arrival are rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.bank import Bank, build_bank
from banking_core.clock import BANK_ZONE, ManualClock
from banking_core.configuration import Calendar, Rules, RulesError, Terms, TermsError
from banking_core.configuration.rules import Hours
from banking_core.core import Core
from banking_core.customers import Customer
from banking_core.settings import BankSettings
from banking_core.storage import Database
from banking_core.tariff import Opening, OutsideHours, Tariff
from tests.banking_core.orders.paying import Paying

INTERBANK_FEE = "transfers.interbank_fee_yuan"
TERMS = Terms.load()
RULES = Rules.load(TERMS)
CALENDAR = Calendar(RULES.holidays)
TARIFF = Tariff(RULES, TERMS, CALENDAR)
WORKING = Opening(Hours.model_validate({"days": "working", "opens": "08:30", "closes": "17:15"}), CALENDAR)


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BANK_ZONE).astimezone(UTC)


def with_rules(tmp_path: Path, **sections: Any) -> Rules:
    own = tmp_path / "own.yml"
    own.write_text(yaml.safe_dump(sections), encoding="utf-8")
    return Rules.load(TERMS, own)


@pytest.mark.parametrize(
    ("now", "opens_at"),
    [
        (at(11, 2, 8, 29), at(11, 2, 8, 30)),
        (at(11, 2, 8, 30), at(11, 2, 8, 30)),
        (at(11, 2, 17, 14), at(11, 2, 17, 14)),
        (at(11, 2, 17, 15), at(11, 3, 8, 30)),
        (at(11, 6, 20), at(11, 9, 8, 30)),  # Friday evening
        (at(9, 30, 18), at(10, 8, 8, 30)),  # before the holiday week
        (at(10, 10, 9), at(10, 10, 9)),  # a Saturday that is worked
    ],
)
def test_it_opens_at_the_next_hour_of_a_working_day(now: datetime, opens_at: datetime) -> None:
    assert WORKING.opens_at(now) == opens_at
    assert WORKING.is_open(now) == (now == opens_at)
    assert WORKING.words == "工作日8:30至17:15"


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (at(11, 2, 9), 2, at(11, 2, 11)),
        (at(11, 2, 16, 15), 1, at(11, 3, 8, 30)),  # the very end of a day is the beginning of the next
        (at(11, 2, 16, 15), 2, at(11, 3, 9, 30)),
        (at(11, 6, 20), 1, at(11, 9, 9, 30)),
        (
            at(9, 30, 17),
            18,
            at(10, 10, 8, 45),
        ),  # over the holiday week: the rest of the day, two days, the Saturday
    ],
)
def test_open_time_is_counted_over_nights_weekends_and_holidays(
    start: datetime, hours: int, end: datetime
) -> None:
    assert WORKING.after(start, timedelta(hours=hours)) == end
    assert WORKING.between(start, end) == timedelta(hours=hours)
    assert WORKING.between(end, start) == timedelta()


def test_the_desk_s_hours_are_those_customers_are_told() -> None:
    assert TARIFF.hours[RULES.service.hours].words == TERMS.text("service.agent_hours")


@settings(derandomize=True, max_examples=200)
@given(minutes=st.integers(0, 60 * 24 * 400))
def test_the_next_opening_is_open_and_nothing_before_it_is(minutes: int) -> None:
    now = at(1, 1, 0) + timedelta(minutes=minutes)
    then = WORKING.opens_at(now)
    assert then >= now and WORKING.is_open(then)
    assert then == now or not WORKING.is_open(then - timedelta(minutes=1))


def test_the_cheapest_fee_that_fits_applies(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {
            "fee": "transfers.overseas_fee_percent",
            "least": "transfers.counter_fee_min_yuan",
            "most": "transfers.counter_fee_max_yuan",
        },
        {"fee": INTERBANK_FEE, "up_to": "living.limit_per_transaction_yuan"},
        {"fee": "transfers.same_bank_fee_yuan", "levels": ["vip"]},
    ]
    fees = [{"kind": "transfer", "route": "interbank"} | row for row in rows]
    tariff = Tariff(with_rules(tmp_path, fees=fees), TERMS, CALENDAR)

    def fee_fen(yuan: int, level: str = "standard") -> int:
        return tariff.fee_fen("transfer", yuan * 100, level=level, route="interbank")

    assert [fee_fen(yuan) for yuan in (100, 20_000, 20_001, 30_000, 1_000_000)] == [
        2_00,
        2_00,
        20_00,
        30_00,
        50_00,
    ]
    assert fee_fen(1_000_000, "vip") == 0
    with pytest.raises(RulesError):
        tariff.fee_fen("transfer", 1, level="standard", route="overseas")


BOUNDED = {"kind": "transfer", "fee": INTERBANK_FEE, "least": INTERBANK_FEE}


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        ({"fees": [{"kind": "transfer", "fee": "transfers.interbank_arrival"}]}, RulesError),
        ({"fees": [{"kind": "transfer", "fee": "transfers.nothing_yuan"}]}, TermsError),
        ({"fees": [BOUNDED]}, RulesError),
        ({"arrivals": [{"kind": "transfer", "text": "transfers.no", "within_minutes": 1}]}, TermsError),
        ({"opening": [{"kinds": ["transfer"], "hours": "tea"}]}, RulesError),
        ({"hours": {"tea": {"days": "every", "opens": "17:00", "closes": "08:00"}}}, RulesError),
    ],
)
def test_a_row_that_cannot_be_is_refused_at_the_start(
    tmp_path: Path, sections: dict[str, Any], error: type[TermsError]
) -> None:
    with pytest.raises(error):
        with_rules(tmp_path, **sections)


def test_every_kind_that_moves_money_has_a_fee_and_an_arrival_for_everybody(core: Core, bank: Bank) -> None:
    now = at(11, 2, 10)
    for kind, route in (
        ("transfer", "same_bank"),
        ("transfer", "interbank"),
        ("bill_pay", None),
        ("topup", None),
    ):
        for amount_fen in (1, 1_000_000_00, 10**13):
            assert bank.tariff.arrival(kind, amount_fen, now, route=route).arrives_by >= now
            for level in ("standard", "gold", "vip"):
                assert bank.tariff.fee_fen(kind, amount_fen, level=level, route=route) >= 0
    assert {"transfer", "bill_pay", "topup"} <= bank.orders.kinds


async def test_within_the_bank_the_money_is_there_at_once(
    database: Database, core: Core, clock: ManualClock
) -> None:
    paying = await Paying.open(database, core)
    order = await paying.pay()
    assert order.arrives_at == clock.now()
    assert ["到账时间", "实时到账"] in order.receipt_facts


async def test_a_large_payment_to_another_bank_waits_for_its_hours(
    database: Database, core: Core, clock: ManualClock
) -> None:
    paying = await Paying.open(database, core, 5_000_000_00)
    async with database.transaction() as session:
        customer = await session.get_one(Customer, paying.payer.id)
        customer.level = "vip"
        await core.payees.add(
            session,
            customer_id=paying.payer.id,
            name="王小明",
            account_number=paying.interbank()["payee_account_number"],
            bank_code="ICBC",
            created_at=clock.now() - timedelta(days=9),
        )
    clock.advance(seconds=(at(11, 6, 18) - clock.now()).total_seconds())  # Friday evening
    small = await paying.pay(paying.interbank(1_000_000_00))
    assert small.arrives_at == clock.now() + timedelta(hours=2)
    large = await paying.pay(paying.interbank(1_000_000_01))
    assert large.arrives_at == at(11, 9, 10, 30)
    facts = dict(large.receipt_facts)
    assert facts["到账时间"] == "11月9日10:30前（工作日8:30至17:15办理，2小时内）"
    assert [order.id for order in await core.orders.settle_due(database)] == [small.id]
    assert (await core.orders.settle(database, large.id)).status == "submitted"
    clock.advance(seconds=(at(11, 9, 8, 30) - clock.now()).total_seconds())
    assert [order.id for order in await core.orders.settle_due(database)] == [large.id]
    await paying.verify()


async def test_a_kind_with_hours_is_refused_outside_them_and_says_when_it_opens(
    settings: BankSettings, database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    own = tmp_path / "own.yml"
    own.write_text(
        yaml.safe_dump({"opening": [{"kinds": ["transfer"], "hours": "large_value"}]}), encoding="utf-8"
    )
    shut = build_bank(
        BankSettings(settings.database_url, settings.sandbox_database_url, settings.otp_key, rules_path=own),
        clock,
    )
    await shut.start(database)
    paying = await Paying.open(database, shut)
    clock.advance(seconds=(at(11, 6, 17, 10) - clock.now()).total_seconds())
    order = await paying.draft()
    await paying.confirm(order)
    clock.advance(seconds=5 * 60)
    with pytest.raises(OutsideHours) as refused:
        await paying.execute(order)
    assert "工作日8:30至17:15办理" in refused.value.customer_text
    assert "11月9日8:30以后" in refused.value.customer_text
    with pytest.raises(OutsideHours):
        await paying.draft()
    assert await paying.balances_fen() == (1_000_00, 0)
    await shut.close()
