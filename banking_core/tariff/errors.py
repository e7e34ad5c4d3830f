"""What opening hours refuse.

BankError
└── Refused
    └── OutsideHours   outside_hours   this kind of order can be made at other times only
"""

from __future__ import annotations

from banking_core.errors import Refused


class OutsideHours(Refused):
    """This kind of order can be made at other times only."""

    code = "outside_hours"
