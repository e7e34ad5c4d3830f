from __future__ import annotations

from typing import Any

import pytest

from banking_core.core import Core
from banking_core.orders import Order, StepUpRequired
from banking_core.storage import Database
from banking_core.transfers import (
    PayeeBookFull,
    PayeeExists,
    PayeeMismatch,
    PayeeNotFound,
    TransferInvalid,
    bank_name,
    find_bank,
)
from tests.banking_core.orders.paying import Paying


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    return await Paying.open(database, core, acquainted=False)


def entry(**changes: Any) -> dict[str, Any]:
    return {"name": "王小明", "account_number": "6222020200112233445", "bank_code": "ICBC"} | changes


async def carry_out(paying: Paying, kind: str, body: dict[str, Any]) -> Order:
    order = await paying.draft(body, kind=kind)
    await paying.confirm(order)
    return await paying.execute(order)


async def names(paying: Paying, wanted: str | None = None) -> list[str]:
    async with paying.database.snapshot() as session:
        payees = paying.core.payees
        found = await (
            payees.list(session, paying.payer.id)
            if wanted is None
            else payees.find(session, paying.payer.id, wanted)
        )
        return [payee.name for payee in found]


async def test_a_payee_is_added_only_with_a_code(paying: Paying) -> None:
    order = await paying.draft(entry(nickname="房东"), kind="payee_add")
    assert order.facts == [["收款人", "*小明"], ["收款账户", "工商银行 尾号3445"], ["备注名", "房东"]]
    await paying.confirm(order)
    with pytest.raises(StepUpRequired):
        await paying.execute(order, otp_verified=False)
    assert await names(paying) == []
    assert (await paying.execute(order)).status == "executed"
    assert await names(paying) == ["王小明"]


async def test_a_payee_is_found_by_name_or_nickname_but_never_by_half_a_name(paying: Paying) -> None:
    await carry_out(paying, "payee_add", entry(nickname="房东"))
    assert await names(paying, "王小明") == ["王小明"]
    assert await names(paying, " 房东 ") == ["王小明"]
    for half in ("王", "小明", "王小", "", "%"):
        assert await names(paying, half) == []


async def test_people_who_share_a_name_are_all_found(paying: Paying) -> None:
    await carry_out(paying, "payee_add", entry())
    await carry_out(paying, "payee_add", entry(account_number="6222020200112299999"))
    assert await names(paying, "王小明") == ["王小明", "王小明"]


async def test_an_account_is_in_the_book_once(paying: Paying) -> None:
    first = await paying.draft(entry(), kind="payee_add")
    second = await paying.draft(entry(), kind="payee_add")
    for order in (first, second):
        await paying.confirm(order)
    await paying.execute(first)
    with pytest.raises(PayeeExists):
        await paying.execute(second)
    with pytest.raises(PayeeExists):
        await paying.draft(entry(), kind="payee_add")


async def test_a_payee_at_our_bank_must_be_who_the_customer_says(paying: Paying) -> None:
    ours = {"account_number": paying.payee.account.number, "bank_code": None}
    with pytest.raises(PayeeMismatch):
        await paying.draft(entry(**ours), kind="payee_add")
    await carry_out(paying, "payee_add", entry(**ours, name="张三"))
    async with paying.database.snapshot() as session:
        (payee,) = await paying.core.payees.list(session, paying.payer.id)
        assert (payee.bank_name, payee.tail) == ("掌柜银行", paying.payee.account.number[-4:])


async def test_a_full_book_takes_no_more(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        for index in range(core.terms.integer("transfers.payee_max")):
            await core.payees.add(
                session,
                customer_id=paying.payer.id,
                name=f"朋友{index}",
                account_number=f"62220000000{index:05d}",
                bank_code="CCB",
            )
    with pytest.raises(PayeeBookFull):
        await paying.draft(entry(), kind="payee_add")


async def test_a_deleted_payee_is_gone_and_may_be_added_again(paying: Paying, core: Core) -> None:
    await carry_out(paying, "payee_add", entry())
    async with paying.database.snapshot() as session:
        (payee,) = await core.payees.list(session, paying.payer.id)
        payee_id = payee.id
    order = await paying.draft({"payee_id": payee_id}, kind="payee_delete")
    assert order.step_up == "none"
    await paying.confirm(order)
    await paying.execute(order, otp_verified=False)
    assert await names(paying) == []
    assert await names(paying, "王小明") == []
    with pytest.raises(PayeeNotFound):
        await paying.draft({"payee_id": payee_id}, kind="payee_delete")
    await carry_out(paying, "payee_add", entry())
    assert await names(paying) == ["王小明"]


async def test_nobody_reads_another_customers_book(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        payee = await core.payees.add(
            session,
            customer_id=paying.payee.id,
            name="王小明",
            account_number="6222000000000001",
            bank_code="CCB",
        )
        with pytest.raises(PayeeNotFound):
            await core.payees.get(session, paying.payer.id, payee.id)
    with pytest.raises(PayeeNotFound):
        await paying.draft({"payee_id": payee.id}, kind="payee_delete")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("payee_add", entry(name="")),
        ("payee_add", entry(account_number="123")),
        ("payee_add", entry(bank_code="NOBANK")),
        ("payee_add", entry(nickname="长" * 33)),
        ("payee_delete", {}),
        ("payee_delete", {"payee_id": 5}),
    ],
)
async def test_unusable_entries_are_refused(paying: Paying, kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(TransferInvalid):
        await paying.draft(body, kind=kind)


async def test_an_entry_with_an_unknown_bank_is_refused(paying: Paying, core: Core) -> None:
    async with paying.database.transaction() as session:
        with pytest.raises(TransferInvalid):
            await core.payees.add(
                session, customer_id=paying.payer.id, name="x", account_number="1" * 16, bank_code="NOBANK"
            )


@pytest.mark.parametrize(
    ("said", "code", "name"),
    [
        ("工行", "ICBC", "工商银行"),
        ("中国工商银行股份有限公司", "ICBC", "工商银行"),
        ("中国光大银行", "CEB", "光大银行"),
        ("中国银行", "BOC", "中国银行"),
        ("招行", "CMB", "招商银行"),
        ("掌柜银行", None, "掌柜银行"),
        (" 本行 ", None, "掌柜银行"),
    ],
)
def test_a_bank_is_found_by_the_names_people_use(said: str, code: str | None, name: str) -> None:
    found = find_bank(said)
    assert found is not None
    assert (found.code, found.name) == (code, name)
    assert bank_name(code) == name


def test_an_unknown_bank_is_not_guessed() -> None:
    assert find_bank("花果山银行") is None
    assert find_bank("") is None
    assert bank_name("NOBANK") is None
