"""Resident identity numbers (GB 11643).

18 characters: six of place, eight of birth date, three of order, one check.
"""

from __future__ import annotations

import re
from datetime import date

from banking_core.errors import InvalidInput

_WEIGHTS = tuple(pow(2, 17 - index, 11) for index in range(17))
_CHECKS = "10X98765432"


def complete_id_number(first_17: str) -> str:
    """Adds the check character (ISO 7064, MOD 11-2) to 17 digits. Raises InvalidInput for anything else."""
    if not isinstance(first_17, str) or not re.fullmatch("[0-9]{17}", first_17):
        raise InvalidInput("not 17 digits", field="first_17")
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return first_17 + _CHECKS[total % 11]


def is_valid_id_number(id_number: str) -> bool:
    """True when length, digits, birth date and check character fit."""
    if len(id_number) != 18 or not (id_number[:17].isascii() and id_number[:17].isdigit()):
        return False
    return complete_id_number(id_number[:17]) == id_number.upper() and _birth_date(id_number) is not None


def birth_date_of(id_number: str) -> date:
    """The date of birth inside a valid number; raises ValueError on an invalid one."""
    born = _birth_date(id_number) if is_valid_id_number(id_number) else None
    if born is None:
        raise ValueError("not a valid identity number")
    return born


def _birth_date(id_number: str) -> date | None:
    try:
        return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return None
