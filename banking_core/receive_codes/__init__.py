"""Receiving codes: what a QR picture names instead of a card number, for whoever wants to pay its owner."""

from banking_core.receive_codes.errors import AmountRefused, OwnCode, ReceiveCodeEnded, ReceiveCodeUnknown
from banking_core.receive_codes.models import ReceiveCode
from banking_core.receive_codes.service import CodePayee, ReceiveCodes
from banking_core.receive_codes.tokens import TOKEN_LETTERS, TOKEN_PATTERN

__all__ = [
    "TOKEN_LETTERS",
    "TOKEN_PATTERN",
    "AmountRefused",
    "CodePayee",
    "OwnCode",
    "ReceiveCode",
    "ReceiveCodeEnded",
    "ReceiveCodeUnknown",
    "ReceiveCodes",
]
