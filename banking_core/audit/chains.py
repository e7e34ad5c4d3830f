"""What of a record is hashed, and how. Changing anything here makes every existing chain unverifiable."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from banking_core.ledger.hashing import digest

CHAIN_COUNT = 8  # so that on PostgreSQL unrelated customers do not all wait for one head row
FIELDS = (
    "actor_kind",
    "actor_id",
    "customer_id",
    "action",
    "allowed",
    "object_kind",
    "object_id",
    "before",
    "after",
    "channel",
    "address",
    "device",
    "correlation_id",
)


def chain_of(customer_id: str | None, actor_id: str) -> int:
    """The chain of a record: decided by the customer, else by who acted."""
    return zlib.crc32((customer_id or actor_id).encode()) % CHAIN_COUNT


def record_hash(
    values: Mapping[str, Any], *, at: datetime, chain: int, sequence: int, previous_hash: str
) -> str:
    """The hash of one record over every column but its id."""
    told = [values[field] for field in FIELDS]
    return digest([chain, sequence, previous_hash, at.astimezone(UTC).isoformat(), *told])
