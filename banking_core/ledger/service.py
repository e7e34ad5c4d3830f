"""Booking money.

Invariants, each also enforced by the database where it can be: the lines of a transaction sum to zero; no
balance below its floor; booked rows never change; a key books once; a transaction is reversed at most once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.inserts import insert_if_absent
from banking_core.ledger.errors import (
    AlreadyReversed,
    LedgerAccountNotFound,
    LedgerKeyConflict,
    LedgerTransactionNotFound,
)
from banking_core.ledger.hashing import body_hash, chain_of
from banking_core.ledger.history import import_drafts
from banking_core.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from banking_core.ledger.posting import append, by_key, check_posting, lock_accounts, lock_chain
from banking_core.ledger.types import (
    INTERNAL_ACCOUNTS,
    EntryDraft,
    InternalAccount,
    NormalSide,
    TransactionDraft,
    VerifyReport,
)
from banking_core.ledger.verify import verify_ledger


class Ledger:
    """The ledger of the bank. Never commits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def open_account(
        self,
        session: AsyncSession,
        *,
        code: str,
        name: str,
        kind: str,
        normal_side: NormalSide,
        floor_fen: int | None = None,
    ) -> LedgerAccount:
        """Opens an account with balance 0; a second call with the same code returns the first account."""
        assert kind in ("customer", "internal"), kind
        assert floor_fen is None or floor_fen <= 0, "an account opens at 0, its floor cannot be above"
        values = {
            "code": code,
            "name": name,
            "kind": kind,
            "normal_side": normal_side,
            "floor_fen": floor_fen,
            "balance_fen": 0,
            "currency": "CNY",
        }
        await insert_if_absent(session, LedgerAccount, values, unique="code")
        return (await session.scalars(select(LedgerAccount).where(LedgerAccount.code == code))).one()

    async def open_internal_accounts(self, session: AsyncSession) -> None:
        """Opens every account of the bank's own; safe to call again."""
        for account in INTERNAL_ACCOUNTS:
            await self.internal(session, account)

    async def internal(self, session: AsyncSession, account: InternalAccount) -> int:
        """The id of one of the bank's own accounts."""
        found = await session.scalar(select(LedgerAccount.id).where(LedgerAccount.code == account.value))
        if found is not None:
            return found
        spec = INTERNAL_ACCOUNTS[account]
        opened = await self.open_account(
            session, code=account.value, name=spec.name, kind="internal", normal_side=spec.normal_side
        )
        return opened.id

    async def post(
        self,
        session: AsyncSession,
        *,
        key: str,
        kind: str,
        entries: Sequence[EntryDraft],
        memo: str,
        booked_at: datetime | None = None,
    ) -> LedgerTransaction:
        """Books the lines once per `key`.

        The same key with the same body returns the first transaction and moves nothing. Raises
        LedgerKeyConflict (same key, other body), LedgerPostingInvalid, LedgerAccountNotFound, BelowFloor;
        then nothing is booked.
        """
        booked = booked_at or self._clock.now()
        return await self._post(session, TransactionDraft(key, kind, memo, booked, tuple(entries)))

    async def reverse(
        self,
        session: AsyncSession,
        transaction_id: int,
        key: str,
        *,
        memo: str = "冲正",
        summary: str | None = None,
        category: str | None = None,
    ) -> LedgerTransaction:
        """Books the opposite of a transaction, at most once in its life.

        Lines keep their order; `summary` and `category` replace those of the lines. The same key returns the
        first reversal. Raises AlreadyReversed, LedgerTransactionNotFound, BelowFloor (the money is gone
        already).
        """
        original = await session.get(LedgerTransaction, transaction_id)
        if original is None:
            raise LedgerTransactionNotFound(f"no transaction {transaction_id}")
        if original.reverses_id is not None:
            raise AlreadyReversed(f"transaction {transaction_id} is a reversal")
        lines = await self.entries(session, transaction_id)
        drafts = tuple(
            EntryDraft(
                ledger_account_id=line.ledger_account_id,
                amount_fen=-line.amount_fen,
                counterparty_name=line.counterparty_name,
                category=line.category if category is None else category,
                summary=f"{memo}：{line.summary}"[:100] if summary is None else summary,
            )
            for line in lines
        )
        draft = TransactionDraft(key, "reversal", memo, self._clock.now(), drafts, reverses_id=transaction_id)
        return await self._post(session, draft)

    async def balance_fen(self, session: AsyncSession, ledger_account_id: int) -> int:
        """The balance now; raises LedgerAccountNotFound."""
        statement = select(LedgerAccount.balance_fen).where(LedgerAccount.id == ledger_account_id)
        balance = await session.scalar(statement)
        if balance is None:
            raise LedgerAccountNotFound(f"no ledger account {ledger_account_id}")
        return balance

    async def entries(self, session: AsyncSession, transaction_id: int) -> Sequence[LedgerEntry]:
        """The lines of a transaction in booking order."""
        statement = (
            select(LedgerEntry).where(LedgerEntry.transaction_id == transaction_id).order_by(LedgerEntry.id)
        )
        return (await session.scalars(statement)).all()

    async def import_history(self, session: AsyncSession, drafts: Sequence[TransactionDraft]) -> int:
        """Books many past transactions in one pass, in order of `booked_at`; returns how many were new.

        Same invariants and errors as `post`; drafts whose key is booked with the same body are skipped.
        """
        return await import_drafts(session, drafts)

    async def verify(self, session: AsyncSession) -> VerifyReport:
        """Recomputes every hash, sum and balance; names each row that does not fit."""
        return await verify_ledger(session)

    async def _post(self, session: AsyncSession, draft: TransactionDraft) -> LedgerTransaction:
        check_posting(draft)
        existing = await by_key(session, draft.key)
        if existing is None:
            accounts = await lock_accounts(session, draft.account_ids)
            chain = await lock_chain(session, chain_of(draft.key))
            # Whoever booked this key held the same chain's lock, so this second look is the decisive one.
            existing = await by_key(session, draft.key)
        if existing is not None:
            if existing.body_hash != body_hash(draft):
                raise LedgerKeyConflict(f"ledger key {draft.key!r} was used with another body")
            return existing
        if draft.reverses_id is not None:
            await _ensure_not_reversed(session, draft.reverses_id)
        return await append(session, accounts, chain, draft)


async def _ensure_not_reversed(session: AsyncSession, transaction_id: int) -> None:
    """The accounts are locked: two reversals of one transaction touch the same ones and come here in turn."""
    statement = select(LedgerTransaction.id).where(LedgerTransaction.reverses_id == transaction_id)
    if await session.scalar(statement) is not None:
        raise AlreadyReversed(f"transaction {transaction_id} is reversed already")
