"""Proving the ledger: every hash, sum, running balance, floor and hold is computed again from the rows.

What it cannot see by itself is a tail that was cut off together with the chain's head, by somebody who can write
both: for that, `heads` written down elsewhere earlier must still be in the chains.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.ledger.balances import trial_balance
from banking_core.ledger.errors import ExchangeInvalid
from banking_core.ledger.exchange import read_exchange
from banking_core.ledger.findings import Chains, Findings
from banking_core.ledger.hashing import (
    GENESIS_HASH,
    body_hash,
    head_values,
    line_values,
    transaction_hash,
)
from banking_core.ledger.models import LedgerAccount, LedgerChain, LedgerEntry, LedgerTransaction
from banking_core.ledger.types import EntryDraft, Head, TransactionDraft, VerifyReport
from banking_core.ledger.verify_holds import verify_holds

BATCH_ROWS = 1000


async def verify_ledger(session: AsyncSession, heads: Sequence[Head] = ()) -> VerifyReport:
    """Checks the whole ledger. Give it a fresh session: it must see one state of the database throughout."""
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    findings = Findings()
    chains = Chains(findings, heads)
    rows = await session.execute(select(LedgerAccount.id, LedgerAccount.currency))
    currencies = {row.id: row.currency for row in rows}
    running: dict[int, int] = defaultdict(int)
    transaction_count = entry_count = 0
    async for transaction, lines in _in_order(session):
        transaction_count += 1
        entry_count += len(lines)
        _check_transaction(transaction, lines, currencies, chains, findings)
        _check_lines(lines, running, findings)
    held_fen, hold_count = await verify_holds(session, chains, findings)
    await _check_chains(session, chains, findings)
    account_count = await _check_accounts(session, held_fen, findings)
    orphans = await _check_orphans(session, findings)
    trial_balances = await trial_balance(session)
    for trial in trial_balances:
        if not trial.balanced:
            detail = f"debits {trial.debit_fen}, credits {trial.credit_fen}"
            findings.add("trial_balance", "currency", trial.currency, detail)
    return VerifyReport(
        transaction_count=transaction_count,
        entry_count=entry_count + orphans,
        account_count=account_count,
        hold_count=hold_count,
        heads=chains.ends(),
        trial_balances=trial_balances,
        problems=tuple(findings.problems),
    )


async def _in_order(
    session: AsyncSession,
) -> AsyncIterator[tuple[LedgerTransaction, list[LedgerEntry]]]:
    """All transactions with their lines, in booking order."""
    last_id = 0
    while True:
        statement = (
            select(LedgerTransaction)
            .where(LedgerTransaction.id > last_id)
            .order_by(LedgerTransaction.id)
            .limit(BATCH_ROWS)
            .execution_options(populate_existing=True)
        )
        batch = (await session.scalars(statement)).all()
        if not batch:
            return
        last_id = batch[-1].id
        lines: dict[int, list[LedgerEntry]] = defaultdict(list)
        entries = await session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.transaction_id.between(batch[0].id, last_id))
            .order_by(LedgerEntry.id)
            .execution_options(populate_existing=True)
        )
        for entry in entries:
            lines[entry.transaction_id].append(entry)
        for transaction in batch:
            yield transaction, lines[transaction.id]


def _check_transaction(
    transaction: LedgerTransaction,
    lines: Sequence[LedgerEntry],
    currencies: Mapping[int, str],
    chains: Chains,
    findings: Findings,
) -> None:
    table = LedgerTransaction.__tablename__
    entry_ids = ", ".join(str(line.id) for line in lines)
    chains.follow(table, transaction)
    if transaction.hash != _recomputed(transaction, lines):
        findings.add(
            "hash_mismatch", table, transaction.id, f"it or one of its entries ({entry_ids}) was changed"
        )
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[currencies.get(line.ledger_account_id, "?")] += line.amount_fen
    for currency, total_fen in sums.items():
        if total_fen != 0:
            detail = f"{currency} entries {entry_ids} do not sum to zero"
            findings.add("not_balanced", table, transaction.id, detail)
    if transaction.rate is not None:
        try:
            read_exchange(transaction, lines)
        except ExchangeInvalid as error:
            findings.add("exchange", table, transaction.id, str(error))


def _recomputed(transaction: LedgerTransaction, lines: Sequence[LedgerEntry]) -> str:
    draft = TransactionDraft(
        key=transaction.key,
        kind=transaction.kind,
        memo=transaction.memo,
        booked_at=transaction.booked_at,
        reverses_id=transaction.reverses_id,
        hold_id=transaction.hold_id,
        rate=transaction.rate,
        entries=tuple(
            EntryDraft(
                line.ledger_account_id, line.amount_fen, line.counterparty_name, line.category, line.summary
            )
            for line in lines
        ),
    )
    return transaction_hash(
        chain=transaction.chain,
        sequence=transaction.sequence,
        previous_hash=transaction.previous_hash,
        head=head_values(
            key=draft.key,
            kind=draft.kind,
            memo=draft.memo,
            booked_at=draft.booked_at,
            reverses_id=draft.reverses_id,
            body=transaction.body_hash if transaction.body_hash == body_hash(draft) else "changed",
        ),
        lines=[
            line_values(entry, line.balance_after_fen, line.booked_at)
            for entry, line in zip(draft.entries, lines, strict=True)
        ],
    )


def _check_lines(lines: Sequence[LedgerEntry], running: dict[int, int], findings: Findings) -> None:
    for line in lines:
        running[line.ledger_account_id] += line.amount_fen
        if running[line.ledger_account_id] != line.balance_after_fen:
            findings.add(
                "running_balance",
                LedgerEntry.__tablename__,
                line.id,
                f"balance after is {line.balance_after_fen}, its account's entries give "
                f"{running[line.ledger_account_id]}",
            )
            running[line.ledger_account_id] = line.balance_after_fen  # name the row once, not all after it


async def _check_chains(session: AsyncSession, chains: Chains, findings: Findings) -> None:
    """A chain whose head is ahead of its last row has lost its tail."""
    table = LedgerChain.__tablename__
    stored = {
        chain.id: (chain.last_sequence, chain.last_hash)
        for chain in await session.scalars(select(LedgerChain).execution_options(populate_existing=True))
    }
    walked = {head.chain: (head.sequence, head.hash) for head in chains.ends()}
    for chain_id in sorted(stored.keys() | walked.keys()):
        if stored.get(chain_id, (0, GENESIS_HASH)) != walked.get(chain_id, (0, GENESIS_HASH)):
            findings.add("chain_head", table, chain_id, "head and last row of the chain differ")
    for head in chains.missing():
        detail = f"number {head.sequence}, written down earlier, is gone or another"
        findings.add("head_missing", table, head.chain, detail)


async def _check_accounts(session: AsyncSession, held_fen: Mapping[int, int], findings: Findings) -> int:
    statement = select(LedgerEntry.ledger_account_id, func.sum(LedgerEntry.amount_fen)).group_by(
        LedgerEntry.ledger_account_id
    )
    sums = {account_id: int(total) for account_id, total in await session.execute(statement)}
    accounts = await session.scalars(
        select(LedgerAccount).order_by(LedgerAccount.id).execution_options(populate_existing=True)
    )
    count = 0
    for account in accounts:
        count += 1
        total = sums.get(account.id, 0)
        table = LedgerAccount.__tablename__
        if account.balance_fen != total:
            detail = f"balance is {account.balance_fen}, entries give {total}"
            findings.add("balance_mismatch", table, account.id, detail)
        held = held_fen.get(account.id, 0)
        if account.held_fen != held:
            detail = f"{account.held_fen} are held, its pending holds give {held}"
            findings.add("held_mismatch", table, account.id, detail)
        if account.floor_fen is not None and account.balance_fen - account.held_fen < account.floor_fen:
            findings.add("below_floor", table, account.id, "balance is below the floor")
    return count


async def _check_orphans(session: AsyncSession, findings: Findings) -> int:
    """Entries whose transaction is gone."""
    known = select(LedgerTransaction.id)
    statement = (
        select(LedgerEntry.id).where(LedgerEntry.transaction_id.not_in(known)).order_by(LedgerEntry.id)
    )
    orphans = (await session.scalars(statement)).all()
    for entry_id in orphans:
        findings.add("orphan", LedgerEntry.__tablename__, entry_id, "its transaction does not exist")
    return len(orphans)
