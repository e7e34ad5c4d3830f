"""Proving the holds: each one's state and each account's held money are computed again from the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.ledger.findings import Chains, Findings
from banking_core.ledger.hashing import hold_body_hash, hold_event_hash
from banking_core.ledger.models import LedgerEntry, LedgerHold, LedgerHoldEvent, LedgerTransaction

BATCH_ROWS = 1000
HOLD, EVENT = LedgerHold.__tablename__, LedgerHoldEvent.__tablename__


@dataclass
class _Life:
    """What the events say about a hold."""

    status: str = ""
    amount_fen: int = 0
    posted_fen: int = 0
    transaction_id: int | None = None


async def verify_holds(
    session: AsyncSession, chains: Chains, findings: Findings
) -> tuple[dict[int, int], int]:
    """Checks every hold and event; returns the money held by pending holds per account, and how many holds."""
    lives: dict[int, _Life] = defaultdict(_Life)
    async for event, hold in _events(session):
        chains.follow(EVENT, event)
        if event.hash != _recomputed(event, hold):
            findings.add("hash_mismatch", EVENT, event.id, f"it or its hold {event.hold_id} was changed")
        _live(lives[event.hold_id], event, findings)
    held_fen: dict[int, int] = defaultdict(int)
    count, last_id = 0, 0
    while True:
        page = select(LedgerHold).where(LedgerHold.id > last_id).order_by(LedgerHold.id).limit(BATCH_ROWS)
        holds = (await session.scalars(page.execution_options(populate_existing=True))).all()
        if not holds:
            break
        last_id, count = holds[-1].id, count + len(holds)
        for hold in holds:
            _check_hold(hold, lives.get(hold.id), findings)
            if hold.status == "pending":
                held_fen[hold.ledger_account_id] += hold.amount_fen
    await _check_postings(session, lives, findings)
    return held_fen, count


async def _events(session: AsyncSession) -> AsyncIterator[tuple[LedgerHoldEvent, LedgerHold | None]]:
    last_id = 0
    while True:
        statement = (
            select(LedgerHoldEvent, LedgerHold)
            .outerjoin(LedgerHold, LedgerHold.id == LedgerHoldEvent.hold_id)
            .where(LedgerHoldEvent.id > last_id)
            .order_by(LedgerHoldEvent.id)
            .limit(BATCH_ROWS)
            .execution_options(populate_existing=True)
        )
        rows = (await session.execute(statement)).all()
        if not rows:
            return
        last_id = rows[-1][0].id
        for event, hold in rows:
            yield event, hold


def _recomputed(event: LedgerHoldEvent, hold: LedgerHold | None) -> str:
    if hold is None:
        return ""
    body = hold_body_hash(
        ledger_account_id=hold.ledger_account_id,
        amount_fen=hold.amount_fen,
        memo=hold.memo,
        expires_at=hold.expires_at,
    )
    return hold_event_hash(
        chain=event.chain,
        sequence=event.sequence,
        previous_hash=event.previous_hash,
        key=hold.key,
        body=body if body == hold.body_hash else "changed",
        event=event.event,
        amount_fen=event.amount_fen,
        transaction_id=event.transaction_id,
        happened_at=event.happened_at,
    )


def _live(life: _Life, event: LedgerHoldEvent, findings: Findings) -> None:
    first = event.event == "placed"
    if first != (life.status == "") or (not first and life.status != "pending"):
        findings.add("hold_event_order", EVENT, event.id, f"{event.event} after {life.status or 'nothing'}")
    if first:
        life.status, life.amount_fen = "pending", event.amount_fen
        return
    life.status = event.event
    if event.event == "posted":
        life.posted_fen, life.transaction_id = event.amount_fen, event.transaction_id


def _check_hold(hold: LedgerHold, life: _Life | None, findings: Findings) -> None:
    if life is None:
        findings.add("hold_without_event", HOLD, hold.id, "nothing says that it was placed")
        return
    stored = (hold.status, hold.amount_fen, hold.posted_fen)
    if stored != (life.status, life.amount_fen, life.posted_fen):
        detail = f"it is {stored}, its events give {(life.status, life.amount_fen, life.posted_fen)}"
        findings.add("hold_mismatch", HOLD, hold.id, detail)


async def _check_postings(session: AsyncSession, lives: dict[int, _Life], findings: Findings) -> None:
    """Every posted hold has its transaction, which spends what the event says; and the other way round."""
    statement = (
        select(LedgerTransaction.id, LedgerHold.id, LedgerEntry.amount_fen)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerHold, LedgerHold.id == LedgerTransaction.hold_id)
        .where(LedgerEntry.ledger_account_id == LedgerHold.ledger_account_id)
    )
    spent: dict[int, tuple[int, int]] = {}
    for transaction_id, hold_id, amount_fen in await session.execute(statement):
        spent[hold_id] = (transaction_id, spent.get(hold_id, (0, 0))[1] - amount_fen)
    for hold_id, life in lives.items():
        said = (life.transaction_id, life.posted_fen) if life.status == "posted" else None
        if spent.pop(hold_id, None) != said:
            findings.add("hold_posting", HOLD, hold_id, "its transaction and its events do not agree")
    for hold_id in spent:
        findings.add("hold_posting", HOLD, hold_id, "was posted without an event")
