"""Holds: money set aside until it is posted (in whole or part), voided, or expires.

    pending --post--> posted      books one transaction that spends 1..amount of the held account; the rest is free
            --void--> voided      the money is free again
            --time--> expired     the same, by `expire_holds`; a hold past its time is never posted

The lock of its account guards a hold: every step locks the account first, then (for a posting) the transaction's
chain, then the hold's chain. So of two steps that race, one finds the other's outcome and gets a typed error.
Each step is appended to the hash-chained `ledger_hold_event`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.ledger.errors import (
    BelowFloor,
    HoldExpired,
    HoldInvalid,
    HoldNotFound,
    HoldNotPending,
    HoldPosted,
    HoldVoided,
    LedgerKeyConflict,
)
from banking_core.ledger.hashing import chain_of, hold_body_hash, hold_chain_of, hold_event_hash
from banking_core.ledger.limits import (
    MEMO_LENGTH_MAX,
    check_key,
    check_posting,
    is_amount,
    is_id,
    is_instant,
    is_text,
)
from banking_core.ledger.models import (
    LedgerAccount,
    LedgerChain,
    LedgerHold,
    LedgerHoldEvent,
    LedgerTransaction,
)
from banking_core.ledger.posting import append, by_key, lock_accounts, lock_chain, same_body
from banking_core.ledger.types import TransactionDraft

EXPIRE_LIMIT_MAX = 1000
_ENDED: dict[str, type[HoldNotPending]] = {
    "posted": HoldPosted,
    "voided": HoldVoided,
    "expired": HoldExpired,
}


async def place_hold(
    session: AsyncSession,
    *,
    key: str,
    ledger_account_id: int,
    amount_fen: int,
    expires_at: datetime,
    memo: str,
    now: datetime,
) -> LedgerHold:
    """See `Ledger.place_hold`."""
    check_key(key)
    if not is_amount(amount_fen) or amount_fen <= 0:
        raise HoldInvalid("the amount is not a positive int of fen within bounds", field="amount_fen")
    if not is_id(ledger_account_id) or not is_text(memo, MEMO_LENGTH_MAX):
        raise HoldInvalid("account or memo out of bounds")
    if not is_instant(expires_at):
        raise HoldInvalid("expires_at is naive or out of bounds", field="expires_at")
    body = hold_body_hash(
        ledger_account_id=ledger_account_id, amount_fen=amount_fen, memo=memo, expires_at=expires_at
    )
    account = (await lock_accounts(session, {ledger_account_id}))[ledger_account_id]
    chain = await lock_chain(session, hold_chain_of(key))
    # Whoever placed this key held the chain's lock, whatever account it was for.
    existing = await session.scalar(select(LedgerHold).where(LedgerHold.key == key))
    if existing is not None:
        if existing.body_hash != body:
            raise LedgerKeyConflict(f"hold key {key!r} was used with another body")
        return existing
    if expires_at <= now:
        raise HoldInvalid("expires_at is not in the future", field="expires_at")
    left_fen = account.balance_fen - account.held_fen - amount_fen
    if account.floor_fen is not None and left_fen < account.floor_fen:
        raise BelowFloor(f"ledger account {account.id} has less available than is to be held")
    account.held_fen += amount_fen
    hold = LedgerHold(
        key=key,
        body_hash=body,
        ledger_account_id=ledger_account_id,
        amount_fen=amount_fen,
        memo=memo,
        placed_at=now,
        expires_at=expires_at.astimezone(UTC),
        status="pending",
        posted_fen=0,
        resolved_at=None,
    )
    session.add(hold)
    await session.flush()
    _record(session, chain, hold, "placed", amount_fen, now)
    await session.flush()
    return hold


async def post_hold(session: AsyncSession, hold_id: int, draft: TransactionDraft) -> LedgerTransaction:
    """See `Ledger.post_hold`; `draft.booked_at` is now."""
    hold = await get_hold(session, hold_id)
    draft = replace(draft, hold_id=hold_id)
    check_posting(draft)
    accounts = await lock_accounts(session, draft.account_ids | {hold.ledger_account_id})
    chain = await lock_chain(session, chain_of(draft.key))
    existing = await by_key(session, draft.key)
    if existing is not None:
        return same_body(existing, draft)
    await session.refresh(hold)
    _ensure_pending(hold)
    now = draft.booked_at
    if hold.expires_at <= now:
        raise HoldExpired(f"hold {hold_id} is past its time")
    spent_fen = -sum(e.amount_fen for e in draft.entries if e.ledger_account_id == hold.ledger_account_id)
    if not 0 < spent_fen <= hold.amount_fen:
        raise HoldInvalid(f"the lines spend {spent_fen} of the held account; held are {hold.amount_fen}")
    released = {hold.ledger_account_id: hold.amount_fen}
    transaction = await append(session, accounts, chain, draft, released)
    await _end(session, hold, "posted", now, spent_fen=spent_fen, transaction_id=transaction.id)
    return transaction


async def void_hold(session: AsyncSession, hold_id: int, now: datetime) -> LedgerHold:
    """See `Ledger.void_hold`."""
    hold = await get_hold(session, hold_id)
    accounts = await lock_accounts(session, {hold.ledger_account_id})
    await session.refresh(hold)
    if hold.status != "voided":
        _ensure_pending(hold)
        _release(accounts[hold.ledger_account_id], hold)
        await _end(session, hold, "voided", now)
    return hold


async def expire_holds(session: AsyncSession, now: datetime, limit: int) -> Sequence[LedgerHold]:
    """See `Ledger.expire_holds`."""
    if not is_instant(now):
        raise HoldInvalid("now is naive or out of bounds", field="now")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 < limit <= EXPIRE_LIMIT_MAX:
        raise HoldInvalid(f"the limit is not 1 to {EXPIRE_LIMIT_MAX}", field="limit")
    due = select(LedgerHold).where(LedgerHold.status == "pending", LedgerHold.expires_at <= now)
    found = (await session.scalars(due.order_by(LedgerHold.expires_at, LedgerHold.id).limit(limit))).all()
    if not found:
        return []
    accounts = await lock_accounts(session, {hold.ledger_account_id for hold in found})
    statement = (
        select(LedgerHold)
        .where(LedgerHold.id.in_([hold.id for hold in found]), LedgerHold.status == "pending")
        .order_by(LedgerHold.id)
        .execution_options(populate_existing=True)
    )
    pending = (await session.scalars(statement)).all()  # another process may have been faster
    for chain_id in sorted({hold_chain_of(hold.key) for hold in pending}):
        await lock_chain(session, chain_id)
    for hold in pending:
        _release(accounts[hold.ledger_account_id], hold)
        await _end(session, hold, "expired", now)
    return pending


async def get_hold(session: AsyncSession, hold_id: int) -> LedgerHold:
    """The hold as this session sees it; raises HoldNotFound."""
    hold = await session.get(LedgerHold, hold_id) if is_id(hold_id) else None
    if hold is None:
        raise HoldNotFound("no such hold")
    return hold


def _ensure_pending(hold: LedgerHold) -> None:
    if hold.status != "pending":
        raise _ENDED[hold.status](f"hold {hold.id} is {hold.status}")


def _release(account: LedgerAccount, hold: LedgerHold) -> None:
    account.held_fen -= hold.amount_fen
    assert account.held_fen >= 0, "more was released than is held"


async def _end(
    session: AsyncSession,
    hold: LedgerHold,
    status: str,
    now: datetime,
    *,
    spent_fen: int = 0,
    transaction_id: int | None = None,
) -> None:
    hold.status, hold.posted_fen, hold.resolved_at = status, spent_fen, now
    chain = await lock_chain(session, hold_chain_of(hold.key))
    amount_fen = spent_fen if status == "posted" else hold.amount_fen
    _record(session, chain, hold, status, amount_fen, now, transaction_id)
    await session.flush()


def _record(
    session: AsyncSession,
    chain: LedgerChain,
    hold: LedgerHold,
    event: str,
    amount_fen: int,
    now: datetime,
    transaction_id: int | None = None,
) -> None:
    sequence, previous_hash = chain.last_sequence + 1, chain.last_hash
    sealed = hold_event_hash(
        chain=chain.id,
        sequence=sequence,
        previous_hash=previous_hash,
        key=hold.key,
        body=hold.body_hash,
        event=event,
        amount_fen=amount_fen,
        transaction_id=transaction_id,
        happened_at=now,
    )
    chain.last_sequence, chain.last_hash = sequence, sealed
    session.add(
        LedgerHoldEvent(
            hold_id=hold.id,
            event=event,
            amount_fen=amount_fen,
            transaction_id=transaction_id,
            happened_at=now,
            chain=chain.id,
            sequence=sequence,
            previous_hash=previous_hash,
            hash=sealed,
        )
    )
