"""What can go wrong with sealed data.

VaultError            code
├── KeyRingInvalid    a key file is missing, malformed, of another ring, or readable by everybody
├── KeyUnknown        a value was sealed with a key that the ring does not hold
├── SealBroken        wrong key, value of another row or column, changed or cut off
└── VaultMissing      a session that was given no vault met a sealed column

Not a `BankError` on purpose: that tree is what the bank refuses, and callers turn it into an answer or a failed
order. Data that cannot be opened is an operator's emergency and must not be booked as anybody's refusal.
"""

from __future__ import annotations

from typing import ClassVar


class VaultError(Exception):
    """Root. `str(error)` names places and key ids, never a value or a key."""

    code: ClassVar[str] = "vault_error"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.code)


class KeyRingInvalid(VaultError):
    """The keys of a ring cannot be used, or are not here; `ring` says which."""

    code = "key_ring_invalid"

    def __init__(self, message: str = "", *, ring: str = "data") -> None:
        super().__init__(message)
        self.ring = ring


class KeyUnknown(VaultError):
    """The key that sealed this value is not in the ring."""

    code = "key_unknown"


class SealBroken(VaultError):
    """The value does not open here: it was sealed elsewhere, changed, or cut off."""

    code = "seal_broken"


class VaultMissing(VaultError):
    """The database was opened without a vault."""

    code = "vault_missing"
