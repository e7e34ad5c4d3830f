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
from banking_core.orders.limits import Limit, LimitBook, Moving
from banking_core.orders.models import Order, OrderEvent
from banking_core.orders.risk import OrderRisk, RiskSubject, Verdict
from banking_core.orders.service import Orders
from banking_core.orders.types import (
    Executed,
    Facts,
    GuardSubject,
    OrderGuard,
    OrderHandler,
    PaidPayee,
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
    "LimitBook",
    "LimitExceeded",
    "Moving",
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
    "PaidPayee",
    "Quote",
    "RiskSubject",
    "Settled",
    "SettlingHandler",
    "StepUpRequired",
    "Submitted",
    "Verdict",
]
