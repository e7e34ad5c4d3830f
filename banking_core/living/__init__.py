"""Household bills and phone credit."""

from banking_core.living.errors import (
    BillAlreadyPaid,
    BillerUnknown,
    BillNotFound,
    TopupAmountInvalid,
    TopupPhoneInvalid,
)
from banking_core.living.models import BILLER_NAMES, BillerKind, BillPayment, BillSubscription
from banking_core.living.service import Bill, Living, TopupOffer

__all__ = [
    "BILLER_NAMES",
    "Bill",
    "BillAlreadyPaid",
    "BillNotFound",
    "BillPayment",
    "BillSubscription",
    "BillerKind",
    "BillerUnknown",
    "Living",
    "TopupAmountInvalid",
    "TopupOffer",
    "TopupPhoneInvalid",
]
