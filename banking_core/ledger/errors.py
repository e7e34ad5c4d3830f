"""What the ledger refuses.

InvalidInput      LedgerPostingInvalid    not balanced in each currency, empty, out of bounds: the caller's mistake
                  ├── HoldInvalid         a hold's amount or times, or a posting that spends more than is held
                  └── ExchangeInvalid     rate, amount or currencies of an exchange
                  LedgerAccountInvalid    an account that cannot be opened so
NotFound          LedgerAccountNotFound, LedgerTransactionNotFound, HoldNotFound
Conflict          LedgerKeyConflict, AlreadyReversed
                  HoldNotPending
                  ├── HoldPosted          it was posted (in whole or in part): the money has moved
                  ├── HoldVoided          it was given back
                  └── HoldExpired         its time is over
InsufficientFunds BelowFloor
"""

from __future__ import annotations

from banking_core.errors import Conflict, InsufficientFunds, InvalidInput, NotFound


class LedgerPostingInvalid(InvalidInput):
    """The lines do not sum to zero, or break a limit of the ledger."""

    code = "ledger_posting_invalid"


class HoldInvalid(LedgerPostingInvalid):
    """A hold's amount or times cannot be, or a posting spends nothing of it or more than it holds."""

    code = "hold_invalid"


class ExchangeInvalid(LedgerPostingInvalid):
    """An exchange with an unusable rate, amount or pair of currencies."""

    code = "exchange_invalid"


class LedgerAccountInvalid(InvalidInput):
    """A code, kind, purpose, currency or floor no ledger account can have."""

    code = "ledger_account_invalid"


class LedgerAccountNotFound(NotFound):
    """A line names an account that does not exist."""

    code = "ledger_account_not_found"


class LedgerTransactionNotFound(NotFound):
    """No such transaction."""

    code = "ledger_transaction_not_found"


class HoldNotFound(NotFound):
    """No such hold."""

    code = "hold_not_found"


class LedgerKeyConflict(Conflict):
    """The key was used before with another body."""

    code = "ledger_key_conflict"


class AlreadyReversed(Conflict):
    """The transaction was reversed before, or is itself a reversal."""

    code = "already_reversed"
    default_customer_text = "这笔交易已经退回过，没有重复处理。"


class HoldNotPending(Conflict):
    """The hold has come to an end; `code` says which."""

    code = "hold_not_pending"


class HoldPosted(HoldNotPending):
    """The hold was posted: the money has moved."""

    code = "hold_posted"
    default_customer_text = "这笔钱已经付出，没有重复处理。可以查一下最近的交易明细。"


class HoldVoided(HoldNotPending):
    """The hold was given back to the account."""

    code = "hold_voided"
    default_customer_text = "这笔冻结已经解除，钱没有动。需要的话请重新办理。"


class HoldExpired(HoldNotPending):
    """The hold's time is over."""

    code = "hold_expired"
    default_customer_text = "这笔冻结已经过期，钱没有动。需要的话请重新办理。"


class BelowFloor(InsufficientFunds):
    """The posting would leave the account, less what is held on it, below its floor."""

    code = "insufficient_funds"
