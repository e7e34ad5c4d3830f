"""Keyed fingerprints of whatever is recognised again and need not be readable: accounts, names, devices, networks.

Without the bank's key nothing can be guessed back from them, although there are few networks and known names.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.vault import Vault, vault_of

KEY_CHARS = 16
TEXT_LENGTH_MAX = 200
ADDRESS_LENGTH_MAX = 64
IPV4_NETWORK_BITS = 24
IPV6_NETWORK_BITS = 48


@dataclass(frozen=True, slots=True)
class Keys:
    """Makes fingerprints of 16 hexadecimal characters; "" stands for unknown."""

    vault: Vault

    @classmethod
    def of(cls, session: AsyncSession) -> Keys:
        """With the vault of the session's database."""
        return cls(vault_of(session))

    def account(self, number: str, bank_code: str | None) -> str:
        """An account that is paid."""
        return self._key("account", number, bank_code or "")

    def name(self, name: str) -> str:
        """The name of somebody who is paid."""
        return self._key("name", name) if name else ""

    def household(self, biller: str, account_no: str) -> str:
        """A household account at a biller."""
        return self._key("household", biller, account_no)

    def phone(self, number: str) -> str:
        """A telephone number that is topped up."""
        return self._key("phone", number)

    def text(self, kind: str, value: Any) -> str:
        """An outside identifier such as a device's; "" when there is none that can be used."""
        if not isinstance(value, str) or not 0 < len(value) <= TEXT_LENGTH_MAX:
            return ""
        return self._key(kind, value)

    def network(self, address: Any) -> str:
        """The network of an IP address, /24 or /48; "" for anything else."""
        if not isinstance(address, str) or not 0 < len(address) <= ADDRESS_LENGTH_MAX:
            return ""
        try:
            parsed = ip_address(address)
        except ValueError:
            return ""
        bits = IPV4_NETWORK_BITS if isinstance(parsed, IPv4Address) else IPV6_NETWORK_BITS
        return self._key("network", str(ip_network((parsed.packed, bits), strict=False)))

    def _key(self, kind: str, *parts: str) -> str:
        return self.vault.index("risk", kind, "\x1f".join(parts))[:KEY_CHARS]
