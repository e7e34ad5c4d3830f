"""What a safety lock says.

BankError
├── Refused
│   └── AccountLocked    a lock of the customer's own stops this order
└── Conflict
    └── NothingLocked    there is no lock to take off
"""

from __future__ import annotations

from banking_core.errors import Conflict, Refused


class AccountLocked(Refused):
    """A lock of the customer's own stops this order."""

    code = "account_locked"
    default_customer_text = "您开启了安全锁，这笔没有办理，钱没有动。要办理请先对我说“解锁”。"


class NothingLocked(Conflict):
    """There is no lock to take off."""

    code = "nothing_locked"
    default_customer_text = "您现在没有开启安全锁，账户可以正常使用。"
