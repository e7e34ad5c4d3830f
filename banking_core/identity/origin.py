"""Where a request came from, as the channel saw it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from banking_core.checked import checked_function

ADDRESS_CHARS_MAX = 64
DEVICE_NAME_CHARS_MAX = 64
IPV6_NETWORK_BITS = 64  # one line is given a whole /64: within it addresses are free
PLACE_BITS_IPV4 = 16
PLACE_BITS_IPV6 = 32


@dataclass(frozen=True, slots=True)
class Origin:
    """Empty fields are unknown.

    `address` is an IP address in text form; `device` a stable pseudonym of the phone or browser, `device_name`
    what its owner would call it; `session_id` the bank's own session behind the request; `caller` the telephone
    number that a line reports, which anybody can make up: a hint, never a proof; `on_call` says that the customer's
    voice can be compared now.
    """

    channel: str = ""
    address: str = ""
    device: str = ""
    device_name: str = ""
    session_id: str = ""
    caller: str = ""
    on_call: bool = False

    def __repr__(self) -> str:
        return f"Origin(channel={self.channel!r}, address={mask_address(self.address)!r})"


NOWHERE = Origin()


def line_of(address: str) -> str:
    """What is counted as one line: an IPv4 address, or the /64 network of an IPv6 address; "" for no address."""
    return _network(address, 32, IPV6_NETWORK_BITS)


def place_of(address: str) -> str:
    """A coarse place: the /16 network (IPv4) or the /32 network (IPv6) of an address; "" for no address."""
    return _network(address, PLACE_BITS_IPV4, PLACE_BITS_IPV6)


@checked_function
def mask_address(address: str) -> str:
    """'203.0.113.7' -> '203.0.*.*', '2001:db8:1::2' -> '2001:db8:*'; '' for no address."""
    parsed = _parsed(address)
    if parsed is None:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        first, second, *_ = str(parsed).split(".")
        return f"{first}.{second}.*.*"
    first, second, *_ = parsed.exploded.split(":")
    return f"{int(first, 16):x}:{int(second, 16):x}:*"


def _network(address: str, bits_ipv4: int, bits_ipv6: int) -> str:
    parsed = _parsed(address)
    if parsed is None:
        return ""
    bits = bits_ipv4 if isinstance(parsed, ipaddress.IPv4Address) else bits_ipv6
    return str(ipaddress.ip_network((parsed.packed, bits), strict=False))


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
