"""What the order pipeline refuses.

InvalidInput          OrderInvalid         the body is not usable, or the kind is unknown
NotFound              OrderNotFound        no such order, or somebody else's
Conflict              OrderKeyConflict     idempotency key used before with another body
                      OrderExpired         not confirmed and executed in time
                      OrderClosed          cancelled, expired or failed already
                      OrderNotReadBack     confirmed before it was read back
                      OrderNotConfirmed    executed before it was confirmed
                      OrderNotHeld         vouched for without being held for a human
Refused               LimitExceeded        per transaction, per day or per month
                      OrderNeedsHuman      the risk area wants an agent to look at it first
InsufficientFunds     BalanceTooLow
AuthenticationFailed  StepUpRequired       executed without a proof it needs; `factors` names them
"""

from __future__ import annotations

from banking_core.errors import (
    AuthenticationFailed,
    Conflict,
    InsufficientFunds,
    InvalidInput,
    NotFound,
    Refused,
)


class OrderInvalid(InvalidInput):
    """The body cannot be used; `field` names what is wrong."""

    code = "order_invalid"


class OrderNotFound(NotFound):
    """No such order, or somebody else's."""

    code = "order_not_found"
    default_customer_text = "没有找到这笔业务，可以问我“转账状态”查看最近的记录。"


class OrderKeyConflict(Conflict):
    """The idempotency key was used before with another body."""

    code = "order_key_conflict"


class OrderExpired(Conflict):
    """Ten minutes went by without confirmation."""

    code = "order_expired"
    default_customer_text = "这笔业务等待太久已经失效，钱没有动。需要的话请重新说一遍，我再为您办理。"


class OrderClosed(Conflict):
    """The order is over: cancelled, expired or failed."""

    code = "order_closed"
    default_customer_text = "这笔业务已经取消或结束，钱没有动。需要的话请重新说一遍。"


class OrderNotReadBack(Conflict):
    """The customer has not been told what the order says."""

    code = "order_not_read_back"
    default_customer_text = "这笔业务还没有给您核对过，请重新说一遍，我先读给您听。"


class OrderNeedsHuman(Refused):
    """An agent must look at it first."""

    code = "order_needs_human"
    default_customer_text = "这笔业务需要人工同事和您核实后再办，钱没有动。请回复“转人工”。"


class OrderNotHeld(Conflict):
    """Nobody needs to vouch for it."""

    code = "order_not_held"
    default_customer_text = "这笔业务不需要人工核实。"


class OrderNotConfirmed(Conflict):
    """The customer has not confirmed the read-back."""

    code = "order_not_confirmed"
    default_customer_text = "这笔业务还没有确认，请先核对内容并回复“确认”。"


class LimitExceeded(Refused):
    """More than the customer may move at once, in a day or in a month."""

    code = "limit_exceeded"
    default_customer_text = "超过了您的限额，这笔没有办理，钱也没有动。可以减少金额，或者回复“转人工”。"


class BalanceTooLow(InsufficientFunds):
    """The paying account does not hold amount and fee."""

    code = "insufficient_funds"


class StepUpRequired(AuthenticationFailed):
    """The order needs more proof first; `factors` are the missing ones: otp, voice."""

    code = "step_up_required"
    default_customer_text = "办理这笔业务需要先通过短信验证码验证。"

    def __init__(self, message: str = "", *, factors: frozenset[str] = frozenset({"otp"})) -> None:
        super().__init__(message)
        self.factors = factors
