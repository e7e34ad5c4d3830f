"""What can go wrong with bills and top-ups.

BankError
├── NotFound
│   └── BillNotFound         no such bill on the customer's household accounts
├── Conflict
│   └── BillAlreadyPaid      the bill is paid, or a payment of it is on its way
└── InvalidInput
    ├── BillerUnknown        not a biller this bank serves
    ├── TopupPhoneInvalid    not a mobile number of a carrier we know
    └── TopupAmountInvalid   not an amount the carriers sell
"""

from __future__ import annotations

from banking_core.errors import Conflict, InvalidInput, NotFound


class BillNotFound(NotFound):
    """No such bill on the customer's household accounts."""

    code = "bill_not_found"
    default_customer_text = "没有找到这张账单。可以对我说“查电费”或“查水费”看看您名下的账单。"


class BillAlreadyPaid(Conflict):
    """The bill is paid, or a payment of it is on its way."""

    code = "bill_already_paid"
    default_customer_text = "这张账单已经缴过了，没有重复扣款。"


class BillerUnknown(InvalidInput):
    """Not a biller this bank serves."""

    code = "biller_unknown"
    default_customer_text = "现在可以缴水费、电费、燃气费、物业费和有线电视费，请告诉我要缴哪一种。"


class TopupPhoneInvalid(InvalidInput):
    """Not a mobile number of a carrier we know."""

    code = "topup_phone_invalid"
    default_customer_text = "这个手机号不对，请告诉我11位的手机号。"


class TopupAmountInvalid(InvalidInput):
    """Not an amount the carriers sell."""

    code = "topup_amount_invalid"
