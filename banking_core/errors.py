"""The exception tree of the bank.

    BankError                     code, customer_text: one clear Chinese sentence with a next step
    ├── InvalidInput              the caller's value cannot be used (field names it)
    ├── NotFound                  no such object, or not this customer's (the two are not told apart)
    ├── Conflict                  the object is in another state, or a key was used with another body
    ├── Refused                   a rule of the bank says no (limit, lock, card status, balance)
    │   └── InsufficientFunds
    ├── AuthenticationFailed      wrong, expired or exhausted proof of identity
    └── ProviderUnavailable       an outside party did not answer; retrying is safe

Every area subclasses these; `code` is stable and machine-readable, `customer_text` is what the customer reads,
and `str(error)` is for the log and never holds a secret or personal data.
"""

from __future__ import annotations

from typing import ClassVar


class BankError(Exception):
    """Root of everything the bank refuses or fails at."""

    code: ClassVar[str] = "bank_error"
    default_customer_text: ClassVar[str] = "这件事现在办不了，请稍后再试，或者回复“转人工”。"

    def __init__(self, message: str = "", *, customer_text: str | None = None) -> None:
        super().__init__(message or self.code)
        self.customer_text = customer_text or self.default_customer_text


class InvalidInput(BankError):
    """A value that cannot be used; `field` names it."""

    code = "invalid_input"
    default_customer_text = "这个内容我没法使用，请换一种说法再试一次。"

    def __init__(self, message: str = "", *, field: str = "", customer_text: str | None = None) -> None:
        super().__init__(message, customer_text=customer_text)
        self.field = field


class NotFound(BankError):
    """The object does not exist or belongs to somebody else."""

    code = "not_found"
    default_customer_text = "没有找到您说的这一项，请核对后再告诉我。"


class Conflict(BankError):
    """The object changed meanwhile, or an idempotency key came with another body."""

    code = "conflict"
    default_customer_text = "这笔业务的状态已经变了，没有重复办理。可以问我“转账状态”查看结果。"


class Refused(BankError):
    """A rule of the bank says no."""

    code = "refused"


class InsufficientFunds(Refused):
    """The account would fall below its floor."""

    code = "insufficient_funds"
    default_customer_text = "账户余额不足，这笔没有办理，钱也没有动。可以换一个金额或换一个账户。"


class AuthenticationFailed(BankError):
    """Proof of identity is wrong, expired or used up."""

    code = "authentication_failed"
    default_customer_text = "身份验证没有通过，请重新验证，或者回复“转人工”。"


class ProviderUnavailable(BankError):
    """An outside party did not answer in time."""

    code = "provider_unavailable"
    default_customer_text = "对方系统暂时没有回应，结果稍后会通知您，请不要重复提交。"
