"""Opening accounts and reading balances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.errors import AccountInvalid, AccountNotFound
from banking_core.accounts.models import Account
from banking_core.accounts.numbers import FORMATS, is_valid_number, new_number
from banking_core.checked import checked
from banking_core.ledger.service import Ledger
from banking_core.storage import new_id

NUMBER_TRIES_MAX = 5
KINDS_IN_ORDER = ("current", "deposit", "credit")


@dataclass(frozen=True)
class AccountBalance:
    """Balance of one account. `available_fen` is what may be paid out now: not what is held.

    A credit account owes when negative.
    """

    account: Account
    balance_fen: int
    available_fen: int
    credit_limit_fen: int
    held_fen: int = 0


@checked
class Accounts:
    """Customer accounts. Never commits."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def open(
        self,
        session: AsyncSession,
        *,
        customer_id: str,
        kind: str,
        name: str,
        opened_on: date,
        number: str | None = None,
        credit_limit_fen: int = 0,
        is_default: bool = False,
    ) -> Account:
        """Opens an account with balance 0; only a credit account may have a credit limit.

        Raises AccountInvalid.
        """
        if kind not in FORMATS or credit_limit_fen < 0 or (credit_limit_fen and kind != "credit"):
            raise AccountInvalid("kind or credit limit", field="kind")
        number = number or await self._free_number(session, kind)
        if not is_valid_number(number) or await self.by_number(session, number) is not None:
            raise AccountInvalid("number is malformed or taken", field="number")
        account_id = new_id()
        ledger_account = await self._ledger.open_account(
            session,
            code=f"customer:{account_id}",
            name=name,
            kind="customer",
            normal_side="credit",
            floor_fen=-credit_limit_fen,
            purpose="credit_card" if kind == "credit" else "deposit",
        )
        account = Account(
            id=account_id,
            customer_id=customer_id,
            ledger_account_id=ledger_account.id,
            number=number,
            kind=kind,
            name=name,
            status="active",
            currency="CNY",
            is_default=is_default,
            opened_on=opened_on,
        )
        session.add(account)
        await session.flush()
        return account

    async def list_for(self, session: AsyncSession, customer_id: str) -> Sequence[Account]:
        """The customer's open accounts, the default one first, then current, deposit, credit."""
        statement = select(Account).where(Account.customer_id == customer_id, Account.status != "closed")
        return sorted(await session.scalars(statement), key=_usual_order)

    async def balances(self, session: AsyncSession, customer_id: str) -> list[AccountBalance]:
        """Balances of all open accounts, in the order of `list_for`."""
        return [await self.balance(session, account) for account in await self.list_for(session, customer_id)]

    async def balance(self, session: AsyncSession, account: Account) -> AccountBalance:
        """The balance of one account as the database holds it now."""
        standing = await self._ledger.standing(session, account.ledger_account_id)
        return AccountBalance(
            account=account,
            balance_fen=standing.balance_fen,
            available_fen=standing.available_fen,
            credit_limit_fen=-(standing.floor_fen or 0),
            held_fen=standing.held_fen,
        )

    async def own(self, session: AsyncSession, customer_id: str, account_id: str) -> Account:
        """The account if it is this customer's and not closed; raises AccountNotFound."""
        account = await session.get(Account, account_id)
        if account is None or account.customer_id != customer_id or account.status == "closed":
            raise AccountNotFound("no such account of this customer")
        return account

    async def get(self, session: AsyncSession, account_id: str) -> Account:
        """Any account; for the bank's own use. Raises AccountNotFound."""
        account = await session.get(Account, account_id)
        if account is None:
            raise AccountNotFound("no such account")
        return account

    async def default_for(self, session: AsyncSession, customer_id: str) -> Account | None:
        """The account payments come from unless another is named.

        The default, else the first active current one.
        """
        for account in await self.list_for(session, customer_id):
            if account.kind == "current" and account.status == "active":
                return account
        return None

    async def by_number(self, session: AsyncSession, number: str) -> Account | None:
        """The account with this number, closed ones too."""
        return await session.scalar(select(Account).where(Account.number.equals(session, number)))

    async def _free_number(self, session: AsyncSession, kind: str) -> str:
        for _ in range(NUMBER_TRIES_MAX):
            number = new_number(kind)
            if await self.by_number(session, number) is None:
                return number
        raise AccountInvalid("no free number found", field="number")


def _usual_order(account: Account) -> tuple[bool, int, date, str]:
    """The default account first, then by kind, age and number."""
    return (
        not account.is_default,
        KINDS_IN_ORDER.index(account.kind),
        account.opened_on,
        account.number,
    )
