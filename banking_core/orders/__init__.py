"""Orders: the one pipeline for everything that moves money or changes security."""

from banking_core.orders.errors import (
    BalanceTooLow,
    LimitExceeded,
    OrderClosed,
    OrderExpired,
    OrderInvalid,
    OrderKeyConflict,
    OrderNotConfirmed,
    OrderNotFound,
    StepUpRequired,
)
from banking_core.orders.models import Order
from banking_core.orders.service import Orders
from banking_core.orders.types import (
    Executed,
    Facts,
    GuardSubject,
    Limit,
    OrderGuard,
    OrderHandler,
    Quote,
    Settled,
    SettlingHandler,
    Submitted,
)

__all__ = [
    "BalanceTooLow",
    "Executed",
    "Facts",
    "GuardSubject",
    "Limit",
    "LimitExceeded",
    "Order",
    "OrderClosed",
    "OrderExpired",
    "OrderGuard",
    "OrderHandler",
    "OrderInvalid",
    "OrderKeyConflict",
    "OrderNotConfirmed",
    "OrderNotFound",
    "Orders",
    "Quote",
    "Settled",
    "SettlingHandler",
    "StepUpRequired",
    "Submitted",
]
