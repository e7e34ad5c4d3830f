"""The steps of one booking: check, lock in order, apply, append to the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.inserts import insert_if_absent
from banking_core.ledger.errors import BelowFloor, LedgerAccountNotFound, LedgerPostingInvalid
from banking_core.ledger.hashing import (
    GENESIS_HASH,
    body_hash,
    head_values,
    line_values,
    transaction_hash,
)
from banking_core.ledger.models import LedgerAccount, LedgerChain, LedgerEntry, LedgerTransaction
from banking_core.ledger.types import EntryDraft, TransactionDraft

ENTRIES_MIN = 2
ENTRIES_MAX = 100
AMOUNT_FEN_MAX = 10**14
TEXT_LIMITS = {"counterparty_name": 64, "category": 32, "summary": 100}


def check_posting(draft: TransactionDraft) -> None:
    """Raises LedgerPostingInvalid unless the lines are bounded, non-zero and sum to zero."""
    if not (0 < len(draft.key) <= 128 and 0 < len(draft.kind) <= 32 and len(draft.memo) <= 200):
        raise LedgerPostingInvalid("key, kind or memo out of bounds")
    if draft.booked_at.tzinfo is None:
        raise LedgerPostingInvalid("booked_at is naive")
    if not ENTRIES_MIN <= len(draft.entries) <= ENTRIES_MAX:
        raise LedgerPostingInvalid(f"{len(draft.entries)} lines; allowed are {ENTRIES_MIN} to {ENTRIES_MAX}")
    for entry in draft.entries:
        if isinstance(entry.amount_fen, bool) or not isinstance(entry.amount_fen, int):
            raise LedgerPostingInvalid("an amount is not an int of fen")
        if not 0 < abs(entry.amount_fen) <= AMOUNT_FEN_MAX:
            raise LedgerPostingInvalid("an amount is zero or out of bounds")
        for field, length_max in TEXT_LIMITS.items():
            if len(getattr(entry, field)) > length_max:
                raise LedgerPostingInvalid(f"{field} is longer than {length_max} characters")
    if sum(entry.amount_fen for entry in draft.entries) != 0:
        raise LedgerPostingInvalid("the lines do not sum to zero")


async def by_key(session: AsyncSession, key: str) -> LedgerTransaction | None:
    """The transaction booked under a key."""
    return await session.scalar(select(LedgerTransaction).where(LedgerTransaction.key == key))


async def lock_accounts(session: AsyncSession, ids: set[int]) -> dict[int, LedgerAccount]:
    """Locks accounts in rising id order, so that two bookings can never wait for each other in a circle."""
    statement = (
        select(LedgerAccount)
        .where(LedgerAccount.id.in_(ids))
        .order_by(LedgerAccount.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    accounts = {account.id: account for account in await session.scalars(statement)}
    if missing := ids - accounts.keys():
        raise LedgerAccountNotFound(f"no ledger accounts {sorted(missing)}")
    return accounts


async def lock_chain(session: AsyncSession, chain_id: int) -> LedgerChain:
    """Locks the head of a chain; always after the accounts."""
    statement = (
        select(LedgerChain)
        .where(LedgerChain.id == chain_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    chain = await session.scalar(statement)
    if chain is None:
        values = {"id": chain_id, "last_sequence": 0, "last_hash": GENESIS_HASH}
        await insert_if_absent(session, LedgerChain, values, unique="id")
        chain = (await session.scalars(statement)).one()
    return chain


def apply_entries(accounts: Mapping[int, LedgerAccount], entries: Sequence[EntryDraft]) -> list[int]:
    """Changes the locked balances and returns the balance after each line.

    Raises BelowFloor before any change.
    """
    balances = {account.id: account.balance_fen for account in accounts.values()}
    after: list[int] = []
    for entry in entries:
        balances[entry.ledger_account_id] += entry.amount_fen
        after.append(balances[entry.ledger_account_id])
    for account in accounts.values():
        balance = balances[account.id]
        fell = balance < account.balance_fen
        if fell and account.floor_fen is not None and balance < account.floor_fen:
            raise BelowFloor(f"ledger account {account.id} would fall below its floor")
    for account in accounts.values():
        account.balance_fen = balances[account.id]
    return after


def seal(chain: LedgerChain, draft: TransactionDraft, after: Sequence[int]) -> LedgerTransaction:
    """The next transaction of a chain; moves the chain's head."""
    assert len(draft.entries) == len(after)
    body = body_hash(draft)
    booked_at = draft.booked_at.astimezone(UTC)
    sequence, previous_hash = chain.last_sequence + 1, chain.last_hash
    head = head_values(
        key=draft.key,
        kind=draft.kind,
        memo=draft.memo,
        booked_at=booked_at,
        reverses_id=draft.reverses_id,
        body=body,
    )
    lines = [
        line_values(entry, balance_after_fen, booked_at)
        for entry, balance_after_fen in zip(draft.entries, after, strict=True)
    ]
    sealed = transaction_hash(
        chain=chain.id, sequence=sequence, previous_hash=previous_hash, head=head, lines=lines
    )
    chain.last_sequence, chain.last_hash = sequence, sealed
    return LedgerTransaction(
        key=draft.key,
        body_hash=body,
        kind=draft.kind,
        memo=draft.memo,
        booked_at=booked_at,
        reverses_id=draft.reverses_id,
        chain=chain.id,
        sequence=sequence,
        previous_hash=previous_hash,
        hash=sealed,
    )


def entry_rows(draft: TransactionDraft, after: Sequence[int]) -> list[dict[str, Any]]:
    """The columns of the lines, without the transaction's id."""
    return [
        {
            "ledger_account_id": entry.ledger_account_id,
            "amount_fen": entry.amount_fen,
            "balance_after_fen": balance_after_fen,
            "counterparty_name": entry.counterparty_name,
            "category": entry.category,
            "summary": entry.summary,
            "booked_at": draft.booked_at.astimezone(UTC),
        }
        for entry, balance_after_fen in zip(draft.entries, after, strict=True)
    ]


async def append(
    session: AsyncSession,
    accounts: Mapping[int, LedgerAccount],
    chain: LedgerChain,
    draft: TransactionDraft,
) -> LedgerTransaction:
    """Applies the lines to the locked accounts and writes the transaction. Raises BelowFloor."""
    after = apply_entries(accounts, draft.entries)
    transaction = seal(chain, draft, after)
    session.add(transaction)
    await session.flush()
    rows = entry_rows(draft, after)
    session.add_all(LedgerEntry(transaction_id=transaction.id, **row) for row in rows)
    await session.flush()
    return transaction
