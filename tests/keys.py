"""Keys for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from banking_core.vault import CipherName, FixedKeys, KeyRing, Vault, new_ring

MADE_AT = datetime(2026, 11, 1, tzinfo=UTC)


def ring() -> KeyRing:
    """A fresh ring with one key."""
    return new_ring(MADE_AT)


def vault(cipher: CipherName = "aes-256-gcm") -> Vault:
    """A vault with a ring of its own."""
    return Vault(FixedKeys(ring()), cipher=cipher)
