"""Customers and accounts for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts import Account
from banking_core.cards import Card
from banking_core.core import Core
from banking_core.customers import Customer
from banking_core.customers.id_numbers import complete_id_number
from banking_core.ledger import EntryDraft, InternalAccount

OPENED_ON = date(2024, 1, 2)
CARD_EXPIRES_ON = date(2034, 1, 2)


@dataclass(frozen=True)
class Person:
    """A customer with one current account."""

    customer: Customer
    account: Account

    @property
    def id(self) -> str:
        return self.customer.id


async def make_person(
    session: AsyncSession, core: Core, name: str, phone: str, balance_fen: int = 0, **account: object
) -> Person:
    """A customer whose default current account holds `balance_fen`; `phone` must be unique."""
    customer = await core.customers.create(
        session, phone=phone, name=name, id_number=complete_id_number(f"11010119900307{phone[-3:]}")
    )
    opened = await core.accounts.open(
        session,
        customer_id=customer.id,
        kind="current",
        name="活期账户",
        opened_on=OPENED_ON,
        is_default=True,
        **account,  # type: ignore[arg-type]
    )
    if balance_fen:
        await fund(session, core, opened, balance_fen)
    return Person(customer, opened)


async def fund(session: AsyncSession, core: Core, account: Account, amount_fen: int) -> None:
    """Pays money in from outside the bank."""
    outside = await core.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
    balance_fen = await core.ledger.balance_fen(session, account.ledger_account_id)
    key = f"test:fund:{account.id}:{balance_fen}:{amount_fen}"
    await core.ledger.post(
        session,
        key=key,
        kind="deposit",
        entries=[
            EntryDraft(account.ledger_account_id, amount_fen, "测试存入", "other", "存入"),
            EntryDraft(outside, -amount_fen, account.name, "other", "存入"),
        ],
        memo="test",
    )


async def give_card(session: AsyncSession, core: Core, person: Person, *, status: str = "active") -> Card:
    """A debit card on the person's account."""
    card = Card(
        customer_id=person.id,
        account_id=person.account.id,
        number=person.account.number,
        kind="debit",
        name="掌柜借记卡",
        status=status,
        issued_on=OPENED_ON,
        expires_on=CARD_EXPIRES_ON,
        lost_at=None,
        status_before_loss=None,
        created_at=core.clock.now(),
    )
    session.add(card)
    await session.flush()
    return card
