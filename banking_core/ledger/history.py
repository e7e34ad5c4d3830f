"""Booking a long past in one pass, with the invariants of single bookings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.ledger.errors import LedgerKeyConflict, LedgerPostingInvalid
from banking_core.ledger.hashing import body_hash, chain_of
from banking_core.ledger.limits import check_posting
from banking_core.ledger.models import LedgerEntry, LedgerTransaction
from banking_core.ledger.posting import (
    apply_entries,
    entry_rows,
    lock_accounts,
    lock_chain,
    seal_columns,
)
from banking_core.ledger.types import TransactionDraft

CHUNK_ROWS = 500


async def import_drafts(session: AsyncSession, drafts: Sequence[TransactionDraft]) -> int:
    """Books the drafts in order of time; returns how many were new. Raises what `Ledger.post` raises."""
    if not isinstance(drafts, list | tuple):
        raise LedgerPostingInvalid("the history is not a list")
    for draft in drafts:
        if not isinstance(draft, TransactionDraft):
            raise LedgerPostingInvalid("a history holds drafts only")
        check_posting(draft)
        if draft.reverses_id is not None or draft.hold_id is not None:
            raise LedgerPostingInvalid("a history holds no reversals and no posted holds")
    if len({draft.key for draft in drafts}) != len(drafts):
        raise LedgerKeyConflict("the history uses a key twice")
    # Balances change in memory before the rows are written: a refusal half-way must take them back.
    async with session.begin_nested():
        return await _import(session, sorted(drafts, key=lambda draft: draft.booked_at))


async def _import(session: AsyncSession, drafts: Sequence[TransactionDraft]) -> int:
    accounts = await lock_accounts(session, set().union(*(draft.account_ids for draft in drafts)))
    chain_ids = sorted({chain_of(draft.key) for draft in drafts})
    chains = {chain_id: await lock_chain(session, chain_id) for chain_id in chain_ids}
    booked = await _booked(session, drafts)
    heads: list[dict[str, Any]] = []
    lines: list[list[dict[str, Any]]] = []
    for draft in drafts:
        body = body_hash(draft)
        if draft.key in booked:
            if booked[draft.key] != body:
                raise LedgerKeyConflict(f"ledger key {draft.key!r} was used with another body")
            continue
        touched = {account_id: accounts[account_id] for account_id in draft.account_ids}
        after = apply_entries(touched, draft.entries)
        heads.append(seal_columns(chains[chain_of(draft.key)], draft, after, body))
        lines.append(entry_rows(draft, after))
    if heads:
        await _write(session, heads, lines)
    return len(heads)


async def _booked(session: AsyncSession, drafts: Sequence[TransactionDraft]) -> dict[str, str]:
    """Body hashes of the drafts that are in the ledger already, by key."""
    booked: dict[str, str] = {}
    for start in range(0, len(drafts), CHUNK_ROWS):
        keys = [draft.key for draft in drafts[start : start + CHUNK_ROWS]]
        rows = await session.execute(
            select(LedgerTransaction.key, LedgerTransaction.body_hash).where(LedgerTransaction.key.in_(keys))
        )
        booked.update({row.key: row.body_hash for row in rows})
    return booked


async def _write(
    session: AsyncSession, heads: list[dict[str, Any]], lines: list[list[dict[str, Any]]]
) -> None:
    """Inserts in bulk; balances and chain heads are flushed with the session."""
    statement = insert(LedgerTransaction).returning(LedgerTransaction.id, sort_by_parameter_order=True)
    ids = (await session.scalars(statement, heads)).all()
    assert len(ids) == len(heads)
    rows = [
        {**row, "transaction_id": transaction_id}
        for transaction_id, rows_of_one in zip(ids, lines, strict=True)
        for row in rows_of_one
    ]
    await session.execute(insert(LedgerEntry), rows)
    await session.flush()
