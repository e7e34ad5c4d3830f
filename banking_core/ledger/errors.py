"""What the ledger refuses.

InvalidInput      LedgerPostingInvalid    not balanced, empty, out of bounds: the caller's mistake
NotFound          LedgerAccountNotFound, LedgerTransactionNotFound
Conflict          LedgerKeyConflict, AlreadyReversed
InsufficientFunds BelowFloor
"""

from __future__ import annotations

from banking_core.errors import Conflict, InsufficientFunds, InvalidInput, NotFound


class LedgerPostingInvalid(InvalidInput):
    """The lines do not sum to zero, or break a limit of the ledger."""

    code = "ledger_posting_invalid"


class LedgerAccountNotFound(NotFound):
    """A line names an account that does not exist."""

    code = "ledger_account_not_found"


class LedgerTransactionNotFound(NotFound):
    """No such transaction."""

    code = "ledger_transaction_not_found"


class LedgerKeyConflict(Conflict):
    """The key was used before with another body."""

    code = "ledger_key_conflict"


class AlreadyReversed(Conflict):
    """The transaction was reversed before, or is itself a reversal."""

    code = "already_reversed"
    default_customer_text = "这笔交易已经退回过，没有重复处理。"


class BelowFloor(InsufficientFunds):
    """The posting would leave the account below its floor."""

    code = "insufficient_funds"
