"""The double-entry ledger: immutable entries, provable balances, hash chains."""

from banking_core.ledger import triggers as _triggers  # attaches the triggers to the tables
from banking_core.ledger.errors import (
    AlreadyReversed,
    BelowFloor,
    LedgerAccountNotFound,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    LedgerTransactionNotFound,
)
from banking_core.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from banking_core.ledger.service import Ledger
from banking_core.ledger.types import (
    EntryDraft,
    InternalAccount,
    Problem,
    TransactionDraft,
    VerifyReport,
)

__all__ = [
    "AlreadyReversed",
    "BelowFloor",
    "EntryDraft",
    "InternalAccount",
    "Ledger",
    "LedgerAccount",
    "LedgerAccountNotFound",
    "LedgerEntry",
    "LedgerKeyConflict",
    "LedgerPostingInvalid",
    "LedgerTransaction",
    "LedgerTransactionNotFound",
    "Problem",
    "TransactionDraft",
    "VerifyReport",
]
assert _triggers.IMMUTABLE_TABLES
