"""What the area of receiving codes refuses.

BankError
├── InvalidInput
│   └── AmountRefused        receive_amount_refused   a code cannot ask for this amount
├── NotFound
│   └── ReceiveCodeUnknown   receive_code_unknown     no code of this bank
├── Conflict
│   └── ReceiveCodeEnded     receive_code_ended       taken back, replaced, run out, or its account is closed
└── Refused
    └── OwnCode              receive_code_own         the payer's own
"""

from __future__ import annotations

from banking_core.errors import Conflict, InvalidInput, NotFound, Refused


class AmountRefused(InvalidInput):
    """A code cannot ask for this amount."""

    code = "receive_amount_refused"
    default_customer_text = "收款码不能设这个金额，请换一个金额，或者出一张不带金额的。"


class ReceiveCodeUnknown(NotFound):
    """No code of this bank."""

    code = "receive_code_unknown"
    default_customer_text = "这不是我行的收款码，没有办理。请让对方重新出一张，或者说“转账”按户名付。"


class ReceiveCodeEnded(Conflict):
    """Taken back, replaced, run out, or its account is closed."""

    code = "receive_code_ended"
    default_customer_text = "这张收款码已经停用或过期，没有办理，钱没有动。请让对方重新出一张再发给我。"


class OwnCode(Refused):
    """The payer's own code."""

    code = "receive_code_own"
    default_customer_text = (
        "这是您自己的收款码，不能付给自己。请把它发给付款人；在自己的账户之间转钱请说“转账”。"
    )
