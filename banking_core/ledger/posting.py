"""The steps of one booking: check, lock in order, apply, append to the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.ledger.chain_heads import lock_head
from banking_core.ledger.errors import (
    AlreadyReversed,
    BelowFloor,
    LedgerAccountNotFound,
    LedgerKeyConflict,
    LedgerPostingInvalid,
)
from banking_core.ledger.hashing import (
    body_hash,
    chain_of,
    head_values,
    line_values,
    transaction_hash,
)
from banking_core.ledger.limits import BALANCE_FEN_MAX, check_balanced
from banking_core.ledger.models import LedgerAccount, LedgerChain, LedgerEntry, LedgerTransaction
from banking_core.ledger.types import EntryDraft, TransactionDraft


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
    return await lock_head(session, LedgerChain, chain_id)


@dataclass
class AccountState:
    """What the booking rules look at, whether it came from the ORM or from a set-based query."""

    id: int
    currency: str
    floor_fen: int | None
    balance_fen: int
    held_fen: int


def apply_to_states(
    states: Mapping[int, AccountState],
    entries: Sequence[EntryDraft],
    released_fen: Mapping[int, int] | None = None,
) -> list[int]:
    """Changes the balances and returns the balance after each line; `released_fen` frees holds by account.

    Raises LedgerPostingInvalid (a currency does not sum to zero, a balance no 64-bit integer should hold) and
    BelowFloor, each before any change.
    """
    released = released_fen or {}
    touched = {entry.ledger_account_id: states[entry.ledger_account_id] for entry in entries}
    check_balanced(entries, {account_id: state.currency for account_id, state in touched.items()})
    balances = {account_id: state.balance_fen for account_id, state in touched.items()}
    after: list[int] = []
    for entry in entries:
        balances[entry.ledger_account_id] += entry.amount_fen
        after.append(balances[entry.ledger_account_id])
    if after and max(map(abs, after)) > BALANCE_FEN_MAX:
        raise LedgerPostingInvalid("a balance would be out of bounds")
    for account_id, state in touched.items():
        held_fen = state.held_fen - released.get(account_id, 0)
        fell = balances[account_id] < state.balance_fen
        if fell and state.floor_fen is not None and balances[account_id] - held_fen < state.floor_fen:
            raise BelowFloor(f"ledger account {account_id} would fall below its floor")
    for account_id, state in touched.items():
        state.balance_fen = balances[account_id]
        state.held_fen -= released.get(account_id, 0)
        assert state.held_fen >= 0, "more was released than is held"
    return after


def apply_entries(
    accounts: Mapping[int, LedgerAccount],
    entries: Sequence[EntryDraft],
    released_fen: Mapping[int, int] | None = None,
) -> list[int]:
    """Changes the locked balances and returns the balance after each line; errors as in `apply_to_states`."""
    states = {
        account.id: AccountState(
            account.id, account.currency, account.floor_fen, account.balance_fen, account.held_fen
        )
        for account in accounts.values()
    }
    after = apply_to_states(states, entries, released_fen)
    for account in accounts.values():
        account.balance_fen = states[account.id].balance_fen
        account.held_fen = states[account.id].held_fen
    return after


@dataclass
class ChainState:
    """The end of a hash chain, kept where it came from until it is written back."""

    id: int
    last_sequence: int
    last_hash: str


def seal_columns(
    chain: ChainState | LedgerChain, draft: TransactionDraft, after: Sequence[int], body: str
) -> dict[str, Any]:
    """The columns of the next transaction of a chain; moves the chain's head."""
    assert len(draft.entries) == len(after)
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
    return {
        "key": draft.key,
        "body_hash": body,
        "kind": draft.kind,
        "memo": draft.memo,
        "booked_at": booked_at,
        "reverses_id": draft.reverses_id,
        "chain": chain.id,
        "sequence": sequence,
        "previous_hash": previous_hash,
        "hash": sealed,
        "hold_id": draft.hold_id,
        "rate": draft.rate,
    }


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
    released_fen: Mapping[int, int] | None = None,
) -> LedgerTransaction:
    """Applies the lines to the locked accounts and writes the transaction; errors as in `apply_entries`."""
    after = apply_entries(accounts, draft.entries, released_fen)
    transaction = LedgerTransaction(**seal_columns(chain, draft, after, body_hash(draft)))
    session.add(transaction)
    await session.flush()
    rows = entry_rows(draft, after)
    session.add_all(LedgerEntry(transaction_id=transaction.id, **row) for row in rows)
    await session.flush()
    return transaction


async def book(session: AsyncSession, draft: TransactionDraft) -> LedgerTransaction:
    """Books a checked draft once per key: lock accounts by id, lock the chain, look again, apply, append."""
    existing = await by_key(session, draft.key)
    if existing is None:
        accounts = await lock_accounts(session, draft.account_ids)
        chain = await lock_chain(session, chain_of(draft.key))
        # Whoever booked this key held the same chain's lock, so this second look is the decisive one.
        existing = await by_key(session, draft.key)
    if existing is not None:
        return same_body(existing, draft)
    if draft.reverses_id is not None:
        await _ensure_not_reversed(session, draft.reverses_id)
    return await append(session, accounts, chain, draft)


def same_body(existing: LedgerTransaction, draft: TransactionDraft) -> LedgerTransaction:
    """The transaction booked before if it is what is asked for now; raises LedgerKeyConflict."""
    if existing.body_hash != body_hash(draft):
        raise LedgerKeyConflict(f"ledger key {draft.key!r} was used with another body")
    return existing


async def _ensure_not_reversed(session: AsyncSession, transaction_id: int) -> None:
    """The accounts are locked: two reversals of one transaction touch the same ones and come here in turn."""
    statement = select(LedgerTransaction.id).where(LedgerTransaction.reverses_id == transaction_id)
    if await session.scalar(statement) is not None:
        raise AlreadyReversed(f"transaction {transaction_id} is reversed already")
