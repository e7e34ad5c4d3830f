"""What a restriction stops.

Refused
├── CustomerRestricted   this order may not be made while the restriction holds
└── CustomerFrozen       nothing at all may be done: the account may be in a stranger's hands
"""

from __future__ import annotations

from banking_core.errors import Refused


class CustomerRestricted(Refused):
    """This order may not be made now."""

    code = "customer_restricted"
    default_customer_text = (
        "为了您的资金安全，现在只能查询，不能动用资金，钱没有动。同事会给您打电话核实，也可以回复“转人工”。"
    )


class CustomerFrozen(Refused):
    """The customer is frozen until a person has made sure who they are."""

    code = "customer_frozen"
    default_customer_text = "您的账户已保护性锁定，钱没有动。请带身份证到网点，或拨打客服电话核实后解锁。"
