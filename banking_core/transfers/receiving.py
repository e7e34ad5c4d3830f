"""Checking that a payee at our bank is who the customer says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.transfers.bodies import PayeeBody
from banking_core.transfers.errors import PayeeMismatch

if TYPE_CHECKING:
    from banking_core.core import Core

RECEIVING_KINDS = ("current", "credit")


async def receiving_account(core: Core, session: AsyncSession, payee: PayeeBody) -> Account:
    """The account at our bank that a payee names.

    Raises PayeeMismatch unless it exists, can receive and its holder has that name: which of these failed is
    not told.
    """
    account = await core.accounts.by_number(session, payee.account_number)
    if account is None or account.kind not in RECEIVING_KINDS or account.status == "closed":
        raise PayeeMismatch("no receiving account with this number")
    holder = await core.customers.get(session, account.customer_id)
    if holder.name != payee.name:
        raise PayeeMismatch("the holder has another name")
    return account
