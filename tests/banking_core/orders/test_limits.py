"""Limits by level, channel and age of the payee: every row that fits holds, each counting what is its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.clock import ManualClock
from banking_core.configuration import Rules, RulesError, Terms, TermsError, UnknownTerm
from banking_core.core import Core
from banking_core.customers import Customer
from banking_core.orders import LimitBook, LimitExceeded, Moving, Order
from banking_core.storage import Database
from tests.banking_core.orders.paying import OTHER_BANK_NUMBER, Paying

TERMS = Terms.load()
BOOK = LimitBook(Rules.load(TERMS).limits, TERMS)
HOUR_S = 3600
RICH_FEN = 100_000_000_00
LEVELS = ("standard", "gold", "vip")


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core, RICH_FEN)


async def set_level(paying: Paying, level: str) -> None:
    async with paying.database.transaction() as session:
        customer = await session.get_one(Customer, paying.payer.id)
        customer.level = level


async def pay(paying: Paying, body: dict[str, Any], channel: str = "web") -> Order:
    key = f"key-{len(paying.drafted)}"
    paying.drafted.append(key)
    async with paying.database.transaction() as session:
        order = await paying.core.orders.draft(
            session,
            customer_id=paying.payer.id,
            kind="transfer",
            body=body,
            idempotency_key=key,
            channel=channel,
        )
    await paying.confirm(order)
    return await paying.execute(order)


def known(paying: Paying, yuan: int) -> dict[str, Any]:
    return paying.body(yuan * 100)


def stranger(paying: Paying, yuan: int, number: str = OTHER_BANK_NUMBER) -> dict[str, Any]:
    return paying.interbank(yuan * 100, number)


@pytest.mark.parametrize(
    ("level", "most_yuan"), [("standard", 50_000), ("gold", 100_000), ("vip", 2_000_000)]
)
async def test_a_higher_level_moves_more_at_once(paying: Paying, level: str, most_yuan: int) -> None:
    await set_level(paying, level)
    assert (await pay(paying, known(paying, most_yuan))).status == "executed"
    with pytest.raises(LimitExceeded) as refused:
        await pay(paying, known(paying, most_yuan + 1))
    assert refused.value.customer_text.startswith(f"单笔最多¥{most_yuan:,}.00，")


async def test_by_telephone_everybody_moves_less_and_only_that_is_counted(paying: Paying) -> None:
    await set_level(paying, "vip")
    await pay(paying, known(paying, 1_000_000), channel="web")
    with pytest.raises(LimitExceeded) as refused:
        await pay(paying, known(paying, 20_001), channel="phone")
    assert refused.value.customer_text.startswith("电话办理单笔最多¥20,000.00")
    for yuan in (20_000, 20_000):
        await pay(paying, known(paying, yuan), channel="phone")
    with pytest.raises(LimitExceeded) as refused:
        await pay(paying, known(paying, 10_001), channel="voice")
    assert "超过电话办理每日限额¥50,000.00，今天还可以办理¥10,000.00" in refused.value.customer_text
    assert (await pay(paying, known(paying, 10_001), channel="web")).status == "executed"


async def test_a_new_payee_gets_little_on_the_first_day(paying: Paying, clock: ManualClock) -> None:
    with pytest.raises(LimitExceeded) as refused:
        await pay(paying, stranger(paying, 20_001))
    assert refused.value.customer_text.startswith("刚认识的收款人单笔最多¥20,000.00")
    first = await pay(paying, stranger(paying, 20_000))
    assert first.payee_hours == 0
    clock.advance(seconds=24 * HOUR_S - 1)
    with pytest.raises(LimitExceeded):
        await pay(paying, stranger(paying, 20_001))
    clock.advance(seconds=1)
    second = await pay(paying, stranger(paying, 50_000))
    assert (second.status, second.payee_hours) == ("submitted", 24)


async def test_new_payees_share_a_days_limit_and_known_ones_do_not_count(paying: Paying) -> None:
    await set_level(paying, "gold")
    for tail in (0, 1):
        await pay(paying, stranger(paying, 20_000, OTHER_BANK_NUMBER[:-1] + str(tail)))
    await pay(paying, known(paying, 90_000))
    with pytest.raises(LimitExceeded) as refused:
        await pay(paying, stranger(paying, 10_001, OTHER_BANK_NUMBER[:-1] + "2"))
    assert "超过刚认识的收款人每日限额¥50,000.00，今天还可以办理¥10,000.00" in refused.value.customer_text
    await pay(paying, stranger(paying, 10_000, OTHER_BANK_NUMBER[:-1] + "2"))


async def test_a_refused_payment_makes_nobody_known(paying: Paying, clock: ManualClock) -> None:
    order = await paying.draft(stranger(paying, 100))
    clock.advance(seconds=25 * HOUR_S)
    with pytest.raises(LimitExceeded):
        await pay(paying, stranger(paying, 20_001))
    assert order.payee_hours == 0


async def test_own_accounts_have_no_age(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        own = await core.accounts.open(
            session,
            customer_id=paying.payer.id,
            kind="current",
            name="活期账户",
            opened_on=paying.payer.account.opened_on,
        )
    body = paying.body(50_000_00, payee_name="张伟", payee_account_number=own.number)
    assert (await pay(paying, body)).payee_hours is None


async def test_the_month_has_a_limit_too(paying: Paying, clock: ManualClock) -> None:
    for _ in range(5):
        for _ in range(4):
            await pay(paying, known(paying, 50_000))
        clock.advance(seconds=24 * HOUR_S)
    with pytest.raises(LimitExceeded) as refused:
        await pay(paying, known(paying, 1))
    assert "超过每月限额¥1,000,000.00，本月还可以办理¥0.00" in refused.value.customer_text
    assert "下个月再办" in refused.value.customer_text
    clock.advance(seconds=25 * 24 * HOUR_S)
    assert (await pay(paying, known(paying, 1))).status == "executed"


async def test_new_payees_paid_at_once_do_not_pass_their_limit_together(paying: Paying) -> None:
    orders = []
    for tail in range(6):
        orders.append(await paying.draft(stranger(paying, 20_000, OTHER_BANK_NUMBER[:-1] + str(tail))))
        await paying.confirm(orders[-1])
    results = await asyncio.gather(*(paying.execute(order) for order in orders), return_exceptions=True)
    assert [isinstance(result, Order) for result in results].count(True) == 2
    assert [isinstance(result, LimitExceeded) for result in results].count(True) == 4


@settings(derandomize=True, max_examples=200)
@given(
    amount=st.integers(1, 3_000_000_00),
    level=st.sampled_from(LEVELS),
    channel=st.sampled_from(["web", "phone", "wechat", "bank"]),
    hours=st.none() | st.integers(0, 48),
)
def test_less_from_a_lower_level_a_narrower_channel_or_a_newer_payee(
    amount: int, level: str, channel: str, hours: int | None
) -> None:
    def allowed(level: str, channel: str, hours: int | None, amount: int) -> bool:
        try:
            BOOK.check_once(Moving("c", level, "transfers", channel, amount, hours))
        except LimitExceeded:
            return False
        return True

    if allowed(level, channel, hours, amount):
        assert allowed("vip", channel, hours, amount) and allowed(level, "web", hours, amount)
        assert allowed(level, channel, 48, amount) and allowed(level, channel, hours, max(1, amount - 1))


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"group": "transfers"}, RulesError),
        ({"group": "transfers", "levels": ["king"], "per_day": "transfers.vip_day_yuan"}, RulesError),
        ({"group": "transfers", "per_day": "transfers.nothing_yuan"}, UnknownTerm),
        ({"group": "transfers", "per_day": "transfers.payee_max"}, TermsError),
    ],
)
def test_a_row_that_limits_nothing_or_names_no_amount_is_refused(
    tmp_path: Path, row: dict[str, Any], error: type[TermsError]
) -> None:
    own = tmp_path / "own.yml"
    own.write_text(yaml.safe_dump({"limits": [row]}), encoding="utf-8")
    with pytest.raises(error):
        Rules.load(TERMS, own)
