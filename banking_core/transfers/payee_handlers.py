"""Orders that change the payee book.

Adding needs a one-time code, because whoever is in the book is paid more easily.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.customers.models import Customer
from banking_core.money_text import mask_name, mask_number
from banking_core.orders.models import Order
from banking_core.orders.types import Executed, Facts, Quote
from banking_core.transfers.bodies import NICKNAME_LENGTH_MAX, PayeeBody, read_payee, read_text
from banking_core.transfers.errors import PayeeBookFull, PayeeExists
from banking_core.transfers.receiving import receiving_account

if TYPE_CHECKING:
    from banking_core.core import Core

PAYEES_MAX_TERM = "transfers.payee_max"


def _facts(payee: PayeeBody, nickname: str) -> Facts:
    facts = [
        ("收款人", mask_name(payee.name)),
        ("收款账户", f"{payee.bank} {mask_number(payee.account_number)}"),
    ]
    if nickname:
        facts.append(("备注名", nickname))
    return tuple(facts)


class PayeeAddHandler:
    """Adds a payee: {name, account_number, bank_code, nickname}."""

    kind = "payee_add"

    def __init__(self, core: Core) -> None:
        self._core = core
        self._payees_max = core.terms.integer(PAYEES_MAX_TERM)

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises TransferInvalid, PayeeMismatch, PayeeExists, PayeeBookFull."""
        payee, nickname = _read(body)
        await self._check(session, customer.id, payee)
        return Quote(
            amount_fen=0,
            fee_fen=0,
            facts=_facts(payee, nickname),
            step_up="otp",
            body={
                "name": payee.name,
                "account_number": payee.account_number,
                "bank_code": payee.bank_code,
                "nickname": nickname,
            },
        )

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Writes the entry."""
        payee, nickname = _read(order.body)
        await self._check(session, order.customer_id, payee)
        await self._core.payees.add(
            session,
            customer_id=order.customer_id,
            name=payee.name,
            account_number=payee.account_number,
            bank_code=payee.bank_code,
            nickname=nickname,
        )
        return Executed(receipt_facts=_facts(payee, nickname))

    async def _check(self, session: AsyncSession, customer_id: str, payee: PayeeBody) -> None:
        core = self._core
        if payee.bank_code is None:
            await receiving_account(core, session, payee)
        if await core.payees.by_account(session, customer_id, payee.account_number, payee.bank_code):
            raise PayeeExists("the account is in the book")
        if await core.payees.count(session, customer_id) >= self._payees_max:
            raise PayeeBookFull("no more entries are allowed")


class PayeeDeleteHandler:
    """Takes a payee out of the book: {payee_id}."""

    kind = "payee_delete"

    def __init__(self, core: Core) -> None:
        self._core = core

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises PayeeNotFound."""
        payee_id = read_text(body, "payee_id", 32, required=True)
        payee = await self._core.payees.get(session, customer.id, payee_id)
        shown = PayeeBody(payee.name, payee.account_number, payee.bank_code)
        return Quote(
            amount_fen=0,
            fee_fen=0,
            facts=_facts(shown, payee.nickname),
            step_up="none",
            body={"payee_id": payee.id},
        )

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Marks the entry deleted."""
        payee = await self._core.payees.delete(session, order.customer_id, order.body["payee_id"])
        shown = PayeeBody(payee.name, payee.account_number, payee.bank_code)
        return Executed(receipt_facts=_facts(shown, payee.nickname))


def _read(body: Mapping[str, Any]) -> tuple[PayeeBody, str]:
    payee = read_payee(body, "name", "account_number", "bank_code")
    return payee, read_text(body, "nickname", NICKNAME_LENGTH_MAX, required=False)
