"""The customer's card: who they are to the bank, for the agent who has them. Never a whole card or identity number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import bank_date
from banking_core.core import Core
from banking_core.money_text import mask_name, mask_phone
from banking_core.privacy.words import ACCOUNT, CUSTOMER, RESTRICTION

Revealable = Literal["name", "phone"]
REVEALABLE: tuple[Revealable, ...] = ("name", "phone")


class CustomerCards(Protocol):
    """The desk's view of the bank's customers."""

    async def card(self, session: AsyncSession, customer_id: str) -> Mapping[str, Any]:
        """{name, phone (both masked), level_text, since, accounts [[label, value]], restrictions [text]}."""
        ...

    async def reveal(self, session: AsyncSession, customer_id: str, field: Revealable) -> str:
        """The whole name or phone number."""
        ...


class BankCards:
    """`CustomerCards` of the bank."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def card(self, session: AsyncSession, customer_id: str) -> Mapping[str, Any]:
        """See `CustomerCards`."""
        customer = await self._core.customers.get(session, customer_id)
        accounts = await self._core.accounts.list_for(session, customer_id)
        restrictions = await self._core.restrictions.kinds(session, customer_id)
        return {
            "name": mask_name(customer.name),
            "phone": mask_phone(customer.phone),
            "level_text": CUSTOMER["level"].get(customer.level, ""),
            "since": bank_date(customer.created_at).isoformat(),
            "accounts": [
                [account.name, f"尾号{account.tail} · {ACCOUNT['status'][account.status]}"]
                for account in accounts
            ],
            "restrictions": sorted(RESTRICTION["kind"][kind] for kind in restrictions),
        }

    async def reveal(self, session: AsyncSession, customer_id: str, field: Revealable) -> str:
        """See `CustomerCards`."""
        customer = await self._core.customers.get(session, customer_id)
        return customer.name if field == "name" else customer.phone


class NoCards:
    """`CustomerCards` of a desk without a bank: nothing is known of anybody."""

    async def card(self, session: AsyncSession, customer_id: str) -> Mapping[str, Any]:
        """Nothing."""
        return {"name": "", "phone": "", "level_text": "", "since": "", "accounts": [], "restrictions": []}

    async def reveal(self, session: AsyncSession, customer_id: str, field: Revealable) -> str:
        """Nothing."""
        return ""
