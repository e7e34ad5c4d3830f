"""The set-based statements of group commit, for both engines: one round trip for each step of a batch.

On PostgreSQL the writes go straight to asyncpg, as arrays: one statement inserts all transactions and entries and
moves all balances and chain heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, String, bindparam, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.ledger.hashing import CHAIN_COUNT
from banking_core.ledger.models import LedgerAccount, LedgerChain, LedgerEntry, LedgerTransaction
from banking_core.ledger.posting import AccountState, ChainState, lock_chain

_LOCK_ACCOUNTS = text(
    "SELECT id, currency, floor_fen, balance_fen, held_fen FROM ledger_account "
    "WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
_LOCK_CHAINS = text(
    "SELECT id, last_sequence, last_hash FROM ledger_chain WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
# One index look-up a key, whatever the planner believes: `key = ANY(...)` planned while the table was small keeps
# reading the whole of it when it has grown.
_FIND_KEYS = text(
    "SELECT found.key, found.id, found.body_hash FROM unnest(CAST(:keys AS text[])) AS asked(key) CROSS JOIN LATERAL "
    "(SELECT t.key, t.id, t.body_hash FROM ledger_transaction t WHERE t.key = asked.key LIMIT 1) AS found"
).bindparams(bindparam("keys", type_=ARRAY(String)))
_NEXT_IDS = text(
    "SELECT nextval(pg_get_serial_sequence('ledger_transaction', 'id')) FROM generate_series(1, :count)"
)
# Columns and PostgreSQL types, in the order in which the arrays are handed over.
_TRANSACTION_COLUMNS = {
    "id": "bigint",
    "key": "text",
    "body_hash": "text",
    "kind": "text",
    "memo": "text",
    "booked_at": "timestamptz",
    "chain": "int",
    "sequence": "bigint",
    "previous_hash": "text",
    "hash": "text",
    "rate": "text",
}
_ENTRY_COLUMNS = {
    "transaction_id": "bigint",
    "ledger_account_id": "bigint",
    "amount_fen": "bigint",
    "balance_after_fen": "bigint",
    "counterparty_name": "text",
    "category": "text",
    "summary": "text",
    "booked_at": "timestamptz",
}


@dataclass(frozen=True)
class Booked:
    """What is known of a key that was used."""

    transaction_id: int
    body: str


def _is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


async def ensure_chains(session: AsyncSession) -> None:
    """Makes the head of every transaction chain that has none yet."""
    for chain_id in range(CHAIN_COUNT):
        await lock_chain(session, chain_id)


async def account_states(session: AsyncSession, ids: Sequence[int]) -> dict[int, AccountState]:
    """Locks those of the accounts that exist, in rising id order."""
    if _is_postgresql(session):
        rows = await session.execute(_LOCK_ACCOUNTS, {"ids": list(ids)})
    else:
        a = LedgerAccount
        statement = select(a.id, a.currency, a.floor_fen, a.balance_fen, a.held_fen).where(a.id.in_(ids))
        rows = await session.execute(statement)
    return {row[0]: AccountState(*row) for row in rows}


async def chain_states(session: AsyncSession, ids: Sequence[int]) -> dict[int, ChainState]:
    """Locks the heads of the chains in rising order, after the accounts."""
    if _is_postgresql(session):
        rows = await session.execute(_LOCK_CHAINS, {"ids": list(ids)})
    else:
        c = LedgerChain
        rows = await session.execute(select(c.id, c.last_sequence, c.last_hash).where(c.id.in_(ids)))
    return {row[0]: ChainState(*row) for row in rows}


async def booked_keys(session: AsyncSession, keys: Sequence[str]) -> dict[str, Booked]:
    """Those of the keys that are booked."""
    if _is_postgresql(session):
        rows = await session.execute(_FIND_KEYS, {"keys": list(keys)})
    else:
        t = LedgerTransaction
        rows = await session.execute(select(t.key, t.id, t.body_hash).where(t.key.in_(keys)))
    return {key: Booked(transaction_id, body) for key, transaction_id, body in rows}


async def new_ids(session: AsyncSession, count: int) -> list[int]:
    """Numbers for new transactions, rising; taken under the chains' locks, so that a chain's ids rise too."""
    if _is_postgresql(session):
        return sorted(await session.scalars(_NEXT_IDS, {"count": count}))
    last = await session.scalar(select(func.coalesce(func.max(LedgerTransaction.id), 0)))
    assert last is not None
    return list(range(last + 1, last + 1 + count))


async def write_bookings(
    session: AsyncSession,
    transactions: Sequence[dict[str, Any]],
    entries: Sequence[dict[str, Any]],
    accounts: Sequence[AccountState],
    chains: Sequence[ChainState],
) -> None:
    """Writes everything a batch changed."""
    if _is_postgresql(session):
        await _write_postgresql(session, transactions, entries, accounts, chains)
        return
    await session.execute(insert(LedgerTransaction), transactions)
    await session.execute(insert(LedgerEntry), entries)
    await session.execute(
        text("UPDATE ledger_account SET balance_fen = :balance_fen WHERE id = :id"),
        [{"id": account.id, "balance_fen": account.balance_fen} for account in accounts],
    )
    await session.execute(
        text("UPDATE ledger_chain SET last_sequence = :last_sequence, last_hash = :last_hash WHERE id = :id"),
        [
            {"id": chain.id, "last_sequence": chain.last_sequence, "last_hash": chain.last_hash}
            for chain in chains
        ],
    )


def _unnest(types: Sequence[str], first: int) -> str:
    arrays = ", ".join(f"${first + index}::{name}[]" for index, name in enumerate(types))
    return f"unnest({arrays})"


def _insert(table: str, columns: dict[str, str], first: int) -> str:
    names = ", ".join(columns)
    rows = f"{_unnest(list(columns.values()), first)} WITH ORDINALITY AS v({names}, n)"
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows} ORDER BY n"


_FIRST_ENTRY = 1 + len(_TRANSACTION_COLUMNS)
_FIRST_ACCOUNT = _FIRST_ENTRY + len(_ENTRY_COLUMNS)
_WRITE = (
    f"WITH t AS ({_insert('ledger_transaction', _TRANSACTION_COLUMNS, 1)}), "
    f"e AS ({_insert('ledger_entry', _ENTRY_COLUMNS, _FIRST_ENTRY)}), "
    "a AS (UPDATE ledger_account SET balance_fen = v.balance_fen FROM "
    f"{_unnest(('bigint', 'bigint'), _FIRST_ACCOUNT)} AS v(id, balance_fen) WHERE ledger_account.id = v.id) "
    "UPDATE ledger_chain SET last_sequence = v.last_sequence, last_hash = v.last_hash FROM "
    f"{_unnest(('int', 'bigint', 'text'), _FIRST_ACCOUNT + 2)} AS v(id, last_sequence, last_hash) "
    "WHERE ledger_chain.id = v.id"
)


async def _write_postgresql(
    session: AsyncSession,
    transactions: Sequence[dict[str, Any]],
    entries: Sequence[dict[str, Any]],
    accounts: Sequence[AccountState],
    chains: Sequence[ChainState],
) -> None:
    # The locks were taken through the session, so its database transaction is open on this connection.
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    assert raw is not None and raw.is_in_transaction()
    await raw.execute(
        _WRITE,
        *([row[name] for row in transactions] for name in _TRANSACTION_COLUMNS),
        *([row[name] for row in entries] for name in _ENTRY_COLUMNS),
        [account.id for account in accounts],
        [account.balance_fen for account in accounts],
        [chain.id for chain in chains],
        [chain.last_sequence for chain in chains],
        [chain.last_hash for chain in chains],
    )
