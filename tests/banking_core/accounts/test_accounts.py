from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banking_core.accounts import AccountInvalid, AccountNotFound
from banking_core.accounts.numbers import FORMATS, is_valid_number, luhn_complete, new_number
from banking_core.core import Core
from banking_core.storage import Database
from tests.banking_core.people import OPENED_ON, fund, make_person


@given(st.from_regex(r"[0-9]{15,18}", fullmatch=True), st.data())
def test_one_wrong_digit_makes_a_number_invalid(first_digits: str, data: st.DataObject) -> None:
    number = luhn_complete(first_digits)
    assert is_valid_number(number)
    position = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[position]]))
    assert not is_valid_number(number[:position] + other + number[position + 1 :])


@pytest.mark.parametrize("kind", FORMATS)
def test_new_numbers_are_valid(kind: str) -> None:
    number = new_number(kind)
    assert is_valid_number(number)
    assert number.startswith(FORMATS[kind][0])


@pytest.mark.parametrize(
    "number", ["", "123", "6222" * 5, "６２２２０２１２３４５６７８９０", "62220212345678ab"]
)
def test_other_strings_are_no_account_numbers(number: str) -> None:
    assert not is_valid_number(number)


async def test_balances_show_what_may_be_paid_out(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004", 86_000_00)
        credit = await core.accounts.open(
            session,
            customer_id=person.id,
            kind="credit",
            name="信用卡",
            opened_on=OPENED_ON,
            credit_limit_fen=50_000_00,
        )
        await fund(session, core, credit, -1_000_00)
    async with database.snapshot() as session:
        shown = [
            (b.account.kind, b.balance_fen, b.available_fen, b.credit_limit_fen)
            for b in await core.accounts.balances(session, person.id)
        ]
    assert shown == [
        ("current", 86_000_00, 86_000_00, 0),
        ("credit", -1_000_00, 49_000_00, 50_000_00),
    ]


async def test_accounts_are_listed_the_default_first_and_closed_ones_not_at_all(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004")
        for kind in ("credit", "deposit", "current"):
            await core.accounts.open(
                session, customer_id=person.id, kind=kind, name=kind, opened_on=date(2020, 1, 1)
            )
        closed = await core.accounts.open(
            session, customer_id=person.id, kind="current", name="旧", opened_on=OPENED_ON
        )
        closed.status = "closed"
        await session.flush()
        listed = await core.accounts.list_for(session, person.id)
        assert [account.kind for account in listed] == ["current", "current", "deposit", "credit"]
        assert listed[0].id == person.account.id
        default = await core.accounts.default_for(session, person.id)
        assert default is not None
        assert default.id == person.account.id
        with pytest.raises(AccountNotFound):
            await core.accounts.own(session, person.id, closed.id)


async def test_nobody_sees_another_customers_account(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        one = await make_person(session, core, "张伟", "13800000004")
        two = await make_person(session, core, "李静", "13800000006")
        with pytest.raises(AccountNotFound):
            await core.accounts.own(session, two.id, one.account.id)
        assert (await core.accounts.own(session, one.id, one.account.id)).id == one.account.id
        assert (await core.accounts.get(session, one.account.id)).tail == one.account.number[-4:]
        with pytest.raises(AccountNotFound):
            await core.accounts.get(session, "none")


async def test_impossible_accounts_are_refused(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004")
        base = {"customer_id": person.id, "name": "x", "opened_on": OPENED_ON}
        for wrong in (
            {"kind": "gold"},
            {"kind": "current", "credit_limit_fen": 1},
            {"kind": "credit", "credit_limit_fen": -1},
            {"kind": "current", "number": "6299880000000000001"},
            {"kind": "current", "number": person.account.number},
        ):
            with pytest.raises(AccountInvalid):
                await core.accounts.open(session, **{**base, **wrong})  # type: ignore[arg-type]


async def test_a_customer_without_a_current_account_has_no_default(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004")
        person.account.status = "frozen"
        await core.accounts.open(
            session, customer_id=person.id, kind="deposit", name="定期", opened_on=OPENED_ON
        )
        assert await core.accounts.default_for(session, person.id) is None


async def test_a_taken_number_is_not_given_twice(
    database: Database, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as session:
        person = await make_person(session, core, "张伟", "13800000004")
        taken, free = person.account.number, new_number("current")
        offered = [taken, taken, free]
        monkeypatch.setattr("banking_core.accounts.service.new_number", lambda kind: offered.pop(0))
        base = {"customer_id": person.id, "kind": "current", "name": "x", "opened_on": OPENED_ON}
        assert (await core.accounts.open(session, **base)).number == free  # type: ignore[arg-type]
        offered.extend([taken] * 10)
        with pytest.raises(AccountInvalid, match="free"):
            await core.accounts.open(session, **base)  # type: ignore[arg-type]
