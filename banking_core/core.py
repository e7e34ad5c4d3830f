"""The core of the bank: everything the business areas (living, cards, locks ...) are built on.

An area's service takes a `Core` and registers its order handlers and guards with `core.orders`:

    class Cards:
        def __init__(self, core: Core) -> None:
            core.orders.register(ReportLossHandler(core))
            core.orders.add_guard(LostCardGuard())
"""

from __future__ import annotations

from dataclasses import dataclass

from banking_core.accounts.service import Accounts
from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.configuration import Calendar, Rules, Terms
from banking_core.customers.service import Customers
from banking_core.identity import Identity
from banking_core.ledger.service import Ledger
from banking_core.notices import Notices
from banking_core.orders.limits import LimitBook
from banking_core.orders.service import Orders
from banking_core.providers import Providers, build_providers
from banking_core.restrictions import Restrictions
from banking_core.restrictions.guard import RestrictionGuard
from banking_core.settings import BankSettings
from banking_core.storage import Database
from banking_core.tariff import OpeningGuard, Tariff
from banking_core.transfers.handlers import register_transfers
from banking_core.transfers.payees import Payees


@checked
@dataclass(frozen=True)
class Core:
    """The services every area needs."""

    clock: Clock
    terms: Terms
    rules: Rules
    calendar: Calendar
    tariff: Tariff
    ledger: Ledger
    customers: Customers
    accounts: Accounts
    identity: Identity
    orders: Orders
    payees: Payees
    providers: Providers
    notices: Notices
    restrictions: Restrictions

    async def start(self, database: Database) -> None:
        """Opens the sandbox stores and the bank's own ledger accounts; safe to call again.

        Raises VaultError when the database's personal data does not open with the keys it was given.
        """
        await self.providers.start()
        async with database.transaction() as session:
            await self.customers.prove_readable(session)
            await self.ledger.open_internal_accounts(session)

    async def close(self) -> None:
        """Closes what `start` opened."""
        await self.providers.close()


def build_core(settings: BankSettings, clock: Clock, *, terms: Terms | None = None) -> Core:
    """Wires the core. `terms` replaces the packaged terms (tests); raises TermsError on a missing term."""
    terms = terms or Terms.load(settings.terms_path)
    rules = Rules.load(terms, settings.rules_path)
    calendar = Calendar(rules.holidays)
    providers = build_providers(settings, clock)
    ledger = Ledger(clock)
    customers = Customers(clock)
    accounts = Accounts(ledger)
    payees = Payees(clock)
    notices = Notices(clock, customers, providers.sms)
    restrictions = Restrictions(clock, customers)
    core = Core(
        clock=clock,
        terms=terms,
        rules=rules,
        calendar=calendar,
        tariff=Tariff(rules, terms, calendar),
        ledger=ledger,
        customers=customers,
        accounts=accounts,
        identity=Identity.build(settings, clock, terms, customers, providers, notices, restrictions),
        orders=Orders(clock, ledger, customers, accounts, LimitBook(rules.limits, terms)),
        payees=payees,
        providers=providers,
        notices=notices,
        restrictions=restrictions,
    )
    core.orders.add_guard(RestrictionGuard(clock, terms, restrictions))
    core.orders.add_guard(OpeningGuard(clock, rules.opening, core.tariff.hours))
    register_transfers(core.orders, core)
    return core
