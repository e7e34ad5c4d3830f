"""What can be wrong with interest.

BankError
└── InterestMismatch   interest_mismatch   what is owed by the periods is not what the ledger owes
"""

from __future__ import annotations

from banking_core.errors import BankError


class InterestMismatch(BankError):
    """The open periods and the ledger's account of interest payable disagree."""

    code = "interest_mismatch"
