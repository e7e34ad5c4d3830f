"""What is hashed, and how. Changing anything here makes every existing chain unverifiable."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from banking_core.ledger.types import EntryDraft, TransactionDraft

# Several chains, so that on PostgreSQL unrelated transactions do not all wait for one head row.
CHAIN_COUNT = 16
HOLD_CHAINS_FROM = CHAIN_COUNT  # the chains of hold events come after those of transactions
GENESIS_HASH = "0" * 64


def chain_of(key: str) -> int:
    """The chain a transaction belongs to: decided by its key, so that equal keys meet at one lock."""
    return zlib.crc32(key.encode()) % CHAIN_COUNT


def hold_chain_of(key: str) -> int:
    """The chain the events of a hold belong to: decided by the hold's key."""
    return HOLD_CHAINS_FROM + chain_of(key)


def hold_body_hash(*, ledger_account_id: int, amount_fen: int, memo: str, expires_at: datetime) -> str:
    """Identifies what the caller asked to be held."""
    return digest(["hold", ledger_account_id, amount_fen, memo, expires_at.astimezone(UTC).isoformat()])


def hold_event_hash(
    *,
    chain: int,
    sequence: int,
    previous_hash: str,
    key: str,
    body: str,
    event: str,
    amount_fen: int,
    transaction_id: int | None,
    happened_at: datetime,
) -> str:
    """The hash of one step of a hold."""
    instant = happened_at.astimezone(UTC).isoformat()
    return digest([chain, sequence, previous_hash, key, body, event, amount_fen, transaction_id, instant])


def body_hash(draft: TransactionDraft) -> str:
    """Identifies what the caller asked for; the booking time is not part of it, a retry comes later."""
    lines = [
        [e.ledger_account_id, e.amount_fen, e.counterparty_name, e.category, e.summary] for e in draft.entries
    ]
    body: list[Any] = [draft.kind, draft.memo, draft.reverses_id, lines]
    if draft.hold_id is not None or draft.rate is not None:
        body.append({"hold_id": draft.hold_id, "rate": draft.rate})
    return digest(body)


def transaction_hash(
    *, chain: int, sequence: int, previous_hash: str, head: Sequence[Any], lines: Sequence[Sequence[Any]]
) -> str:
    """The hash of one booked transaction; `head` and `lines` hold every column that must not change."""
    return digest([chain, sequence, previous_hash, list(head), [list(line) for line in lines]])


def head_values(
    *, key: str, kind: str, memo: str, booked_at: datetime, reverses_id: int | None, body: str
) -> list[Any]:
    """The hashed columns of a transaction; its hold and its rate are part of `body`."""
    return [key, kind, memo, booked_at.astimezone(UTC).isoformat(), reverses_id, body]


def line_values(entry: EntryDraft, balance_after_fen: int, booked_at: datetime) -> list[Any]:
    """The hashed columns of a line."""
    return [
        entry.ledger_account_id,
        entry.amount_fen,
        balance_after_fen,
        entry.counterparty_name,
        entry.category,
        entry.summary,
        booked_at.astimezone(UTC).isoformat(),
    ]


def digest(value: Any) -> str:
    """SHA-256 over canonical JSON, 64 hexadecimal characters."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


# One encoder for all calls: json.dumps would build a new one each time.
_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
