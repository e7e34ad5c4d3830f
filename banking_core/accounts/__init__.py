"""The accounts customers hold."""

from banking_core.accounts.errors import AccountInvalid, AccountNotFound, AccountNotUsable
from banking_core.accounts.models import Account
from banking_core.accounts.service import AccountBalance, Accounts

__all__ = ["Account", "AccountBalance", "AccountInvalid", "AccountNotFound", "AccountNotUsable", "Accounts"]
