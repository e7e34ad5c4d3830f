"""Transfers and the payee book."""

from banking_core.transfers.banks import BankInfo, bank_name, find_bank
from banking_core.transfers.errors import (
    PayeeBookFull,
    PayeeExists,
    PayeeMismatch,
    PayeeNotFound,
    TransferInvalid,
)
from banking_core.transfers.models import Payee
from banking_core.transfers.payees import Payees

__all__ = [
    "BankInfo",
    "Payee",
    "PayeeBookFull",
    "PayeeExists",
    "PayeeMismatch",
    "PayeeNotFound",
    "Payees",
    "TransferInvalid",
    "bank_name",
    "find_bank",
]
