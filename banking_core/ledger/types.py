"""Values handed to and returned by the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

NormalSide = Literal["debit", "credit"]


@dataclass(frozen=True)
class EntryDraft:
    """One line to be booked: `amount_fen` is signed, credit (raises a customer's balance) positive."""

    ledger_account_id: int
    amount_fen: int
    counterparty_name: str = ""
    category: str = "other"
    summary: str = ""


@dataclass(frozen=True)
class TransactionDraft:
    """A transaction to be booked; `import_history` takes many of them, all in the past."""

    key: str
    kind: str
    memo: str
    booked_at: datetime
    entries: tuple[EntryDraft, ...]
    reverses_id: int | None = None

    @property
    def account_ids(self) -> set[int]:
        """The ledger accounts it touches."""
        return {entry.ledger_account_id for entry in self.entries}


class InternalAccount(StrEnum):
    """The bank's own ledger accounts, by code; opened when first needed."""

    CENTRAL_BANK = "internal:central_bank"  # what we hold at, or owe through, the clearing system
    CLEARING_SUSPENSE = "internal:clearing_suspense"  # sent to other banks, not yet settled
    BILLER_SUSPENSE = "internal:biller_suspense"  # paid to billers, not yet settled
    BILLER_SETTLEMENT = "internal:biller_settlement"
    TOPUP_SUSPENSE = "internal:topup_suspense"  # paid to phone carriers, not yet settled
    TOPUP_SETTLEMENT = "internal:topup_settlement"
    FEE_INCOME = "internal:fee_income"
    INTEREST_EXPENSE = "internal:interest_expense"
    OUTSIDE_WORLD = "internal:outside_world"  # the other side of card payments, salaries and opening balances


@dataclass(frozen=True)
class InternalAccountSpec:
    """Chinese name and normal side of an internal account."""

    name: str
    normal_side: NormalSide


INTERNAL_ACCOUNTS: dict[InternalAccount, InternalAccountSpec] = {
    InternalAccount.CENTRAL_BANK: InternalAccountSpec("存放中央银行款项", "debit"),
    InternalAccount.CLEARING_SUSPENSE: InternalAccountSpec("跨行汇出待清算", "credit"),
    InternalAccount.BILLER_SUSPENSE: InternalAccountSpec("代缴费待结算", "credit"),
    InternalAccount.BILLER_SETTLEMENT: InternalAccountSpec("代缴费已结算", "credit"),
    InternalAccount.TOPUP_SUSPENSE: InternalAccountSpec("话费充值待结算", "credit"),
    InternalAccount.TOPUP_SETTLEMENT: InternalAccountSpec("话费充值已结算", "credit"),
    InternalAccount.FEE_INCOME: InternalAccountSpec("手续费收入", "credit"),
    InternalAccount.INTEREST_EXPENSE: InternalAccountSpec("利息支出", "debit"),
    InternalAccount.OUTSIDE_WORLD: InternalAccountSpec("外部往来", "debit"),
}


@dataclass(frozen=True)
class Problem:
    """One thing `verify` found; `row` names table and id, such as `ledger_transaction 17`."""

    code: str
    row: str
    detail: str


@dataclass(frozen=True)
class VerifyReport:
    """The result of checking the whole ledger."""

    transaction_count: int
    entry_count: int
    account_count: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """True when nothing was found."""
        return not self.problems
