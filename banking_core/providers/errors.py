"""Provider errors.

BankError
├── UnknownProvider       the configuration names a provider nobody registered
└── Conflict
    └── ProviderKeyConflict   an idempotency key was sent again with another request
"""

from __future__ import annotations

from banking_core.errors import BankError, Conflict


class UnknownProvider(BankError):
    """The configuration names a provider nobody registered; shows at start."""

    code = "unknown_provider"


class ProviderKeyConflict(Conflict):
    """An idempotency key was sent again with another request."""

    code = "provider_key_conflict"
