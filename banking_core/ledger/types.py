"""Values handed to and returned by the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Literal

NormalSide = Literal["debit", "credit"]
AccountKind = Literal["customer", "internal"]


@dataclass(frozen=True)
class Purpose:
    """What accounts of one purpose have in common; `floor_fen` None: they may be overdrawn."""

    kind: AccountKind
    normal_side: NormalSide
    floor_fen: int | None


# The default floor of a purpose may be replaced per account (a credit card's is minus its limit).
PURPOSES: dict[str, Purpose] = {
    "deposit": Purpose("customer", "credit", 0),
    "credit_card": Purpose("customer", "credit", 0),
    "general": Purpose("internal", "credit", None),
    "suspense": Purpose("internal", "credit", None),
    "settlement": Purpose("internal", "debit", None),
    "fee": Purpose("internal", "credit", None),
    "interest": Purpose("internal", "debit", None),
    "fx_position": Purpose("internal", "credit", None),
}


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
    hold_id: int | None = None
    rate: str | None = None

    @property
    def account_ids(self) -> set[int]:
        """The ledger accounts it touches."""
        return {entry.ledger_account_id for entry in self.entries}


class InternalAccount(StrEnum):
    """The bank's own ledger accounts, by code; opened when first needed, one per currency."""

    CENTRAL_BANK = "internal:central_bank"  # what we hold at, or owe through, the clearing system
    CLEARING_SUSPENSE = "internal:clearing_suspense"  # sent to other banks, not yet settled
    BILLER_SUSPENSE = "internal:biller_suspense"  # paid to billers, not yet settled
    BILLER_SETTLEMENT = "internal:biller_settlement"
    TOPUP_SUSPENSE = "internal:topup_suspense"  # paid to phone carriers, not yet settled
    TOPUP_SETTLEMENT = "internal:topup_settlement"
    FEE_INCOME = "internal:fee_income"
    FX_POSITION = "internal:fx_position"  # what the bank is long or short in a currency
    INTEREST_EXPENSE = "internal:interest_expense"
    INTEREST_PAYABLE = "internal:interest_payable"  # earned by customers, not yet paid to them
    OUTSIDE_WORLD = "internal:outside_world"  # the other side of card payments, salaries and opening balances


@dataclass(frozen=True)
class InternalAccountSpec:
    """Chinese name and normal side of an internal account."""

    name: str
    normal_side: NormalSide
    purpose: str = "general"


INTERNAL_ACCOUNTS: dict[InternalAccount, InternalAccountSpec] = {
    InternalAccount.CENTRAL_BANK: InternalAccountSpec("存放中央银行款项", "debit", "settlement"),
    InternalAccount.CLEARING_SUSPENSE: InternalAccountSpec("跨行汇出待清算", "credit", "suspense"),
    InternalAccount.BILLER_SUSPENSE: InternalAccountSpec("代缴费待结算", "credit", "suspense"),
    InternalAccount.BILLER_SETTLEMENT: InternalAccountSpec("代缴费已结算", "credit", "settlement"),
    InternalAccount.TOPUP_SUSPENSE: InternalAccountSpec("话费充值待结算", "credit", "suspense"),
    InternalAccount.TOPUP_SETTLEMENT: InternalAccountSpec("话费充值已结算", "credit", "settlement"),
    InternalAccount.FEE_INCOME: InternalAccountSpec("手续费收入", "credit", "fee"),
    InternalAccount.FX_POSITION: InternalAccountSpec("外汇买卖头寸", "credit", "fx_position"),
    InternalAccount.INTEREST_EXPENSE: InternalAccountSpec("利息支出", "debit", "interest"),
    InternalAccount.INTEREST_PAYABLE: InternalAccountSpec("应付利息", "credit", "interest"),
    InternalAccount.OUTSIDE_WORLD: InternalAccountSpec("外部往来", "debit"),
}


@dataclass(frozen=True)
class Exchange:
    """What an exchange booked, in minor units. `residual_fen` (0 <= r < 1, target currency) is what rounding down
    left with the bank, in its position account."""

    transaction_id: int
    sold_fen: int
    bought_fen: int
    rate: Fraction
    residual_fen: Fraction


@dataclass(frozen=True)
class Standing:
    """One account now. `available_fen` may be spent: balance less holds, down to the floor (0 when there is none)."""

    currency: str
    balance_fen: int
    held_fen: int
    floor_fen: int | None

    @property
    def available_fen(self) -> int:
        """What may be spent now."""
        return self.balance_fen - self.held_fen - (self.floor_fen or 0)


@dataclass(frozen=True)
class TrialBalance:
    """The sums over all accounts of one currency; both sides are equal in sound books."""

    currency: str
    account_count: int
    debit_fen: int
    credit_fen: int

    @property
    def balanced(self) -> bool:
        """True when debits equal credits."""
        return self.debit_fen == self.credit_fen


@dataclass(frozen=True)
class Receipt:
    """What the batcher hands back once the booking is committed; `repeated`: it was booked before."""

    transaction_id: int
    repeated: bool


@dataclass(frozen=True)
class Head:
    """The end of one hash chain."""

    chain: int
    sequence: int
    hash: str


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
    hold_count: int
    heads: tuple[Head, ...]
    trial_balances: tuple[TrialBalance, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """True when nothing was found."""
        return not self.problems
