"""What the mandate area refuses.

BankError
├── InvalidInput
│   └── MandateInvalid    mandate_invalid     a field of the schedule cannot be used; `field` says which
├── NotFound
│   └── MandateNotFound   mandate_not_found   no such mandate, or somebody else's
├── Conflict
│   └── MandateOver       mandate_over        cancelled, or every due day is past
└── Refused
    └── MandatesTooMany   mandates_too_many   the customer has as many as allowed
"""

from __future__ import annotations

from banking_core.errors import Conflict, InvalidInput, NotFound, Refused


class MandateInvalid(InvalidInput):
    """A field of the schedule cannot be used."""

    code = "mandate_invalid"
    default_customer_text = "约定的时间我没法使用，请再说一次，例如“每月15号”或“12月5号”。"


class MandateNotFound(NotFound):
    """No such mandate, or somebody else's."""

    code = "mandate_not_found"
    default_customer_text = "没有找到这项约定，可以问我“我的预约转账”看看都有哪些。"


class MandateOver(Conflict):
    """The mandate was cancelled, or every due day is past."""

    code = "mandate_over"
    default_customer_text = "这项约定已经结束，不会再转出。需要的话可以重新约定一项。"


class MandatesTooMany(Refused):
    """The customer has as many mandates as allowed."""

    code = "mandates_too_many"
    default_customer_text = "您的约定已经到上限，请先取消不用的，再来约定新的。"
