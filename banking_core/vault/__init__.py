"""Personal data at rest: sealed with keys that can be changed while the bank is open."""

from banking_core.vault.ciphers import CIPHER_NAMES, CipherName
from banking_core.vault.columns import Sealed, SealedRow, sealed_attributes, sealed_values, shown, vault_of
from banking_core.vault.errors import KeyRingInvalid, KeyUnknown, SealBroken, VaultError, VaultMissing
from banking_core.vault.key_file import KeyFile
from banking_core.vault.keys import LETTERS, RINGS, Key, KeyRing, RingName, new_ring, ring_of
from banking_core.vault.vault import INDEX_CHARS, FixedKeys, Place, Vault

__all__ = [
    "CIPHER_NAMES",
    "INDEX_CHARS",
    "LETTERS",
    "RINGS",
    "CipherName",
    "FixedKeys",
    "Key",
    "KeyFile",
    "KeyRing",
    "KeyRingInvalid",
    "KeyUnknown",
    "Place",
    "RingName",
    "SealBroken",
    "Sealed",
    "SealedRow",
    "Vault",
    "VaultError",
    "VaultMissing",
    "new_ring",
    "ring_of",
    "sealed_attributes",
    "sealed_values",
    "shown",
    "vault_of",
]
