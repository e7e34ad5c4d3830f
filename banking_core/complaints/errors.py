"""What complaints refuse.

BankError
├── NotFound
│   └── ComplaintNotFound     no complaint has this number, or it is somebody else's
├── Refused
│   └── ComplaintNotYours     another colleague looks into it
└── Conflict
    ├── ComplaintOver         it is answered or closed
    └── ComplaintUnanswered   there is no answer to judge yet
"""

from __future__ import annotations

from banking_core.errors import Conflict, NotFound, Refused


class ComplaintNotFound(NotFound):
    """No complaint has this number, or it is somebody else's."""

    code = "complaint_not_found"
    default_customer_text = "没有找到这个编号的投诉，请核对编号。"


class ComplaintNotYours(Refused):
    """Another colleague looks into it, or looked into it the first time."""

    code = "complaint_not_yours"
    default_customer_text = "这件投诉不由您处理，请先认领；复核要换一位同事来做。"


class ComplaintOver(Conflict):
    """It is answered or closed: nothing more is done."""

    code = "complaint_over"
    default_customer_text = "这件投诉已经答复或办结了。"


class ComplaintUnanswered(Conflict):
    """There is no answer to judge."""

    code = "complaint_unanswered"
    default_customer_text = "您现在没有等您评价的投诉答复。想问进度可以说“投诉进度”。"
