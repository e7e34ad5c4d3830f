from __future__ import annotations

from typing import Any

import pytest

from banking_core.accounts import AccountNotFound, AccountNotUsable
from banking_core.core import Core
from banking_core.storage import Database
from banking_core.transfers import PayeeMismatch, TransferInvalid
from tests.banking_core.orders.paying import OTHER_BANK_NUMBER, Paying
from tests.banking_core.people import OPENED_ON, make_person


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core, acquainted=False)


def tail(number: str) -> str:
    return f"尾号{number[-4:]}"


async def test_the_read_back_names_payee_accounts_amount_fee_and_arrival(paying: Paying, core: Core) -> None:
    order = await paying.draft(paying.body(500_00, purpose="房租"))
    assert order.facts == [
        ["收款人", "*三"],
        ["收款账户", f"掌柜银行 {tail(paying.payee.account.number)}"],
        ["付款账户", tail(paying.payer.account.number)],
        ["金额", "¥500.00（伍佰元整）"],
        ["手续费", "免费"],
        ["到账时间", core.terms.text("transfers.same_bank_arrival")],
        ["附言", "房租"],
    ]


async def test_an_interbank_read_back_shows_bank_fee_and_arrival(paying: Paying, core: Core) -> None:
    order = await paying.draft(paying.interbank())
    facts = dict(order.facts)
    assert facts["收款账户"] == f"工商银行 {tail(OTHER_BANK_NUMBER)}"
    assert facts["手续费"] == "¥2.00"
    assert facts["到账时间"] == core.terms.text("transfers.interbank_arrival")


async def test_no_fact_shows_a_full_name_or_number(paying: Paying) -> None:
    for body in (paying.body(), paying.interbank()):
        order = await paying.pay(body)
        shown = str(order.facts) + str(order.receipt_facts)
        for secret in (body["payee_name"], body["payee_account_number"], paying.payer.account.number):
            assert secret not in shown


async def test_both_sides_see_the_transfer_in_their_entries(paying: Paying) -> None:
    order = await paying.pay(paying.body(purpose="房租"))
    async with paying.database.snapshot() as session:
        assert order.ledger_transaction_id is not None
        out, into = await paying.core.ledger.entries(session, order.ledger_transaction_id)
        assert (out.amount_fen, out.counterparty_name, out.category) == (-100_00, "张三", "transfer")
        assert (into.amount_fen, into.counterparty_name, into.summary) == (100_00, "张伟", "房租")


@pytest.mark.parametrize(
    "changes",
    [
        {"payee_name": "李四"},
        {"payee_name": "张"},
        {"payee_account_number": "6299880000000000001"},
    ],
    ids=["another name", "half a name", "no such account"],
)
async def test_a_payee_whose_name_and_account_do_not_fit_is_refused(
    paying: Paying, changes: dict[str, Any]
) -> None:
    with pytest.raises(PayeeMismatch) as refused:
        await paying.draft(paying.body(**changes))
    assert refused.value.customer_text == PayeeMismatch.default_customer_text


@pytest.mark.parametrize("kind", ["deposit"])
async def test_a_deposit_account_cannot_receive_a_transfer(paying: Paying, core: Core, kind: str) -> None:
    async with paying.database.transaction() as session:
        account = await core.accounts.open(
            session, customer_id=paying.payee.id, kind=kind, name="定期", opened_on=OPENED_ON
        )
    with pytest.raises(PayeeMismatch):
        await paying.draft(paying.body(payee_account_number=account.number))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_fen", 0),
        ("amount_fen", -100),
        ("amount_fen", 10**14),
        ("amount_fen", 1.5),
        ("amount_fen", True),
        ("amount_fen", "100"),
        ("amount_fen", None),
        ("payee_name", ""),
        ("payee_name", None),
        ("payee_name", "长" * 65),
        ("payee_name", "张三\n转给我"),
        ("payee_account_number", "12345"),
        ("payee_account_number", "not a number"),
        ("payee_account_number", None),
        ("payee_bank_code", "NOBANK"),
        ("payee_bank_code", 7),
        ("from_account_id", ""),
        ("from_account_id", ["x"]),
        ("purpose", "长" * 31),
    ],
)
async def test_a_field_that_cannot_be_used_is_named(paying: Paying, field: str, value: Any) -> None:
    with pytest.raises(TransferInvalid) as refused:
        await paying.draft(paying.body(**{field: value}))
    assert refused.value.field == field
    assert refused.value.customer_text


async def test_an_account_number_may_be_written_with_spaces(paying: Paying) -> None:
    number = paying.payee.account.number
    spaced = f"{number[:4]} {number[4:8]}-{number[8:]}"
    order = await paying.draft(paying.body(payee_account_number=spaced))
    assert order.body["payee_account_number"] == number


async def test_nobody_pays_from_another_customers_account(paying: Paying) -> None:
    with pytest.raises(AccountNotFound):
        await paying.draft(paying.body(from_account_id=paying.payee.account.id))


@pytest.mark.parametrize("kind", ["deposit", "credit"])
async def test_only_a_current_account_pays(paying: Paying, core: Core, kind: str) -> None:
    async with paying.database.transaction() as session:
        account = await core.accounts.open(
            session, customer_id=paying.payer.id, kind=kind, name=kind, opened_on=OPENED_ON
        )
    with pytest.raises(AccountNotUsable):
        await paying.draft(paying.body(from_account_id=account.id))


async def test_a_frozen_account_does_not_pay(paying: Paying, core: Core) -> None:
    order = await paying.draft()
    await paying.confirm(order)
    async with paying.database.transaction() as session:
        (await core.accounts.get(session, paying.payer.account.id)).status = "frozen"
    with pytest.raises(AccountNotUsable):
        await paying.execute(order)
    with pytest.raises(AccountNotUsable):
        await paying.draft()


async def test_a_transfer_to_the_same_account_is_refused(paying: Paying) -> None:
    same: dict[str, Any] = {"payee_name": "张伟", "payee_account_number": paying.payer.account.number}
    with pytest.raises(TransferInvalid, match="same"):
        await paying.draft(paying.body(**same))


async def test_only_money_that_stays_with_the_customer_needs_no_code(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        second = await core.accounts.open(
            session, customer_id=paying.payer.id, kind="current", name="第二个", opened_on=OPENED_ON
        )
    own = await paying.draft(paying.body(payee_name="张伟", payee_account_number=second.number))
    assert own.step_up == "none"
    for body in (paying.body(), paying.interbank()):
        assert (await paying.draft(body)).step_up == "otp"


async def test_a_namesakes_account_needs_the_code(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        namesake = await make_person(session, core, "张伟", "13800000015")
    order = await paying.draft(paying.body(payee_name="张伟", payee_account_number=namesake.account.number))
    assert order.step_up == "otp"


async def test_a_paid_payee_moves_to_the_top_of_the_book(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        for name, number, code in (
            ("安安", "6222000000000001", "CCB"),
            ("张三", paying.payee.account.number, None),
        ):
            await core.payees.add(
                session, customer_id=paying.payer.id, name=name, account_number=number, bank_code=code
            )
    await paying.pay()
    async with paying.database.snapshot() as session:
        listed = await core.payees.list(session, paying.payer.id)
        assert [payee.name for payee in listed] == ["张三", "安安"]
        assert listed[0].last_used_at is not None
        assert listed[1].last_used_at is None
