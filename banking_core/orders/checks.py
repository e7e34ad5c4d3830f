"""The check of the paying account, at drafting and again, under locks, at execution."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.errors import AccountNotUsable
from banking_core.accounts.service import Accounts
from banking_core.money_text import fen_to_yuan_text
from banking_core.orders.errors import BalanceTooLow


async def check_source(
    session: AsyncSession, accounts: Accounts, customer_id: str, account_id: str, total_fen: int
) -> None:
    """Raises AccountNotFound, AccountNotUsable, BalanceTooLow when the account cannot pay `total_fen`."""
    account = await accounts.own(session, customer_id, account_id)
    if account.status != "active":
        raise AccountNotUsable(f"account is {account.status}")
    balance = await accounts.balance(session, account)
    if balance.available_fen < total_fen:
        available = fen_to_yuan_text(balance.available_fen)
        raise BalanceTooLow(
            "available balance is below amount and fee",
            customer_text=f"尾号{account.tail}的账户可用余额{available}，不够这笔{fen_to_yuan_text(total_fen)}（含手续费），"
            "没有办理，钱也没有动。可以换一个金额或账户。",
        )
