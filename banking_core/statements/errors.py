"""What can be wrong with a statement request.

BankError
└── InvalidInput
    └── StatementPeriodInvalid   the first day is after the last, or a filter makes no sense
"""

from __future__ import annotations

from banking_core.errors import InvalidInput


class StatementPeriodInvalid(InvalidInput):
    """The first day is after the last."""

    code = "statement_period_invalid"
    default_customer_text = (
        "开始日期在结束日期之后了，请再说一次要查哪一段时间，比如“上个月”或“10月1日到10月7日”。"
    )
