"""Receiving codes: nobody guesses one, one fixed code at a time, and who took a code back is paid by it no more."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from banking_core.accounts.errors import AccountNotFound
from banking_core.audit import AuditRecord
from banking_core.bank import Bank
from banking_core.clock import ManualClock
from banking_core.receive_codes import (
    TOKEN_PATTERN,
    AmountRefused,
    OwnCode,
    ReceiveCode,
    ReceiveCodeEnded,
    ReceiveCodeUnknown,
)
from banking_core.storage import Database
from bot.dialogue.reading.pay_codes import pay_link, read_pay_codes
from tests.banking_core.people import Person, make_person


@pytest.fixture
async def payee(bank: Bank, database: Database) -> Person:
    async with database.transaction() as session:
        return await make_person(session, bank, "李小四", "13800000801")


@pytest.fixture
async def payer(bank: Bank, database: Database) -> Person:
    async with database.transaction() as session:
        return await make_person(session, bank, "张大伟", "13800000802", 100_00)


async def made(bank: Bank, database: Database, payee: Person, amount_fen: int | None = None) -> ReceiveCode:
    async with database.transaction() as session:
        codes, account_id = bank.receive_codes, payee.account.id
        if amount_fen is None:
            return await codes.fixed(session, payee.id, account_id)
        return await codes.for_amount(session, payee.id, account_id, amount_fen)


async def test_a_code_names_the_payee_and_the_amount_and_holds_no_account_number(
    bank: Bank, database: Database, payee: Person, payer: Person
) -> None:
    code = await made(bank, database, payee, 200_00)
    async with database.snapshot() as session:
        found = await bank.receive_codes.payee(session, code.token, payer.id)
    assert (found.name, found.account_number, found.amount_fen) == ("李小四", payee.account.number, 200_00)
    assert found.shown == f"*小四（尾号{payee.account.number[-4:]}）"
    assert payee.account.number not in repr(found) and "李小四" not in repr(found)
    assert re.fullmatch(TOKEN_PATTERN, code.token)


async def test_the_dialogue_reads_every_token_that_the_bank_makes(
    bank: Bank, database: Database, payee: Person
) -> None:
    code = await made(bank, database, payee)
    [reading] = read_pay_codes(f"付一下 {pay_link('http://127.0.0.1:8080', code.token)} 谢谢")
    assert reading.value == code.token and reading.text.startswith("http://127.0.0.1:8080/?pay=")


async def test_the_fixed_code_stays_until_it_is_renewed_and_then_the_old_one_is_over(
    bank: Bank, database: Database, payee: Person, payer: Person
) -> None:
    first = await made(bank, database, payee)
    assert (await made(bank, database, payee)).token == first.token
    async with database.transaction() as session:
        second = await bank.receive_codes.renewed(session, payee.id, payee.account.id)
    assert second.token != first.token
    async with database.snapshot() as session:
        assert (await bank.receive_codes.payee(session, second.token, payer.id)).amount_fen is None
        with pytest.raises(ReceiveCodeEnded):
            await bank.receive_codes.payee(session, first.token, payer.id)


async def test_two_at_once_do_not_make_two_fixed_codes(bank: Bank, database: Database, payee: Person) -> None:
    async def one() -> str:
        for _ in range(5):
            try:
                return (await made(bank, database, payee)).token
            except IntegrityError:
                continue  # as the hub does
        raise AssertionError("never made")

    assert len(set(await asyncio.gather(*(one() for _ in range(4))))) == 1


async def test_what_the_customer_took_back_is_paid_no_more(
    bank: Bank, database: Database, payee: Person, payer: Person
) -> None:
    codes = [await made(bank, database, payee), await made(bank, database, payee, 1)]
    async with database.transaction() as session:
        assert await bank.receive_codes.revoke(session, payee.id) == 2
        assert await bank.receive_codes.revoke(session, payee.id) == 0
    async with database.snapshot() as session:
        for code in codes:
            with pytest.raises(ReceiveCodeEnded):
                await bank.receive_codes.payee(session, code.token, payer.id)
    assert (await made(bank, database, payee)).token != codes[0].token


async def test_a_code_with_an_amount_runs_out(
    bank: Bank, database: Database, payee: Person, payer: Person, clock: ManualClock
) -> None:
    code, fixed = await made(bank, database, payee, 5_00), await made(bank, database, payee)
    clock.advance(seconds=24 * 3600 - 1)
    async with database.snapshot() as session:
        await bank.receive_codes.payee(session, code.token, payer.id)
    clock.advance(seconds=1)
    async with database.snapshot() as session:
        await bank.receive_codes.payee(session, fixed.token, payer.id)
        with pytest.raises(ReceiveCodeEnded):
            await bank.receive_codes.payee(session, code.token, payer.id)


async def test_more_codes_with_amounts_than_allowed_end_the_oldest(
    bank: Bank, database: Database, payee: Person, clock: ManualClock
) -> None:
    codes = []
    for yuan in range(1, 22):
        codes.append(await made(bank, database, payee, yuan * 100))
        clock.advance(seconds=1)
    async with database.snapshot() as session:
        left = {code.id for code in await bank.receive_codes.live(session, payee.id)}
    assert left == {code.id for code in codes[1:]}


async def test_the_own_code_an_unknown_one_and_one_of_a_closed_account_are_told_apart(
    bank: Bank, database: Database, payee: Person, payer: Person
) -> None:
    code = await made(bank, database, payee)
    async with database.snapshot() as session:
        with pytest.raises(OwnCode):
            await bank.receive_codes.payee(session, code.token, payee.id)
        with pytest.raises(ReceiveCodeUnknown):
            await bank.receive_codes.payee(session, "b" * 26, payer.id)
    async with database.transaction() as session:
        (await bank.accounts.get(session, payee.account.id)).status = "closed"
    async with database.snapshot() as session:
        with pytest.raises(ReceiveCodeEnded):
            await bank.receive_codes.payee(session, code.token, payer.id)


@pytest.mark.parametrize("amount_fen", [0, -1, 10**12])
async def test_an_amount_that_cannot_be_is_refused(
    bank: Bank, database: Database, payee: Person, amount_fen: int
) -> None:
    with pytest.raises(AmountRefused):
        await made(bank, database, payee, amount_fen)


async def test_nobody_makes_a_code_for_somebody_else_s_account(
    bank: Bank, database: Database, payee: Person, payer: Person
) -> None:
    async with database.transaction() as session:
        with pytest.raises(AccountNotFound):
            await bank.receive_codes.fixed(session, payer.id, payee.account.id)


async def test_the_trail_says_what_became_of_codes_and_never_their_tokens(
    bank: Bank, database: Database, payee: Person
) -> None:
    code = await made(bank, database, payee, 66_00)
    async with database.transaction() as session:
        await bank.receive_codes.revoke(session, payee.id)
    async with database.snapshot() as session:
        rows = list(
            await session.scalars(select(AuditRecord).where(AuditRecord.object_kind == "receive_code"))
        )
    assert [row.action for row in rows] == ["receive_code.made", "receive_code.revoked"]
    assert all(row.object_id == code.id and code.token not in str(row.after) for row in rows)
