"""Account numbers: 16 to 19 digits, the last one a Luhn check digit (ISO/IEC 7812)."""

from __future__ import annotations

import secrets

NUMBER_LENGTHS = range(16, 20)
# Issuer prefixes of this bank and the length of its numbers, by account kind.
FORMATS: dict[str, tuple[str, int]] = {
    "current": ("629988", 19),
    "deposit": ("629977", 19),
    "credit": ("529988", 16),
}


def luhn_complete(first_digits: str) -> str:
    """Adds the check digit."""
    assert first_digits.isascii() and first_digits.isdigit()
    return first_digits + str(-_luhn_sum(first_digits + "0") % 10)


def is_valid_number(number: str) -> bool:
    """True for 16 to 19 digits with a right check digit."""
    if len(number) not in NUMBER_LENGTHS or not (number.isascii() and number.isdigit()):
        return False
    return _luhn_sum(number) % 10 == 0


def new_number(kind: str) -> str:
    """A random number of this bank for an account kind."""
    prefix, length = FORMATS[kind]
    body_length = length - len(prefix) - 1
    return luhn_complete(prefix + f"{secrets.randbelow(10**body_length):0{body_length}d}")


def _luhn_sum(number: str) -> int:
    total = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total
