"""Group commit: many customers' bookings in one database transaction, each accepted or refused on its own.

A booking costs a handful of round trips and one durable commit, whether it comes alone or with two hundred others.
The batcher gathers what arrives while the previous batch is being committed:

    post() --> queue --> lock accounts, then chains (rising ids) --> look for keys --> decide one after the other
                         in arrival order --> four multi-row writes --> commit --> each caller gets its answer

`decide` uses the same rules as `Ledger.post` (`posting.apply_to_states`, `posting.seal_columns`), so both give the
same result for the same input; a test holds them to it. A caller hears nothing before the commit. A batch that fails
as a whole is booked again one by one, so that one bad row cannot refuse the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.errors import BankError
from banking_core.ledger.batch_store import (
    Booked,
    account_states,
    booked_keys,
    chain_states,
    ensure_chains,
    new_ids,
    write_bookings,
)
from banking_core.ledger.errors import LedgerAccountNotFound, LedgerKeyConflict
from banking_core.ledger.hashing import body_hash, chain_of
from banking_core.ledger.limits import check_entries, check_posting
from banking_core.ledger.posting import (
    AccountState,
    ChainState,
    apply_to_states,
    book,
    entry_rows,
    seal_columns,
)
from banking_core.ledger.types import EntryDraft, Receipt, TransactionDraft
from banking_core.storage import Database, DatabaseBusy

log = logging.getLogger(__name__)
BATCH_MAX = 512
WAITING_MAX = 10_000
Outcome = Receipt | Exception


@dataclass(frozen=True)
class Request:
    """A checked draft with its body hash."""

    draft: TransactionDraft
    body: str


@dataclass
class Plan:
    """What a batch comes to: an outcome per request, and the rows to write."""

    outcomes: list[Outcome] = field(default_factory=list)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)


class Batcher:
    """Books through group commit; `async with Batcher(database, clock) as batcher`, one per process."""

    def __init__(
        self, database: Database, clock: Clock, *, batch_max: int = BATCH_MAX, waiting_max: int = WAITING_MAX
    ) -> None:
        assert 0 < batch_max <= 1000 and waiting_max > 0
        self._database = database
        self._clock = clock
        self._batch_max = batch_max
        self._places = asyncio.Semaphore(waiting_max)
        self._queue: deque[tuple[Request, asyncio.Future[Receipt]]] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._worker: asyncio.Task[None] | None = None
        self.batch_count = 0  # how many database transactions were committed, for the operator's metrics

    async def __aenter__(self) -> Self:
        await self._database.run(ensure_chains, idempotent=True)
        self._worker = asyncio.create_task(self._work(), name="ledger-batcher")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Books what is waiting, then stops."""
        self._closing = True
        self._wake.set()
        if self._worker is not None:
            await self._worker

    async def post(
        self,
        *,
        key: str,
        kind: str,
        entries: Sequence[EntryDraft],
        memo: str,
        booked_at: datetime | None = None,
    ) -> Receipt:
        """Books once per key and returns after the commit; errors as `Ledger.post`, and DatabaseBusy.

        A caller that is cancelled or gets DatabaseBusy does not know whether it was booked: the same key tells.
        """
        if self._closing or self._worker is None or self._worker.done():
            raise DatabaseBusy("the batcher is closed")
        booked = self._clock.now() if booked_at is None else booked_at
        draft = TransactionDraft(key, kind, memo, booked, check_entries(entries))
        check_posting(draft)
        request = Request(draft, body_hash(draft))
        async with self._places:  # callers wait here when the queue is full
            future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
            self._queue.append((request, future))
            self._wake.set()
            return await future

    async def _work(self) -> None:
        while True:
            if not self._queue:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            size = min(len(self._queue), self._batch_max)
            batch = [self._queue.popleft() for _ in range(size)]
            try:
                outcomes = await self._book([request for request, _ in batch])
            except BaseException:
                for _, future in batch:
                    future.cancel()
                raise
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():  # its caller has gone
                    continue
                if isinstance(outcome, Receipt):
                    future.set_result(outcome)
                else:
                    future.set_exception(outcome)

    async def _book(self, requests: Sequence[Request]) -> list[Outcome]:
        async def work(session: AsyncSession) -> list[Outcome]:
            return await book_batch(session, requests)

        try:
            outcomes = await self._database.run(work, idempotent=True)
        except DatabaseBusy as error:
            return [error] * len(requests)
        except Exception:
            log.exception("a batch of %d bookings failed; booking them one by one", len(requests))
            return [await self._book_alone(request) for request in requests]
        self.batch_count += 1
        return outcomes

    async def _book_alone(self, request: Request) -> Outcome:
        async def work(session: AsyncSession) -> Receipt:
            before = await booked_keys(session, [request.draft.key])
            transaction = await book(session, request.draft)
            return Receipt(transaction.id, repeated=request.draft.key in before)

        try:
            return await self._database.run(work, idempotent=True)
        except BankError as error:
            return error
        except Exception as error:
            log.exception("a booking failed")
            return error


async def book_batch(session: AsyncSession, requests: Sequence[Request]) -> list[Outcome]:
    """Books the requests in order within the session's transaction; an outcome for each. Never commits."""
    accounts = await account_states(
        session, sorted(set().union(*(request.draft.account_ids for request in requests)))
    )
    chains = await chain_states(session, sorted({chain_of(request.draft.key) for request in requests}))
    # Whoever booked one of these keys held the same chain's lock: what is not seen now is not booked.
    booked = await booked_keys(session, [request.draft.key for request in requests])
    ids = await new_ids(session, len(requests))
    before = {chain.id: chain.last_sequence for chain in chains.values()}
    plan = decide(requests, accounts, chains, booked, ids)
    if plan.transactions:
        await write_bookings(
            session,
            plan.transactions,
            plan.entries,
            [accounts[account_id] for account_id in sorted(plan.touched)],
            [chain for chain in chains.values() if chain.last_sequence > before[chain.id]],
        )
    return plan.outcomes


def decide(
    requests: Sequence[Request],
    accounts: Mapping[int, AccountState],
    chains: Mapping[int, ChainState],
    booked: dict[str, Booked],
    ids: Sequence[int],
) -> Plan:
    """Accepts or refuses each request after those before it; changes accounts, chains and `booked` as it goes."""
    plan = Plan()
    for request in requests:
        draft = request.draft
        try:
            existing = booked.get(draft.key)
            if existing is not None:
                if existing.body != request.body:
                    raise LedgerKeyConflict(f"ledger key {draft.key!r} was used with another body")
                plan.outcomes.append(Receipt(existing.transaction_id, repeated=True))
                continue
            if missing := draft.account_ids - accounts.keys():
                raise LedgerAccountNotFound(f"no ledger accounts {sorted(missing)}")
            after = apply_to_states(accounts, draft.entries)
        except BankError as error:
            plan.outcomes.append(error)
            continue
        transaction_id = ids[len(plan.transactions)]
        columns = seal_columns(chains[chain_of(draft.key)], draft, after, request.body)
        plan.transactions.append({"id": transaction_id, **columns})
        plan.entries.extend({"transaction_id": transaction_id, **row} for row in entry_rows(draft, after))
        plan.touched |= draft.account_ids
        booked[draft.key] = Booked(transaction_id, request.body)
        plan.outcomes.append(Receipt(transaction_id, repeated=False))
    return plan
