"""Writes the demo bank into a database: people, accounts, cards, payees, branches, bills and two years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.accounts.numbers import FORMATS, luhn_complete
from banking_core.bank import Bank
from banking_core.cards.models import Card
from banking_core.clock import BANK_ZONE
from banking_core.customers.id_numbers import complete_id_number
from banking_core.customers.models import Customer
from banking_core.demo.bills import issue_bills
from banking_core.demo.schema import AccountPlan, Cast, PayeePlan, Persona, Scheduled, read_cast, read_market
from banking_core.demo.simulation import Leg, Movement, history_start, simulate
from banking_core.ledger.types import EntryDraft, InternalAccount, TransactionDraft
from banking_core.storage import Database, one_at_a_time

CARD_NAMES = {"current": ("debit", "掌柜借记卡"), "credit": ("credit", "掌柜信用卡")}
CARD_YEARS = 10
SEED_LOCK = 0x5A48  # of two processes that start at once one fills the bank

Opened = dict[tuple[str, str], Account]


@dataclass(frozen=True)
class SeedReport:
    """What was written. `created` is False when the demo was there already: then nothing was."""

    created: bool
    customers: int = 0
    accounts: int = 0
    transactions: int = 0
    branches: int = 0
    bills: int = 0


async def seed_demo(db: Database, bank: Bank, today: date) -> SeedReport:
    """Makes the demo bank, once; a second call does nothing, whatever its `today`.

    The history ends with the day before `today` (a bank date). All or nothing, except that bills are issued
    at the billers' sandbox first: issuing them again changes nothing.
    """
    people = read_cast()
    async with db.snapshot() as session:
        if await bank.customers.by_phone(session, people.people[0].phone) is not None:
            return SeedReport(created=False)
    movements = simulate(people, read_market(), today)
    bills = await issue_bills(bank, people, today)
    async with db.transaction() as session:
        await one_at_a_time(session, SEED_LOCK)
        if await bank.customers.by_phone(session, people.people[0].phone) is not None:
            return SeedReport(created=False)
        customers, opened = await _open(session, bank, people, today)
        await _befriend(session, bank, people, customers, opened, today)
        drafts = await _drafts(session, bank, movements, opened)
        count = await bank.ledger.import_history(session, drafts)
        branches = await bank.branches.load(session)
    return SeedReport(True, len(customers), len(opened), count, branches, bills)


async def _open(
    session: AsyncSession, bank: Bank, people: Cast, today: date
) -> tuple[dict[str, Customer], Opened]:
    """Customers with their accounts, cards and passwords."""
    customers: dict[str, Customer] = {}
    opened: Opened = {}
    for person in people.people:
        customer = await bank.customers.create(
            session,
            phone=person.phone,
            name=person.name,
            id_number=_id_number(person),
            level=person.level,
            segment=person.segment,
            created_at=_morning(person.since),
        )
        customers[person.key] = customer
        if person.login is not None:
            await bank.identity.passwords.set(session, customer.id, people.password)
        for plan in person.accounts:
            account = await bank.accounts.open(
                session,
                customer_id=customer.id,
                kind=plan.kind,
                name=plan.name,
                opened_on=person.since,
                number=_number(person, plan),
                credit_limit_fen=plan.limit_yuan * 100,
                is_default=plan.key == "current",
            )
            opened[person.key, plan.key] = account
            if plan.kind in CARD_NAMES:
                session.add(_card(account, person.since, today))
    await session.flush()
    return customers, opened


async def _befriend(
    session: AsyncSession,
    bank: Bank,
    people: Cast,
    customers: dict[str, Customer],
    opened: Opened,
    today: date,
) -> None:
    """Payee books and household accounts."""
    names = {person.key: person.name for person in people.people}
    for person in people.people:
        customer_id = customers[person.key].id
        for payee in person.payees:
            name, number = _payee(payee, names, opened)
            await bank.payees.add(
                session,
                customer_id=customer_id,
                name=name,
                account_number=number,
                bank_code=payee.bank_code,
                nickname=payee.nickname,
                created_at=_morning(max(person.since, history_start(today))),
            )
        for flow in person.flows:
            if isinstance(flow, Scheduled) and flow.biller is not None:
                await bank.living.subscribe(
                    session,
                    customer_id,
                    biller=flow.biller,
                    provider_name=flow.provider,
                    account_no=flow.account_no,
                    address=flow.address,
                )


async def _drafts(
    session: AsyncSession, bank: Bank, movements: Sequence[Movement], opened: Opened
) -> list[TransactionDraft]:
    internal = {account.value: await bank.ledger.internal(session, account) for account in InternalAccount}

    def entry(leg: Leg) -> EntryDraft:
        owner, name = leg.slot
        ledger_account_id = opened[leg.slot].ledger_account_id if owner else internal[name]
        return EntryDraft(ledger_account_id, leg.amount_fen, leg.counterparty, leg.category, leg.summary)

    return [
        TransactionDraft(
            key=f"demo:{index}",
            kind="history",
            memo=movement.legs[0].summary,
            booked_at=movement.at,
            entries=tuple(entry(leg) for leg in movement.legs),
        )
        for index, movement in enumerate(movements)
    ]


def _payee(payee: PayeePlan, names: dict[str, str], opened: Opened) -> tuple[str, str]:
    """Name and account number; another persona's are looked up."""
    if payee.person is None:
        return payee.name, payee.number
    return names[payee.person], opened[payee.person, "current"].number


def _number(person: Persona, plan: AccountPlan) -> str:
    """The account number: this bank's prefix for the kind, digits that are always the same, a check digit."""
    prefix, length = FORMATS[plan.kind]
    random = Random(f"number:{person.key}:{plan.key}")
    body = "".join(random.choices("0123456789", k=length - len(prefix) - 1))
    return luhn_complete(prefix + body)


def _id_number(person: Persona) -> str:
    order = Random(f"identity:{person.key}").randint(100, 999)
    return complete_id_number(f"{person.place}{person.born:%Y%m%d}{order}")


def _card(account: Account, since: date, today: date) -> Card:
    """The account's card, renewed every ten years."""
    kind, name = CARD_NAMES[account.kind]
    issued_on = since
    while _years_on(issued_on, CARD_YEARS) <= today:
        issued_on = _years_on(issued_on, CARD_YEARS)
    return Card(
        customer_id=account.customer_id,
        account_id=account.id,
        number=account.number,
        kind=kind,
        name=name,
        status="active",
        issued_on=issued_on,
        expires_on=_years_on(issued_on, CARD_YEARS),
        lost_at=None,
        status_before_loss=None,
        created_at=_morning(issued_on),
    )


def _years_on(day: date, years: int) -> date:
    return date(day.year + years, day.month, min(day.day, 28))


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(10), tzinfo=BANK_ZONE)
