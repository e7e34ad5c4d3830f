"""The double-entry ledger: immutable entries, provable balances, holds, exchanges, hash chains."""

from banking_core.ledger import triggers as _triggers  # attaches the triggers to the tables
from banking_core.ledger.batch import Batcher
from banking_core.ledger.errors import (
    AlreadyReversed,
    BelowFloor,
    ExchangeInvalid,
    HoldExpired,
    HoldInvalid,
    HoldNotFound,
    HoldNotPending,
    HoldPosted,
    HoldVoided,
    LedgerAccountInvalid,
    LedgerAccountNotFound,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    LedgerTransactionNotFound,
)
from banking_core.ledger.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerHold,
    LedgerHoldEvent,
    LedgerTransaction,
)
from banking_core.ledger.service import Ledger
from banking_core.ledger.types import (
    EntryDraft,
    Exchange,
    Head,
    InternalAccount,
    Problem,
    Receipt,
    Standing,
    TransactionDraft,
    TrialBalance,
    VerifyReport,
)

__all__ = [
    "AlreadyReversed",
    "Batcher",
    "BelowFloor",
    "EntryDraft",
    "Exchange",
    "ExchangeInvalid",
    "Head",
    "HoldExpired",
    "HoldInvalid",
    "HoldNotFound",
    "HoldNotPending",
    "HoldPosted",
    "HoldVoided",
    "InternalAccount",
    "Ledger",
    "LedgerAccount",
    "LedgerAccountInvalid",
    "LedgerAccountNotFound",
    "LedgerEntry",
    "LedgerHold",
    "LedgerHoldEvent",
    "LedgerKeyConflict",
    "LedgerPostingInvalid",
    "LedgerTransaction",
    "LedgerTransactionNotFound",
    "Problem",
    "Receipt",
    "Standing",
    "TransactionDraft",
    "TrialBalance",
    "VerifyReport",
]
assert _triggers.IMMUTABLE_TABLES
