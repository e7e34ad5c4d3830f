"""What can be wrong with a statement.

BankError
├── StatementMismatch            statement_mismatch         an issued statement differs from the ledger
├── InvalidInput
│   └── StatementPeriodInvalid   statement_period_invalid   the first day is after the last, or a filter makes no sense
└── NotFound
    └── StatementNotFound        statement_not_found        no such monthly statement, or somebody else's
"""

from __future__ import annotations

from banking_core.errors import BankError, InvalidInput, NotFound


class StatementPeriodInvalid(InvalidInput):
    """The first day is after the last."""

    code = "statement_period_invalid"
    default_customer_text = (
        "开始日期在结束日期之后了，请再说一次要查哪一段时间，比如“上个月”或“10月1日到10月7日”。"
    )


class StatementNotFound(NotFound):
    """No such monthly statement, or somebody else's."""

    code = "statement_not_found"
    default_customer_text = "没有找到这份对账单，请核对编号，或者告诉我要哪个账户哪个月的。"


class StatementMismatch(BankError):
    """An issued statement differs from what the ledger says now."""

    code = "statement_mismatch"
