"""Keys for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from banking_core.vault import CipherName, FixedKeys, KeyRing, RingName, Vault, new_ring

MADE_AT = datetime(2026, 11, 1, tzinfo=UTC)


def ring(name: RingName = "data") -> KeyRing:
    """A fresh ring with one key."""
    return new_ring(MADE_AT, name)


def vault(cipher: CipherName = "aes-256-gcm") -> Vault:
    """A vault with rings of its own."""
    return Vault(FixedKeys(ring()), voice=FixedKeys(ring("voice")), cipher=cipher)
