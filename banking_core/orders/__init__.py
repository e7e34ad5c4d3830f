"""Orders: the one pipeline for everything that moves money or changes security."""

from banking_core.orders.errors import (
    BalanceTooLow,
    LimitExceeded,
    OrderClosed,
    OrderExpired,
    OrderInvalid,
    OrderKeyConflict,
    OrderNeedsHuman,
    OrderNotConfirmed,
    OrderNotFound,
    OrderNotReadBack,
    StepUpRequired,
)
from banking_core.orders.events import Actor
from banking_core.orders.models import Order, OrderEvent
from banking_core.orders.risk import OrderRisk, RiskSubject, Verdict
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
    "Actor",
    "BalanceTooLow",
    "Executed",
    "Facts",
    "GuardSubject",
    "Limit",
    "LimitExceeded",
    "Order",
    "OrderClosed",
    "OrderEvent",
    "OrderExpired",
    "OrderGuard",
    "OrderHandler",
    "OrderInvalid",
    "OrderKeyConflict",
    "OrderNeedsHuman",
    "OrderNotConfirmed",
    "OrderNotFound",
    "OrderNotReadBack",
    "OrderRisk",
    "Orders",
    "Quote",
    "RiskSubject",
    "Settled",
    "SettlingHandler",
    "StepUpRequired",
    "Submitted",
    "Verdict",
]
